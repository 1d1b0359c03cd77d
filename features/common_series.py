"""All bands of a light curve as one series: each point less its band's mean, over its band's standard deviation.

Sources whose bands vary together (pulsating stars, quasars, eclipses) then give one well-sampled series instead of
six sparse ones. The mean of a band is weighted by the errors, its standard deviation is taken about that mean with
m - 1 degrees of freedom; bands with one point are left out. For a band that does not vary at all the deviation is
its root mean square error. With a single band the series is the flux, shifted and scaled.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from schemas.light_curves import BANDS, LightCurves

Array = NDArray[np.float64]
_N_BANDS = len(BANDS)


class CommonSeries(NamedTuple):
    """The series of n light curves: points ``offsets[i]:offsets[i + 1]`` belong to light curve ``i``.

    ``time`` in days since the first of them, ``value`` and ``error`` in standard deviations of the band, ``band``;
    ``scale_njy`` (n,): the root mean square of the points' standard deviations, NaN for a series without points.
    """

    offsets: NDArray[np.int64]
    time: Array
    value: Array
    error: Array
    band: NDArray[np.int8]
    scale_njy: Array


def common_series(curves: LightCurves) -> CommonSeries:
    """The series of every light curve; its points are in the order of the light curve's."""
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
    mean, spread, at = np.empty(_N_BANDS), np.empty(_N_BANDS), 0
    for i in range(len(offsets) - 1):
        a, b = offsets[i], offsets[i + 1]
        _moments(flux[a:b], error[a:b], band[a:b], mean, spread)
        first, square, origin = at, 0.0, np.nan
        for j in range(a, b):
            k = band[j]
            if math.isfinite(spread[k]) and spread[k] > 0.0:
                origin = time[j] if at == first else origin
                series.time[at] = time[j] - origin
                series.value[at], series.error[at] = (flux[j] - mean[k]) / spread[k], error[j] / spread[k]
                series.band[at] = k
                square += spread[k] * spread[k]
                at += 1
        series.offsets[i + 1] = at
        if at > first:
            series.scale_njy[i] = math.sqrt(square / (at - first))


@njit(cache=True, nogil=True, error_model="numpy")
def _moments(flux: Array, error: Array, band: NDArray[np.int8], mean: Array, spread: Array) -> None:
    """Weighted mean and standard deviation of each band; the latter NaN for a band with fewer than two points."""
    count, weight, noise = np.zeros(_N_BANDS), np.zeros(_N_BANDS), np.zeros(_N_BANDS)
    mean[:], spread[:] = 0.0, 0.0
    for j in range(len(flux)):
        k, w = band[j], 1.0 / (error[j] * error[j])
        count[k], weight[k], mean[k] = count[k] + 1.0, weight[k] + w, mean[k] + w * flux[j]
        noise[k] += error[j] * error[j]
    for k in range(_N_BANDS):
        mean[k] /= weight[k]
    for j in range(len(flux)):
        spread[band[j]] += (flux[j] - mean[band[j]]) ** 2
    for k in range(_N_BANDS):
        spread[k] = (
            math.sqrt((spread[k] if spread[k] > 0.0 else noise[k]) / (count[k] - 1.0)) if count[k] > 1.0 else np.nan
        )
