"""The shapes that transients are fitted with: s(t), and its derivatives in the parameters, for compiled loops.

Times are in days from the peak of the Gaussian process. Every model is an amplitude for each band times one shape
for all bands; the amplitudes are solved for exactly (features.least_squares).

- ``EXPONENTIAL``: exp(-k t). Parameter k, 1/d.
- ``LINEAR``: 1 - k t. Parameter k, 1/d.
- ``SIGMOID``: 1 / (1 + exp(-x / rise)) with x = t - t0. Parameters t0, ln rise.
- ``BAZIN``: exp(-x / fall) / (1 + exp(-x / rise)) (Bazin et al. 2009, doi:10.1051/0004-6361/200911847, eq. 1, without
  its constant, which a difference flux does not need). Parameters t0, ln rise, ln fall.
- ``PLATEAU``: the supernova parametric model of Villar et al. 2019 (arXiv:1905.07422) as Sánchez-Sáez et al. 2021
  (arXiv:2008.03311, section 3) changed it: [(1 - beta x / gamma) (1 - g) + (1 - beta) exp(-(x - gamma) / fall) g] /
  (1 + exp(-x / rise)) with g = 1 / (1 + exp(-(x - gamma) / 3 d)). Parameters t0, ln rise, ln fall, ln gamma, beta.

No exponent is let above :data:`HIGHEST_EXPONENT`, so that nothing overflows.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from features.kernel import FASTMATH

Array = NDArray[np.float64]
EXPONENTIAL, LINEAR, SIGMOID, BAZIN, PLATEAU = range(5)
PARAMETERS = (1, 1, 2, 3, 5)
MOST_PARAMETERS = max(PARAMETERS)
HIGHEST_EXPONENT = 40.0
JOIN_DAYS = 3.0
"""Width over which the plateau goes over into the decline, days (arXiv:2008.03311)."""

_compiled = njit(cache=True, nogil=True, error_model="numpy", fastmath=FASTMATH)


@_compiled
def shapes(model: int, time: Array, theta: Array, shape: Array, slopes: Array) -> None:
    """Fill ``shape`` (n,) and ``slopes`` (parameters, n) at ``time`` (n,), days from the peak."""
    if model == EXPONENTIAL:
        for j in range(len(time)):
            shape[j] = math.exp(min(-theta[0] * time[j], HIGHEST_EXPONENT))
            slopes[0, j] = -time[j] * shape[j]
    elif model == LINEAR:
        for j in range(len(time)):
            shape[j] = 1.0 - theta[0] * time[j]
            slopes[0, j] = -time[j]
    elif model == SIGMOID:
        per_rise = math.exp(-theta[1])
        for j in range(len(time)):
            x = (time[j] - theta[0]) * per_rise
            s = _logistic(x)
            shape[j], bend = s, s * (1.0 - s)
            slopes[0, j], slopes[1, j] = -bend * per_rise, -bend * x
    elif model == BAZIN:
        _bazin(time, theta, shape, slopes)
    else:
        _plateau(time, theta, shape, slopes)


@_compiled
def _logistic(x: float) -> float:
    e = math.exp(-min(abs(x), HIGHEST_EXPONENT))
    return 1.0 / (1.0 + e) if x >= 0.0 else e / (1.0 + e)


@_compiled
def _bazin(time: Array, theta: Array, shape: Array, slopes: Array) -> None:
    per_rise, per_fall = math.exp(-theta[1]), math.exp(-theta[2])
    for j in range(len(time)):
        x = time[j] - theta[0]
        e = math.exp(-min(abs(x) * per_rise, HIGHEST_EXPONENT))
        risen = 1.0 / (1.0 + e) if x >= 0.0 else e / (1.0 + e)
        # below zero the two exponents are added first: neither may overflow alone
        exponent = -x * per_fall if x >= 0.0 else x * (per_rise - per_fall)
        s = math.exp(min(exponent, HIGHEST_EXPONENT)) / (1.0 + e)
        shape[j] = s
        slopes[0, j] = s * (per_fall - (1.0 - risen) * per_rise)
        slopes[1, j] = -s * (1.0 - risen) * x * per_rise
        slopes[2, j] = s * x * per_fall


@_compiled
def _plateau(time: Array, theta: Array, shape: Array, slopes: Array) -> None:
    per_rise, per_fall, gamma, beta = math.exp(-theta[1]), math.exp(-theta[2]), math.exp(theta[3]), theta[4]
    per_gamma, per_join = 1.0 / gamma, 1.0 / JOIN_DAYS
    for j in range(len(time)):
        x = time[j] - theta[0]
        u = x - gamma
        risen = _logistic(x * per_rise)
        e = math.exp(-min(abs(u) * per_join, HIGHEST_EXPONENT))
        over = 1.0 / (1.0 + e) if u >= 0.0 else e / (1.0 + e)
        exponent = -u * per_fall if u >= 0.0 else u * (per_join - per_fall)
        tail = math.exp(min(exponent, HIGHEST_EXPONENT)) / (1.0 + e)
        line, blend = 1.0 - beta * x * per_gamma, over * (1.0 - over) * per_join
        body = line * (1.0 - over) + (1.0 - beta) * tail
        tail_bend = tail * ((1.0 - over) * per_join - per_fall)
        steepness = -beta * per_gamma * (1.0 - over) - line * blend + (1.0 - beta) * tail_bend
        shape[j] = risen * body
        slopes[0, j] = -risen * ((1.0 - risen) * per_rise * body + steepness)
        slopes[1, j] = -risen * (1.0 - risen) * body * x * per_rise
        slopes[2, j] = risen * (1.0 - beta) * tail * u * per_fall
        slopes[3, j] = risen * gamma * (beta * x * per_gamma * per_gamma * (1.0 - over) + line * blend)
        slopes[3, j] -= risen * gamma * (1.0 - beta) * tail_bend
        slopes[4, j] = -risen * (x * per_gamma * (1.0 - over) + tail)
