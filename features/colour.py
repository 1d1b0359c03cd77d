"""Colours from the Gaussian process: on the rise, at the peak, after it, at the alert, and their rates of change.

A colour is the difference of two asinh magnitudes (Lupton, Gunn & Szalay 1999, doi:10.1086/301004), softened by
the typical error of the light curve, so that a band without flux gives a limit instead of infinity.
"""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
from numba import njit
from numpy.typing import NDArray

from features.definition import ANY, MAGNITUDES, MAGNITUDES_PER_DAY, POSITIVE, Feature, columns_by_name
from features.grid import GridFlux
from schemas.light_curves import BANDS, LightCurves

RATE_DAYS = 1.0
"""A rate at the alert is the change over the last day: the process is too uncertain for a shorter time."""

BRIGHT_FRACTION = 0.2
"""Range and mean of a colour use the times at which the flux in r is above this fraction of its peak."""

AFTER_DAYS = (10.0, 20.0)

_BLOCK = "colour"
_LUPTON = "doi:10.1086/301004"
_PAIRS = tuple(pairwise(BANDS))
_G_R, _R_I = _PAIRS.index(("g", "r")), _PAIRS.index(("r", "i"))
_G, _R, _I = BANDS.index("g"), BANDS.index("r"), BANDS.index("i")
_MAGNITUDES_PER_E_FOLD = 2.5 / math.log(10.0)
_MISSING = "missing unless both bands have a point"
_AFTER = np.array(AFTER_DAYS)


def _feature(
    name: str, description: str, bands: str, unit: str = MAGNITUDES, range_: tuple[float, float] = ANY
) -> Feature:
    return Feature(name, unit, _BLOCK, 2, description, _LUPTON, range_, bands)


FEATURES = (
    *(_feature(f"{a}_{b}_peak", f"Colour {a}-{b} at the peak in r; {_MISSING}.", a + b) for a, b in _PAIRS),
    *(_feature(f"{a}_{b}_now", f"Colour {a}-{b} at the alert; {_MISSING}.", a + b) for a, b in _PAIRS),
    _feature("g_r_change", f"g-r at the alert less g-r at the peak; {_MISSING}.", "gr"),
    _feature(
        "g_r_rate", f"Change of g-r over the last day; {_MISSING}, and in the first day.", "gr", MAGNITUDES_PER_DAY
    ),
    _feature("r_i_change", f"r-i at the alert less r-i at the peak; {_MISSING}.", "ri"),
    _feature(
        "r_i_rate", f"Change of r-i over the last day; {_MISSING}, and in the first day.", "ri", MAGNITUDES_PER_DAY
    ),
    _feature(
        "bend_peak",
        "(g-r) - (r-i) at the peak in r: how the spectrum bends; missing without points in g, r and i.",
        "gri",
    ),
    _feature("bend_now", "(g-r) - (r-i) at the alert; missing without points in g, r and i.", "gri"),
    _feature(
        "g_r_rise", f"g-r where r reaches half its peak flux on the rise; {_MISSING} and the rise was seen.", "gr"
    ),
    *(
        _feature(
            f"g_r_{days:.0f}_days_after_peak",
            f"g-r {days:.0f} days after the peak in r; {_MISSING}, and until then.",
            "gr",
        )
        for days in AFTER_DAYS
    ),
    _feature("g_r_mean", f"Mean g-r while r is above a fifth of its peak flux; {_MISSING}.", "gr"),
    _feature(
        "g_r_range",
        f"Largest less smallest g-r while r is above a fifth of its peak flux; {_MISSING}.",
        "gr",
        MAGNITUDES,
        POSITIVE,
    ),
)
COLUMN = columns_by_name(FEATURES)
_PEAK = [getattr(COLUMN, f"{a}_{b}_peak") for a, b in _PAIRS]
_NOW = [getattr(COLUMN, f"{a}_{b}_now") for a, b in _PAIRS]
_FIRST_AFTER = getattr(COLUMN, f"g_r_{AFTER_DAYS[0]:.0f}_days_after_peak")


