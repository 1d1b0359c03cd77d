"""The Gaussian process by Cholesky factorisation of the whole covariance matrix: exact, and simple enough to check by eye.

Its time grows with the cube of the number of points and its memory with the square. It serves as an independent check of
the linear-time backend, with which it shares the search for the greatest likelihood and nothing else.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from features import search as searching
from features.kernel import FASTMATH, LOG_2_PI, N_BANDS, SQRT3, matern

Array = NDArray[np.float64]
_compiled = njit(cache=True, nogil=True, error_model="numpy", fastmath=FASTMATH)


@_compiled
def log_likelihood(
    x: float, y: float, time: Array, flux: Array, variance: Array, band: NDArray[np.int8], correlation: Array,
    factor: Array, solution: Array,
) -> float:  # fmt: skip
    """Natural log of the likelihood at log amplitude² ``x`` (nJy²) and log timescale² ``y`` (days²); -inf where the matrix can't be factored.

    On return ``factor`` (points, points) holds the lower Cholesky factor, ``solution`` (points,) the whitened flux.
    """
    square, rate = math.exp(x), SQRT3 * math.exp(-0.5 * y)
    total = len(time) * LOG_2_PI
    for i in range(len(time)):
        for j in range(i + 1):
            value = square * correlation[band[i], band[j]] * matern(rate * (time[i] - time[j]))
            if i == j:
                value += variance[i]
            for k in range(j):
                value -= factor[i, k] * factor[j, k]
            if i > j:
                factor[i, j] = value / factor[j, j]
            elif value > 0.0:
                factor[i, i] = math.sqrt(value)
            else:
                return -np.inf
        solution[i] = flux[i]
        for k in range(i):
            solution[i] -= factor[i, k] * solution[k]
        solution[i] /= factor[i, i]
        total += solution[i] * solution[i] + 2.0 * math.log(factor[i, i])
    return -0.5 * total


@_compiled
def _solve_transposed(factor: Array, solution: Array) -> None:
    """Turn the whitened flux into α = (K + variance)⁻¹ flux, in place."""
    for i in range(len(solution) - 1, -1, -1):
        for k in range(i + 1, len(solution)):
            solution[i] -= factor[k, i] * solution[k]
        solution[i] /= factor[i, i]


@_compiled
def fit(
    offsets: NDArray[np.int64], time: Array, flux: Array, variance: Array, band: NDArray[np.int8],
    correlations: Array, start: Array, x: Array, y: Array, value: Array, converged: NDArray[np.bool_], alpha: Array,
) -> None:  # fmt: skip
    """Fit every light curve; arguments and results as in :func:`features.state_space.fit`."""
    search = np.empty(searching.SIZE)
    trial_x, trial_y, values = np.empty(searching.TRIALS), np.empty(searching.TRIALS), np.empty(searching.TRIALS)
    for i in range(len(offsets) - 1):
        a, b = offsets[i], offsets[i + 1]
        x[i], y[i], value[i], converged[i] = np.nan, np.nan, np.nan, False
        alpha[a:b] = np.nan
        if a == b:
            continue
        t, f, v, c, correlation = time[a:b], flux[a:b], variance[a:b], band[a:b], correlations[i]
        factor = np.empty((b - a, b - a))
        searching.begin(search, f, v, start[i, 0], start[i, 1])
        while search[searching.STATUS] == searching.RUNNING:
            searching.propose(search, trial_x, trial_y)
            for k in range(searching.TRIALS):
                values[k] = log_likelihood(trial_x[k], trial_y[k], t, f, v, c, correlation, factor, alpha[a:b])
            searching.advance(search, trial_x, trial_y, values)
        x[i], y[i] = search[searching.X], search[searching.Y]
        value[i] = log_likelihood(x[i], y[i], t, f, v, c, correlation, factor, alpha[a:b])
        converged[i] = search[searching.STATUS] == searching.CONVERGED and math.isfinite(value[i])
        _solve_transposed(factor, alpha[a:b])


@_compiled
def predict(
    offsets: NDArray[np.int64], time: Array, flux: Array, variance: Array, band: NDArray[np.int8],
    correlations: Array, x: Array, y: Array, wanted: Array, out_mean: Array, out_std: Array,
) -> None:  # fmt: skip
    """Mean and standard deviation at the wanted times; arguments as in :func:`features.smoother.predict`."""
    for i in range(len(offsets) - 1):
        a, b = offsets[i], offsets[i + 1]
        if not math.isfinite(x[i] + y[i]) or a == b:
            out_mean[i] = np.nan
            out_std[i] = np.nan
            continue
        factor, white, column = np.empty((b - a, b - a)), np.empty(b - a), np.empty(b - a)
        log_likelihood(x[i], y[i], time[a:b], flux[a:b], variance[a:b], band[a:b], correlations[i], factor, white)
        square, rate = math.exp(x[i]), SQRT3 * math.exp(-0.5 * y[i])
        for p in range(N_BANDS):
            for j in range(wanted.shape[1]):
                mean, unknown = 0.0, square
                for k in range(b - a):
                    distance = abs(wanted[i, j] - time[a + k])
                    column[k] = square * correlations[i, p, band[a + k]] * matern(rate * distance)
                    for m in range(k):
                        column[k] -= factor[k, m] * column[m]
                    column[k] /= factor[k, k]
                    mean += column[k] * white[k]
                    unknown -= column[k] * column[k]
                out_mean[i, p, j] = mean
                out_std[i, p, j] = math.sqrt(max(unknown, 0.0))
