"""The points of a batch, in the form for the compiled loops."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from features.kernel import N_BANDS, band_correlations, floored_variance
from schemas.light_curves import LightCurves

Array = NDArray[np.float64]


class Points(NamedTuple):
    """The points of n light curves, as in ``LightCurves``: days, nJy, nJy² with the error floor.

    ``correlation`` (n, 6, 6) is that of the bands of each light curve's survey, ``survey`` (n,);
    ``factor_ceiling`` (n,) the upper bound of its noise factor (:mod:`features.noise`).
    """

    offsets: NDArray[np.int64]
    time: Array
    flux: Array
    variance: Array
    band: NDArray[np.int8]
    correlation: Array
    survey: NDArray[np.int8]
    factor_ceiling: Array


class Curve(NamedTuple):
    """The points of one light curve, in time order, and the correlation between its bands: (6, 6), or smaller if only
    bands with points are numbered."""

    time: Array
    flux: Array
    variance: Array
    band: NDArray[np.int8]
    correlation: Array
    factor_ceiling: float


def points_of(light_curves: LightCurves, error_floor: float = 0.0) -> Points:
    """The points of all light curves; ``error_floor`` is a fraction of the flux. The noise factor has no ceiling."""
    curves = light_curves
    variance = floored_variance(curves.flux_njy, curves.flux_err_njy, error_floor)
    correlation = band_correlations()[curves.survey]
    ceiling = np.full(len(curves), np.inf)
    return Points(
        curves.offsets, curves.time_mjd, curves.flux_njy, variance, curves.band, correlation, curves.survey, ceiling
    )


@njit(cache=True, nogil=True, error_model="numpy")
def curve_of(points: Points, i: int) -> Curve:
    """Light curve ``i``."""
    a, b = points.offsets[i], points.offsets[i + 1]
    return Curve(
        points.time[a:b],
        points.flux[a:b],
        points.variance[a:b],
        points.band[a:b],
        points.correlation[i],
        points.factor_ceiling[i],
    )


@njit(cache=True, nogil=True, error_model="numpy")
def own_bands(curve: Curve) -> Curve:
    """The same light curve with only the bands that have points, numbered from 0. Results for these bands are exact,
    and cheaper."""
    place = np.full(N_BANDS, -1, np.int8)
    count = 0
    for i in range(len(curve.band)):
        if place[curve.band[i]] < 0:
            place[curve.band[i]] = count
            count += 1
    band, correlation = np.empty_like(curve.band), np.empty((count, count))
    for i in range(len(band)):
        band[i] = place[curve.band[i]]
    for p in range(N_BANDS):
        for q in range(N_BANDS):
            if place[p] >= 0 and place[q] >= 0:
                correlation[place[p], place[q]] = curve.correlation[p, q]
    return Curve(curve.time, curve.flux, curve.variance, band, correlation, curve.factor_ceiling)


@njit(cache=True, nogil=True, error_model="numpy")
def longest_of(points: Points) -> int:
    """Number of points of the longest light curve."""
    longest = 0
    for i in range(len(points.offsets) - 1):
        longest = max(longest, points.offsets[i + 1] - points.offsets[i])
    return longest


class Solutions(NamedTuple):
    """The results of the fits: log amplitude² ``x`` (nJy²), log timescale² ``y`` (days²), log-likelihood ``value``,
    ``converged`` and ``noise_factor`` f (n,), ``alpha`` = (K + f² variance)⁻¹ flux (points,), 1/nJy, and
    ``explained`` (n, 6, 3): the filter's known[f, f], known[f, g] and known[g, g] of each band after the last point,
    NaN for a backend without a filter. All are NaN and False for a light curve without points."""

    x: Array
    y: Array
    value: Array
    converged: NDArray[np.bool_]
    alpha: Array
    explained: Array
    noise_factor: Array


def unsolved(points: Points) -> Solutions:
    """Solutions before the fit: NaN and False."""
    n = len(points.offsets) - 1
    x, y, value, factor = np.full((4, n), np.nan)
    alpha, explained = np.full(len(points.time), np.nan), np.full((n, N_BANDS, 3), np.nan)
    return Solutions(x, y, value, np.zeros(n, np.bool_), alpha, explained, factor)


def peak_mjd(light_curves: LightCurves) -> Array:
    """Time of the most significant point of each light curve, MJD TAI, (n,); NaN without points."""
    typical = np.full(len(light_curves), np.nan)
    significance = light_curves.flux_njy / light_curves.flux_err_njy
    for i in np.flatnonzero(light_curves.n_points):
        of_alert = slice(light_curves.offsets[i], light_curves.offsets[i + 1])
        typical[i] = light_curves.time_mjd[of_alert][significance[of_alert].argmax()]
    return typical