def columns(curves: LightCurves, grid: GridFlux) -> NDArray[np.float64]:
    """Measure the block: (n, features)."""
    n = len(curves)
    out = np.full((n, len(FEATURES)), np.nan)
    seen = np.zeros((n, len(BANDS)), np.bool_)
    seen[curves.alert_of_point, curves.band] = True
    has_process = np.isfinite(grid.mean_njy[:, _R, -1])
    peak = np.argmax(np.where(has_process[:, None], grid.mean_njy[:, _R], 0.0), axis=1)
    both = seen[:, :-1] & seen[:, 1:]
    softening = 2.0 * typical_error(curves)
    at_peak = _colours(grid.mean_njy[np.arange(n), :, peak], softening[:, None], both)
    now = _colours(grid.mean_njy[:, :, -1], softening[:, None], both)
    out[:, _PEAK], out[:, _NOW] = at_peak, now
    change = now - at_peak
    out[:, COLUMN.g_r_change], out[:, COLUMN.r_i_change] = change[:, _G_R], change[:, _R_I]
    out[:, COLUMN.bend_peak] = at_peak[:, _G_R] - at_peak[:, _R_I]
    out[:, COLUMN.bend_now] = now[:, _G_R] - now[:, _R_I]
    _measure_history(grid.time_mjd, grid.mean_njy, peak, softening, seen, out)
    return out


def typical_error(curves: LightCurves) -> NDArray[np.float64]:
    """Harmonic mean of the errors of each light curve, nJy, (n,): the deepest points have the most weight; NaN
    without points."""
    total = np.bincount(curves.alert_of_point, 1.0 / curves.flux_err_njy, minlength=len(curves))
    return curves.n_points / np.where(total > 0, total, np.nan)


def _colours(
    flux_njy: NDArray[np.float64], softening_njy: NDArray[np.float64], both: NDArray[np.bool_]
) -> NDArray[np.float64]:
    magnitude = -_MAGNITUDES_PER_E_FOLD * np.arcsinh(flux_njy / softening_njy)
    return np.where(both, magnitude[:, :-1] - magnitude[:, 1:], np.nan)


@njit(cache=True, nogil=True, error_model="numpy")
def _measure_history(
    time: NDArray[np.float64],
    mean: NDArray[np.float64],
    peak: NDArray[np.int64],
    softening: NDArray[np.float64],
    seen: NDArray[np.bool_],
    out: NDArray[np.float64],
) -> None:
    """Features that need the colour at more than two times."""
    last = time.shape[1] - 1
    for i in range(len(time)):
        t, row = time[i], out[i]
        if not math.isfinite(mean[i, _R, last]) or not seen[i, _R]:
            continue
        day_ago = np.searchsorted(t, t[last] - RATE_DAYS)
        long_enough = t[0] <= t[last] - RATE_DAYS
        if seen[i, _G]:
            if long_enough:
                row[COLUMN.g_r_rate] = _rate(t, mean[i, _G], mean[i, _R], softening[i], day_ago)
            _measure_blue(t, mean[i, _G], mean[i, _R], softening[i], peak[i], row)
        if seen[i, _I] and long_enough:
            row[COLUMN.r_i_rate] = _rate(t, mean[i, _R], mean[i, _I], softening[i], day_ago)


@njit(cache=True, nogil=True, error_model="numpy")
def _rate(
    t: NDArray[np.float64], blue: NDArray[np.float64], red: NDArray[np.float64], softening: float, day_ago: int
) -> float:
    last = len(t) - 1
    j = min(day_ago, last - 1)
    change = _colour(blue[last], red[last], softening) - _colour(blue[j], red[j], softening)
    return change / (t[last] - t[j])


@njit(cache=True, nogil=True, error_model="numpy")
def _measure_blue(
    t: NDArray[np.float64],
    blue: NDArray[np.float64],
    red: NDArray[np.float64],
    softening: float,
    peak: int,
    row: NDArray[np.float64],
) -> None:
    high = red[peak]
    if high <= 0.0:
        return
    j = peak
    while j >= 0 and red[j] >= 0.5 * high:
        j -= 1
    if j >= 0:
        row[COLUMN.g_r_rise] = _colour(blue[j], red[j], softening)
    for k in range(len(_AFTER)):
        j = np.searchsorted(t, t[peak] + _AFTER[k])
        if j < len(t):
            row[_FIRST_AFTER + k] = _colour(blue[j], red[j], softening)
    total, duration, low, top = 0.0, 0.0, np.inf, -np.inf
    for j in range(len(t)):
        if red[j] > BRIGHT_FRACTION * high:
            colour = _colour(blue[j], red[j], softening)
            step = 0.5 * (t[min(j + 1, len(t) - 1)] - t[max(j - 1, 0)])
            total, duration = total + colour * step, duration + step
            low, top = min(low, colour), max(top, colour)
    row[COLUMN.g_r_mean] = total / duration if duration > 0.0 else np.nan
    row[COLUMN.g_r_range] = top - low


@njit(cache=True, nogil=True, error_model="numpy")
def _colour(blue: float, red: float, softening: float) -> float:
    return _MAGNITUDES_PER_E_FOLD * (math.asinh(red / softening) - math.asinh(blue / softening))
