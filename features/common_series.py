"""All bands of a light curve as one series: each point less the mean of its band, over the standard deviation of the
band.

If the bands of a source vary together (pulsating stars, quasars, eclipses), this gives one well-sampled series instead
of six sparse ones. The mean of a band is weighted by the errors; the standard deviation is around that mean, with m - 1
degrees of freedom. Bands with one point are left out. A band whose m points are constant within rounding
(:mod:`features.rounding`) has the value 0 everywhere; its standard deviation is then the root of the sum of squared
errors over m - 1. With a single band the series is the flux, shifted and scaled.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from features.band_moments import BandMoments, moments_of, residual
from schemas.light_curves import BANDS, LightCurves

Array = NDArray[np.float64]
_N_BANDS = len(BANDS)


class CommonSeries(NamedTuple):
    """The series of n light curves: points ``offsets[i]:offsets[i + 1]`` belong to light curve ``i``.

    ``time`` in days since the first of them, ``value`` and ``error`` in standard deviations of the band, ``band``;
    ``scale_njy`` (n,): the root mean square of the standard deviations of the points, NaN for a series without points.
    """

    offsets: NDArray[np.int64]
    time: Array
    value: Array
    error: Array
    band: NDArray[np.int8]
    scale_njy: Array


def common_series(curves: LightCurves) -> CommonSeries:
    """The series of every light curve, with its points in the order of the light curve."""
    n, points = len(curves), len(curves.time_mjd)
    series = CommonSeries(
        np.zeros(n + 1, np.int64),
        np.empty(points),
        np.empty(points),
        np.empty(points),
        np.empty(points, np.int8),
        np.full(n, np.nan),
    )
    _fill(curves.offsets, curves.time_mjd, curves.flux_njy, curves.flux_err_njy, curves.band, series)
    return series


@njit(cache=True, nogil=True, error_model="numpy")
def _fill(
    offsets: NDArray[np.int64], time: Array, flux: Array, error: Array, band: NDArray[np.int8], series: CommonSeries
) -> None:
    at = 0
    for i in range(len(offsets) - 1):
        a, b = offsets[i], offsets[i + 1]
        moments = moments_of(flux[a:b], error[a:b], band[a:b])
        deviation = _deviations(moments)
        first, square, origin = at, 0.0, np.nan
        for j in range(a, b):
            k = band[j]
            if math.isfinite(deviation[k]) and deviation[k] > 0.0:
                origin = time[j] if at == first else origin
                series.time[at] = time[j] - origin
                series.value[at] = residual(flux[j], k, moments) / deviation[k]
                series.error[at] = error[j] / deviation[k]
                series.band[at] = k
                square += deviation[k] * deviation[k]
                at += 1
        series.offsets[i + 1] = at
        if at > first:
            series.scale_njy[i] = math.sqrt(square / (at - first))


@njit(cache=True, nogil=True, error_model="numpy")
def _deviations(moments: BandMoments) -> Array:
    """The standard deviation of each band; NaN for a band with fewer than two points."""
    deviation = np.full(_N_BANDS, np.nan)
    for k in range(_N_BANDS):
        if moments.n_points[k] > 1.0:
            square = moments.square[k] if moments.square[k] > 0.0 else moments.noise[k]
            deviation[k] = math.sqrt(square / (moments.n_points[k] - 1.0))
    return deviation
