"""The model shapes for transients: s(t) and its derivatives with respect to the parameters, for compiled loops.

Times are in days from the peak of the Gaussian process. Every model is an amplitude for each band times one shape
for all bands; the amplitudes have an exact solution (features.least_squares).

- ``EXPONENTIAL``: exp(-k t). Parameter k, 1/d.
- ``LINEAR``: 1 - k t. Parameter k, 1/d.
- ``SIGMOID``: 1 / (1 + exp(-x / rise)) with x = t - t0. Parameters t0, ln rise.
- ``BAZIN``: exp(-x / fall) / (1 + exp(-x / rise)) (Bazin et al. 2009, doi:10.1051/0004-6361/200911847, eq. 1, without
  its constant, which a difference flux does not need). Parameters t0, ln rise, ln fall.
- ``PLATEAU``: the supernova parametric model of Villar et al. 2019 (arXiv:1905.07422) as Sánchez-Sáez et al. 2021
  (arXiv:2008.03311, section 3) changed it: [(1 - beta x / gamma) (1 - g) + (1 - beta) exp(-(x - gamma) / fall) g] /
  (1 + exp(-x / rise)) with g = 1 / (1 + exp(-(x - gamma) / 3 d)). Parameters t0, ln rise, ln fall, ln gamma, beta.

Exponents are limited to :data:`HIGHEST_EXPONENT`, so that nothing overflows. Four points are computed at once.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from features.kernel import FASTMATH
from features.vectors import WIDTH, everywhere, exponential, if_negative, load, smaller, store

Array = NDArray[np.float64]
EXPONENTIAL, LINEAR, SIGMOID, BAZIN, PLATEAU = range(5)
PARAMETERS = (1, 1, 2, 3, 5)
MOST_PARAMETERS = max(PARAMETERS)
HIGHEST_EXPONENT = 40.0
JOIN_DAYS = 3.0
"""Width of the transition from the plateau to the decline, days (arXiv:2008.03311)."""

_compiled = njit(cache=True, nogil=True, error_model="numpy", fastmath=FASTMATH)


@_compiled
def shapes(model: int, time: Array, theta: Array, shape: Array, slopes: Array) -> None:
    """Fill ``shape`` (n,) and ``slopes`` (parameters, n) at ``time`` (n,), days from the peak; n is a multiple of 4."""
    if model == EXPONENTIAL:
        _exponential(time, theta, shape, slopes)
    elif model == LINEAR:
        _linear(time, theta, shape, slopes)
    elif model == SIGMOID:
        _sigmoid(time, theta, shape, slopes)
    elif model == BAZIN:
        _bazin(time, theta, shape, slopes)
    else:
        _plateau(time, theta, shape, slopes)


@_compiled
def _exponential(time: Array, theta: Array, shape: Array, slopes: Array) -> None:
    rate, of_rate = theta[0], slopes[0]
    for j in range(0, len(time), WIDTH):
        t = load(time, j)
        s = _capped(-rate * t)
        store(shape, j, s)
        store(of_rate, j, -1.0 * t * s)


@_compiled
def _linear(time: Array, theta: Array, shape: Array, slopes: Array) -> None:
    rate, of_rate = theta[0], slopes[0]
    for j in range(0, len(time), WIDTH):
        t = load(time, j)
        store(shape, j, 1.0 - rate * t)
        store(of_rate, j, -1.0 * t)


@_compiled
def _sigmoid(time: Array, theta: Array, shape: Array, slopes: Array) -> None:
    t0, per_rise = theta[0], math.exp(-theta[1])
    of_t0, of_rise = slopes[0], slopes[1]
    for j in range(0, len(time), WIDTH):
        z = (load(time, j) - t0) * per_rise
        e = _fading(z)
        share = 1.0 / (1.0 + e)
        bend = e * share * share
        store(shape, j, if_negative(z, e * share, share))
        store(of_t0, j, -per_rise * bend)
        store(of_rise, j, -1.0 * bend * z)


@_compiled
def _bazin(time: Array, theta: Array, shape: Array, slopes: Array) -> None:
    t0, per_rise, per_fall = theta[0], math.exp(-theta[1]), math.exp(-theta[2])
    of_t0, of_rise, of_fall = slopes[0], slopes[1], slopes[2]
    for j in range(0, len(time), WIDTH):
        x = load(time, j) - t0
        z = x * per_rise
        e = _fading(z)
        share = 1.0 / (1.0 + e)
        to_rise = if_negative(z, share, e * share)
        # below zero the two exponents are added first: each alone might overflow
        s = _capped(if_negative(x, x * (per_rise - per_fall), -per_fall * x)) * share
        store(shape, j, s)
        store(of_t0, j, s * (per_fall - to_rise * per_rise))
        store(of_rise, j, -1.0 * s * to_rise * z)
        store(of_fall, j, s * x * per_fall)


@_compiled
def _plateau(time: Array, theta: Array, shape: Array, slopes: Array) -> None:
    t0, per_rise, per_fall = theta[0], math.exp(-theta[1]), math.exp(-theta[2])
    gamma, beta = math.exp(theta[3]), theta[4]
    per_gamma, per_join, left = 1.0 / gamma, 1.0 / JOIN_DAYS, 1.0 - beta
    of_t0, of_rise, of_fall, of_gamma, of_beta = slopes[0], slopes[1], slopes[2], slopes[3], slopes[4]
    for j in range(0, len(time), WIDTH):
        x = load(time, j) - t0
        u, z = x - gamma, x * per_rise
        e, d = _fading(z), _fading(u * per_join)
        both = 1.0 / ((1.0 + e) * (1.0 + d))  # one division for two
        share, part = both * (1.0 + d), both * (1.0 + e)
        risen, to_rise = if_negative(z, e * share, share), if_negative(z, share, e * share)
        over, not_over = if_negative(u, d * part, part), if_negative(u, part, d * part)
        late = _capped(if_negative(u, u * (per_join - per_fall), -per_fall * u)) * part
        tail = left * late
        line, blend = 1.0 - beta * per_gamma * x, over * not_over * per_join
        body = line * not_over + tail
        tail_bend = tail * (not_over * per_join - per_fall)
        pull = line * blend - tail_bend
        store(shape, j, risen * body)
        store(of_t0, j, risen * (pull + beta * per_gamma * not_over - to_rise * per_rise * body))
        store(of_rise, j, -1.0 * risen * to_rise * body * z)
        store(of_fall, j, risen * tail * u * per_fall)
        store(of_gamma, j, gamma * risen * (beta * per_gamma * per_gamma * x * not_over + pull))
        store(of_beta, j, -1.0 * risen * (per_gamma * x * not_over + late))


@_compiled
def _fading(z: Any) -> Any:
    """exp(-|z|) of a vector."""
    return exponential(smaller(z, 0.0 - z))


@_compiled
def _capped(exponent: Any) -> Any:
    """exp of a vector, with its numbers limited to the highest exponent."""
    return exponential(smaller(exponent, everywhere(HIGHEST_EXPONENT)))
