"""The structure function of the common series: how the difference of two points grows with the time between them.

The model is a power law, rms difference = A (lag / 30 days)^gamma, after Schmidt et al. 2010 (arXiv:1002.2642), who use
one year instead of 30 days; the history of an alert may have only a month. Both points of a pair are in one band, and
their errors are subtracted. Only pairs 1, 2, 4, 8 ... points apart within a band are used, so that the cost grows
linearly with the number of points. Pairs are averaged in bins of half a decade of lag, and a straight line is fitted to
the bins.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from features.common_series import CommonSeries
from features.definition import LOG_FLUX, NUMBER, Feature, columns_by_name

Array = NDArray[np.float64]
_BLOCK, _SOURCE = "timescales", "arXiv:1002.2642"
LOG_LAG_LOWEST, LOG_LAG_STEP, BINS = -1.0, 0.5, 9
MIN_PAIRS = 3
MIN_POINTS = 6
PIVOT_DAYS = 30.0
LEAST = 1e-3
"""Lower limit of a bin's mean square difference less its noise, in variances. So a constant light curve has slope 0,
and amplitude √0.001 of its deviation."""

LEAST_LAG_SCATTER = 0.01
"""Bins whose lags differ by less than this, in log10, count as one lag: a slope through them would be rounding only."""

FEATURES = (
    Feature(
        "structure_amplitude",
        LOG_FLUX,
        _BLOCK,
        MIN_POINTS,
        "Root mean square change of flux over 30 days, by a power law through the structure function.",
        _SOURCE,
    ),
    Feature(
        "structure_slope",
        NUMBER,
        _BLOCK,
        MIN_POINTS,
        "Exponent of that power law: 0 for noise, 0.5 for a random walk, 1 for a steady trend.",
        _SOURCE,
    ),
)
COLUMN = columns_by_name(FEATURES)


@njit(cache=True, nogil=True, error_model="numpy")
def fit(series: CommonSeries, out: Array) -> None:
    """Fill ``out`` (n, features): A and gamma, NaN below 6 points, or without two bins of 3 pairs at
    different lags."""
    for i in range(len(series.scale_njy)):
        a, b = series.offsets[i], series.offsets[i + 1]
        if b - a < MIN_POINTS:
            continue
        count, square, lag = np.zeros(BINS), np.zeros(BINS), np.zeros(BINS)
        for k in range(6):
            chosen = np.flatnonzero(series.band[a:b] == k) + a
            _pairs(series.time, series.value, series.error, chosen, count, square, lag)
        n, x, y, xx, xy = 0.0, 0.0, 0.0, 0.0, 0.0
        for k in range(BINS):
            if count[k] >= MIN_PAIRS:
                u = lag[k] / count[k] - math.log10(PIVOT_DAYS)
                v = 0.5 * math.log10(max(square[k] / count[k], LEAST))
                n, x, y, xx, xy = n + 1.0, x + u, y + v, xx + u * u, xy + u * v
        determinant = n * xx - x * x
        if n >= 2.0 and determinant > (LEAST_LAG_SCATTER * n) ** 2:
            gamma = (n * xy - x * y) / determinant
            out[i, COLUMN.structure_amplitude] = (y - gamma * x) / n + math.log10(series.scale_njy[i])
            out[i, COLUMN.structure_slope] = gamma


@njit(cache=True, nogil=True, error_model="numpy")
def _pairs(
    time: Array, value: Array, error: Array, chosen: NDArray[np.int64], count: Array, square: Array, lag: Array
) -> None:
    apart = 1
    while apart < len(chosen):
        for j in range(len(chosen) - apart):
            p, q = chosen[j], chosen[j + apart]
            log_lag = math.log10(max(time[q] - time[p], 1e-9))
            k = math.floor((log_lag - LOG_LAG_LOWEST) / LOG_LAG_STEP)
            if 0 <= k < BINS:
                count[k] += 1.0
                lag[k] += log_lag
                square[k] += (value[q] - value[p]) ** 2 - error[p] ** 2 - error[q] ** 2
        apart *= 2
