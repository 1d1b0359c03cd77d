"""The Gaussian process by Cholesky factorisation of the whole covariance matrix: exact, and simple enough to check
by eye.

Its time grows with the cube of the number of points, its memory with the square. It is an independent check of the
linear-time backend: the two share only the search for the maximum of the likelihood.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from features import noise
from features import search as searching
from features.kernel import FASTMATH, LOG_2_PI, N_BANDS, SQRT3, matern
from features.points import Curve, Points, Solutions, curve_of

Array = NDArray[np.float64]
_compiled = njit(cache=True, nogil=True, error_model="numpy", fastmath=FASTMATH)


@_compiled
def log_likelihood(x: float, y: float, curve: Curve, factor: Array, white: Array) -> float:
    """Natural log of the likelihood at log amplitude² ``x`` (nJy²) and log timescale² ``y`` (days²); -inf if the
    matrix cannot be factored.

    On return ``factor`` (points, points) holds the lower Cholesky factor, ``white`` (points,) the whitened flux.
    """
    square, rate = math.exp(x), SQRT3 * math.exp(-0.5 * y)
    time, band = curve.time, curve.band
    total = len(time) * LOG_2_PI
    for i in range(len(time)):
        for j in range(i + 1):
            value = square * curve.correlation[band[i], band[j]] * matern(rate * (time[i] - time[j]))
            if i == j:
                value += curve.variance[i]
            for k in range(j):
                value -= factor[i, k] * factor[j, k]
            if i > j:
                factor[i, j] = value / factor[j, j]
            elif value > 0.0:
                factor[i, i] = math.sqrt(value)
            else:
                return -np.inf
        white[i] = curve.flux[i]
        for k in range(i):
            white[i] -= factor[i, k] * white[k]
        white[i] /= factor[i, i]
        total += white[i] * white[i] + 2.0 * math.log(factor[i, i])
    return -0.5 * total


@_compiled
def _solve_transposed(factor: Array, solution: Array) -> None:
    """Turn the whitened flux into α = (K + variance)⁻¹ flux, in place."""
    for i in range(len(solution) - 1, -1, -1):
        for k in range(i + 1, len(solution)):
            solution[i] -= factor[k, i] * solution[k]
        solution[i] /= factor[i, i]


@_compiled
def fit(points: Points, start: Array, solutions: Solutions) -> None:
    """Fit every light curve; ``start`` (n, 2): log (amplitude / f)², log timescale² where the search begins, or NaN."""
    search = np.empty(searching.SIZE)
    trial_x, trial_y, values = np.empty(searching.TRIALS), np.empty(searching.TRIALS), np.empty(searching.TRIALS)
    for i in range(len(points.offsets) - 1):
        a, b = points.offsets[i], points.offsets[i + 1]
        if a == b:
            continue
        curve, factor, alpha = curve_of(points, i), np.empty((b - a, b - a)), solutions.alpha[a:b]
        searching.begin(search, curve.flux, curve.variance, start[i, 0], start[i, 1])
        while search[searching.STATUS] == searching.RUNNING:
            searching.propose(search, trial_x, trial_y)
            for k in range(searching.TRIALS):
                values[k] = log_likelihood(trial_x[k], trial_y[k], curve, factor, alpha)
                misfit = (alpha * alpha).sum()
                values[k] += 0.5 * (misfit - noise.loss(misfit, b - a, curve.factor_ceiling))
            searching.advance(search, trial_x, trial_y, values)
        x, y = search[searching.X], search[searching.Y]
        value = log_likelihood(x, y, curve, factor, alpha)
        misfit = (alpha * alpha).sum()
        u = noise.log_factor2(misfit, b - a, curve.factor_ceiling)
        solutions.x[i], solutions.y[i], solutions.noise_factor[i] = x + u, y, math.exp(0.5 * u)
        solutions.value[i] = value + 0.5 * (misfit * (1.0 - math.exp(-u)) - (b - a) * u)
        converged = search[searching.STATUS] == searching.CONVERGED
        solutions.converged[i] = converged and math.isfinite(solutions.value[i])
        _solve_transposed(factor, alpha)
        alpha *= math.exp(-u)


@_compiled
def predict(points: Points, x: Array, y: Array, wanted: Array, out_mean: Array, out_std: Array) -> None:
    """Mean and standard deviation at the wanted times; arguments as in :func:`features.smoother.predict`."""
    for i in range(len(points.offsets) - 1):
        curve = curve_of(points, i)
        n = len(curve.time)
        if not math.isfinite(x[i] + y[i]) or n == 0:
            out_mean[i] = np.nan
            out_std[i] = np.nan
            continue
        factor, white, column = np.empty((n, n)), np.empty(n), np.empty(n)
        log_likelihood(x[i], y[i], curve, factor, white)
        square, rate = math.exp(x[i]), SQRT3 * math.exp(-0.5 * y[i])
        for p in range(N_BANDS):
            for j in range(wanted.shape[1]):
                mean, unknown = 0.0, square
                for k in range(n):
                    distance = abs(wanted[i, j] - curve.time[k])
                    column[k] = square * curve.correlation[p, curve.band[k]] * matern(rate * distance)
                    for m in range(k):
                        column[k] -= factor[k, m] * column[m]
                    column[k] /= factor[k, k]
                    mean += column[k] * white[k]
                    unknown -= column[k] * column[k]
                out_mean[i, p, j] = mean
                out_std[i, p, j] = math.sqrt(max(unknown, 0.0))
