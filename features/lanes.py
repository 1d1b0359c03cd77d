"""The filter of :mod:`features.state_space` for several pairs of amplitude and timescale at once.

Every number of the filter becomes a vector of four (:mod:`features.vectors`), one for each trial point of the search,
so that four filters cost little more than one. ``explained`` is symmetric: for every pair of bands p ≤ q it is stored
once, as its elements [f_p, f_q], [f_p, g_q], [g_p, f_q] and [g_p, g_q], one vector after the other. One pass adds a
point and lets ``explained`` decay up to the next point.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from features import noise
from features.kernel import FASTMATH, LOG_2_PI, N_BANDS, SQRT3
from features.points import Curve
from features.search import TRIALS
from features.vectors import WIDTH, aligned, everywhere, exponential, load, store

LANES = TRIALS

# Offsets in the work space.
_PAIRS = N_BANDS * (N_BANDS + 1) // 2
_FF, _FG, _GF, _GG, _PAIR = 0, WIDTH, 2 * WIDTH, 3 * WIDTH, 4 * WIDTH
_MEAN_F = _PAIRS * _PAIR
_MEAN_G = _MEAN_F + N_BANDS * WIDTH
_GAIN_F = _MEAN_G + N_BANDS * WIDTH
_GAIN_G = _GAIN_F + N_BANDS * WIDTH
_SPARE = _GAIN_G + N_BANDS * WIDTH
_MISFIT = _SPARE + WIDTH
_SIZE = _MISFIT + WIDTH

_POINTS_PER_LOGARITHM = 8

Array = NDArray[np.float64]
_compiled = njit(cache=True, nogil=True, error_model="numpy", fastmath=FASTMATH)


def work_space() -> Array:
    """The work space of :func:`log_likelihoods`."""
    return aligned(_SIZE)


@_compiled
def log_likelihoods(x: Array, y: Array, curve: Curve, work: Array, out: Array) -> None:
    """Fill ``out`` (8,) with the log-likelihood at log (amplitude / f)² ``x`` (8,) and log timescale² ``y`` (8,), at
    the best noise factor f, with its prior (:mod:`features.noise`)."""
    n = len(curve.time)
    for first in range(0, LANES, WIDTH):
        _four(x, y, first, curve, work, out)
        for k in range(WIDTH):
            out[first + k] = -0.5 * (noise.loss(work[_MISFIT + k], n, curve.factor_ceiling) + out[first + k])


@_compiled
def _four(x: Array, y: Array, first: int, curve: Curve, work: Array, out: Array) -> None:
    """-2 log-likelihood of four: the misfit goes to the work space, the rest to ``out``."""
    time, bands, n = curve.time, len(curve.correlation), len(curve.time)
    zero, one = everywhere(0.0), everywhere(1.0)
    for k in range(0, _SPARE, WIDTH):
        store(work, k, zero)
    log_square = load(x, first)
    per_square, rate = exponential(zero - log_square), SQRT3 * exponential(-0.5 * load(y, first))
    misfit, volume, product = zero, zero, one
    for i in range(n):
        c = curve.band[i]
        _gain(work, curve.correlation, bands, c)
        spread = load(work, _GAIN_F + c * WIDTH) + curve.variance[i] * per_square
        residual, per_spread = curve.flux[i] - load(work, _MEAN_F + c * WIDTH), one / spread
        surprise = residual * per_spread
        misfit = misfit + residual * surprise
        product = product * spread
        if i % _POINTS_PER_LOGARITHM == _POINTS_PER_LOGARITHM - 1:
            volume = volume + _logarithm(product, work)
            product = one
        if i + 1 < n:
            s = rate * (time[i + 1] - time[i])
            decay = exponential(zero - s)
            _learn_and_fade_mean(work, bands, surprise, s, decay)
            _learn_and_fade_explained(work, bands, per_spread, s, decay * decay)
    volume = volume + _logarithm(product, work)
    constant = float(n) * (log_square + LOG_2_PI)
    store(work, _MISFIT, misfit * per_square)
    store(out, first, volume + constant)


@_compiled
def _gain(work: Array, correlation: Array, bands: int, band: int) -> None:
    """Column f_band of P / amplitude²."""
    for p in range(bands):
        low, high = min(p, band), max(p, band)
        pair = ((2 * bands - low + 1) * low // 2 + high - low) * _PAIR
        g = _GF if p <= band else _FG
        store(work, _GAIN_F + p * WIDTH, correlation[p, band] - load(work, pair + _FF))
        store(work, _GAIN_G + p * WIDTH, correlation[p, band] - load(work, pair + g))


@_compiled
def _learn_and_fade_mean(work: Array, bands: int, surprise: Array, s: Array, decay: Array) -> None:
    """Add a point, then advance to the time of the next; the last three arguments are vectors."""
    for k in range(0, bands * WIDTH, WIDTH):
        f = load(work, _MEAN_F + k) + load(work, _GAIN_F + k) * surprise
        g = load(work, _MEAN_G + k) + load(work, _GAIN_G + k) * surprise
        store(work, _MEAN_F + k, decay * (f + s * g))
        store(work, _MEAN_G + k, decay * g)


@_compiled
def _learn_and_fade_explained(work: Array, bands: int, per_spread: Array, s: Array, fall: Array) -> None:
    """The same for ``explained``; ``fall`` is the square of the decay."""
    k = 0
    for p in range(bands):
        share_f, share_g = load(work, _GAIN_F + p * WIDTH) * per_spread, load(work, _GAIN_G + p * WIDTH) * per_spread
        for q in range(p, bands):
            gain_f, gain_g = load(work, _GAIN_F + q * WIDTH), load(work, _GAIN_G + q * WIDTH)
            gg = load(work, k + _GG) + share_g * gain_g
            gf = load(work, k + _GF) + share_g * gain_f
            fg = load(work, k + _FG) + share_f * gain_g + s * gg
            ff = load(work, k + _FF) + share_f * gain_f + s * (gf + fg)
            store(work, k + _FF, fall * ff)
            store(work, k + _FG, fall * fg)
            store(work, k + _GF, fall * (gf + s * gg))
            store(work, k + _GG, fall * gg)
            k += _PAIR


@_compiled
def _logarithm(vector: Array, work: Array) -> Array:
    store(work, _SPARE, vector)
    for k in range(_SPARE, _MISFIT):
        work[k] = math.log(work[k])
    return load(work, _SPARE)
