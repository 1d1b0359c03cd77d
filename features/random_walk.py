"""A damped random walk fitted to the common series of all bands.

Covariance sigma² exp(-|t - t'| / tau) (Kelly, Bechtold & Siemiginowska 2009, arXiv:0903.5315; MacLeod et al. 2010,
arXiv:1004.0276). The likelihood is exact and takes one pass over the points (a Kalman filter of one state). It is
evaluated on a fixed grid of tau and sigma; a parabola in log tau and log sigma through the highest value and its
neighbours gives the maximum. The fit is coarse. The points constrain sigma² / tau best; along that ridge, between the
steps of the grid in sigma, tau is wrong by up to half a decade. If the light curve is too short to constrain tau, the
result is the edge of the grid. This is also the result for a constant light curve: tau is 1,000 days, sigma 0.18 of its
deviation, and the gain almost 0.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from features.common_series import CommonSeries
from features.definition import LOG_DAYS, LOG_FLUX, NUMBER, Feature, columns_by_name
from features.kernel import FASTMATH, LOG_2_PI
from features.vectors import WIDTH, everywhere, exponential, load, store

Array = NDArray[np.float64]
_BLOCK, _SOURCE = "timescales", "arXiv:0903.5315"
MIN_POINTS = 6
LOG_TAU_DAYS = np.linspace(-0.5, 3.0, 8)
LOG_SIGMA = np.linspace(-0.75, 0.75, WIDTH)
"""log10 of tau in days, and of sigma in standard deviations of the series: if a walk is much slower
than the light curve is long, only a part of its range is observed, and its sigma is larger than the observed one."""

_RATES = 10.0**-LOG_TAU_DAYS
_VARIANCES = 10.0 ** (2.0 * LOG_SIGMA)
_POINTS_PER_LOG = 16

FEATURES = (
    Feature(
        "walk_timescale",
        LOG_DAYS,
        _BLOCK,
        MIN_POINTS,
        "Damping time tau of a damped random walk.",
        _SOURCE,
        (-0.5, 3.0),
    ),
    Feature(
        "walk_amplitude", LOG_FLUX, _BLOCK, MIN_POINTS, "Standard deviation sigma of the damped random walk.", _SOURCE
    ),
    Feature(
        "walk_gain",
        NUMBER,
        _BLOCK,
        MIN_POINTS,
        "asinh of the gain in log-likelihood a point of the damped random walk over white noise.",
        _SOURCE,
    ),
)
COLUMN = columns_by_name(FEATURES)


@njit(cache=True, nogil=True, error_model="numpy")
def fit(series: CommonSeries, out: Array) -> None:
    """Fill ``out`` (n, features) with :data:`FEATURES`; white noise has the same variance. NaN below 6 points."""
    table = np.empty((len(_RATES), WIDTH))
    for i in range(len(series.scale_njy)):
        a, b = series.offsets[i], series.offsets[i + 1]
        if b - a < MIN_POINTS or not series.time[b - 1] > 0.0:
            continue
        time, value, error = series.time[a:b], series.value[a:b], series.error[a:b]
        best_t, best_s = 0, 0
        decay = decays(time, _RATES)
        for t in range(len(_RATES)):
            log_likelihoods(decay[:, t], value, error, _VARIANCES, table[t])
            for s in range(WIDTH):
                if table[t, s] > table[best_t, best_s]:
                    best_t, best_s = t, s
        if not math.isfinite(table[best_t, best_s]):
            continue
        tau = _summit(table[:, best_s], best_t)
        sigma = _summit(table[best_t], best_s)
        out[i, COLUMN.walk_timescale] = LOG_TAU_DAYS[0] + tau * (LOG_TAU_DAYS[1] - LOG_TAU_DAYS[0])
        out[i, COLUMN.walk_amplitude] = (
            math.log10(series.scale_njy[i]) + LOG_SIGMA[0] + sigma * (LOG_SIGMA[1] - LOG_SIGMA[0])
        )
        out[i, COLUMN.walk_gain] = math.asinh((table[best_t, best_s] - _white(value, error)) / (b - a))


@njit(cache=True, nogil=True, error_model="numpy")
def _summit(values: Array, best: int) -> float:
    """The position of the maximum among values at 0, 1, 2 ..., by a parabola; at an edge, the edge."""
    if 0 < best < len(values) - 1:
        bend = values[best - 1] - 2.0 * values[best] + values[best + 1]
        if bend < 0.0:
            return best + 0.5 * (values[best - 1] - values[best + 1]) / bend
    return float(best)


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FASTMATH)
def decays(time: Array, rate: Array) -> Array:
    """exp(-rate × the time since the point before), shape (n, rates): 0 for the first point."""
    decay = np.zeros((len(time), len(rate)))
    for j in range(1, len(time)):
        row, since = decay[j], time[j] - time[j - 1]
        for t in range(0, len(rate), WIDTH):
            store(row, t, exponential(-since * load(rate, t)))
    return decay


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FASTMATH)
def log_likelihoods(decay: Array, value: Array, error: Array, variance: Array, out: Array) -> None:
    """The log-likelihoods ``out`` (4,) of a walk that decays between points by ``decay`` (n,), for each ``variance``
    (4,) = sigma²; all four are computed at once."""
    sigma2 = load(variance, 0)
    mean, spread, misfit, product = everywhere(0.0), sigma2, everywhere(0.0), everywhere(1.0)
    volume, determinant = np.full(WIDTH, LOG_2_PI * len(value)), np.empty(WIDTH)
    for j in range(len(value)):
        fall = decay[j]
        square = fall * fall
        prior = square * spread + (1.0 - square) * sigma2
        variance_of_value = prior + error[j] * error[j]
        surprise = value[j] - fall * mean
        per_variance = 1.0 / variance_of_value
        gain = prior * per_variance
        mean = fall * mean + gain * surprise
        spread = prior - gain * prior
        misfit = misfit + surprise * surprise * per_variance
        product = product * variance_of_value
        if j % _POINTS_PER_LOG == _POINTS_PER_LOG - 1 or j == len(value) - 1:
            store(determinant, 0, product)
            for s in range(WIDTH):
                volume[s] += math.log(determinant[s])
            product = everywhere(1.0)
    store(out, 0, -0.5 * (misfit + load(volume, 0)))


@njit(cache=True, nogil=True, error_model="numpy")
def _white(value: Array, error: Array) -> float:
    """The log-likelihood of independent values with the variance in excess of the errors."""
    beyond = max((value * value).mean() - (error * error).mean(), 0.0)
    total = 0.0
    for j in range(len(value)):
        variance = beyond + error[j] * error[j]
        total -= 0.5 * (value[j] * value[j] / variance + math.log(variance) + LOG_2_PI)
    return total
