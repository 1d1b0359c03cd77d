"""Degraded light curves: added noise, lost bands, shifted zero points, fewer visits, one point moved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from models.hashing import scramble, uniform
from schemas.light_curves import ALERT_COLUMNS, BANDS, POINT_COLUMNS, LightCurves

Change = Callable[[LightCurves], LightCurves]

NOISE = (0.5, 1.0, 2.0)
"""Added noise, in units of the error of a point."""

ZERO_POINT_MAG = (0.02, 0.05, 0.1)
"""Shifts of zero points, alternating up and down from band to band, which changes colours most."""

OUTLIERS = (0.01, 0.03)
"""Part of the points that become outliers."""

OUTLIER_ERRORS = 20.0
"""How far an outlier is moved, up or down, in its own errors."""

KEPT_VISITS = (0.75, 0.5, 0.25)
GAP_DAYS = 10.0
"""Length of a gap (bad weather) before the alert, days; the trigger itself stays."""


def changes(seed: int) -> dict[str, Change]:
    """All changes by name; ``told``: the errors grow too; ``real``: errors understated by 1.7, and 1 % outliers.

    A change depends on light curve and seed alone.
    """
    change_by_name: dict[str, Change] = {}
    for size in NOISE:
        change_by_name[f"noise_{size:g}_told"] = partial(noisier, size=size, seed=seed, errors_grow=True)
        change_by_name[f"noise_{size:g}"] = partial(noisier, size=size, seed=seed, errors_grow=False)
    for part in OUTLIERS:
        change_by_name[f"outliers_{part:g}"] = partial(with_outliers, part=part, seed=seed)
    change_by_name["real"] = lambda curves: with_outliers(noisier(curves, 1.4, seed, errors_grow=False), 0.01, seed)
    for band, letter in enumerate(BANDS):
        change_by_name[f"without_{letter}"] = partial(without_band, band=band)
    for mag in ZERO_POINT_MAG:
        change_by_name[f"zero_point_{mag:g}"] = partial(shifted_zero_points, mag=mag)
    for part in KEPT_VISITS:
        change_by_name[f"visits_{part:g}"] = partial(fewer_visits, part=part, seed=seed)
    change_by_name[f"gap_{GAP_DAYS:g}_days"] = partial(with_gap, days=GAP_DAYS)
    return change_by_name


def noisier(curves: LightCurves, size: float, seed: int, *, errors_grow: bool) -> LightCurves:
    """Gaussian noise of ``size`` errors added to every flux; with ``errors_grow`` the errors include it."""
    error = curves.flux_err_njy
    flux = curves.flux_njy + size * error * _normal(curves, seed)
    return replace(curves, flux_njy=flux, flux_err_njy=error * np.hypot(1.0, size) if errors_grow else error)


def with_outliers(curves: LightCurves, part: float, seed: int) -> LightCurves:
    """A random ``part`` of the points moved by :data:`OUTLIER_ERRORS` errors; the trigger stays."""
    luck = _uniform(curves, seed + 2) / part
    moved = (luck < 1) & ~_trigger(curves)
    side = np.where(luck < 0.5, -1.0, 1.0)
    return replace(curves, flux_njy=curves.flux_njy + moved * side * OUTLIER_ERRORS * curves.flux_err_njy)


def without_band(curves: LightCurves, band: int) -> LightCurves:
    """Without the points of the band."""
    return _points(curves, curves.band != band)


def shifted_zero_points(curves: LightCurves, mag: float) -> LightCurves:
    """Fluxes and errors brighter by ``mag`` in u, r and z, fainter in g, i and y."""
    factor = 10 ** (0.4 * mag * np.where(curves.band % 2 == 0, 1.0, -1.0))
    return replace(curves, flux_njy=curves.flux_njy * factor, flux_err_njy=curves.flux_err_njy * factor)


def fewer_visits(curves: LightCurves, part: float, seed: int) -> LightCurves:
    """A random part of the points; the last detection, which triggered the alert, stays."""
    return _points(curves, (_uniform(curves, seed + 1) < part) | _trigger(curves))


def with_gap(curves: LightCurves, days: float) -> LightCurves:
    """Without the points of the last ``days`` before the alert, except the last detection."""
    early = curves.time_mjd < curves.alert_mjd[curves.alert_of_point] - days
    return _points(curves, early | _trigger(curves))


def one_point_moved(curves: LightCurves, place: int, sign: float) -> LightCurves:
    """The point ``place`` from the end (0: the last) moved by one error up or down, if there is such a point."""
    point = curves.offsets[1:] - 1 - place
    there = point >= curves.offsets[:-1]
    flux = curves.flux_njy.copy()
    flux[point[there]] += sign * curves.flux_err_njy[point[there]]
    return replace(curves, flux_njy=flux)


def _points(curves: LightCurves, kept: NDArray[np.bool_]) -> LightCurves:
    points = {name: getattr(curves, name)[kept] for name in POINT_COLUMNS}
    rows = {name: getattr(curves, name) for name in ALERT_COLUMNS}
    return LightCurves.from_points(alert=curves.alert_of_point[kept], columns=points, alerts=rows)


def _trigger(curves: LightCurves) -> NDArray[np.bool_]:
    """The last detection of each alert."""
    is_trigger = np.zeros(len(curves.time_mjd), bool)
    detected = np.flatnonzero(curves.is_detection)
    owner = curves.alert_of_point[detected]
    last = np.append(owner[1:] != owner[:-1], True)[: len(owner)]
    is_trigger[detected[last]] = True
    return is_trigger


def _uniform(curves: LightCurves, seed: int) -> NDArray[np.float64]:
    """A number in [0, 1) for each point, from its object, time and band."""
    time = np.round(curves.time_mjd * 1e5).astype(np.int64) * len(BANDS) + curves.band
    return uniform(curves.object_id[curves.alert_of_point] ^ scramble(time, seed), seed + 1)


def _normal(curves: LightCurves, seed: int) -> NDArray[np.float64]:
    from scipy.special import ndtri

    return np.asarray(ndtri(np.clip(_uniform(curves, seed), 1e-12, 1 - 1e-12)))
