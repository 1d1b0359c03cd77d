"""The filter of :mod:`features.state_space` for eight pairs of amplitude and timescale side by side.

Every number of the filter becomes a row of eight, one for each trial point of the search, so that the processor's
vector instructions work on eight filters at the price of one or two. The layout is all that differs: ``known`` is
four blocks (ff, fg, gf, gg), each of the 21 pairs of bands p ≤ q times eight lanes, flat; block fg holds
known[f_p, g_q]. Vectors such as the mean hold f of six bands, then g of six bands, times eight lanes.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from features.kernel import FASTMATH, LOG_2_PI, N_BANDS, SQRT3
from features.points import Curve
from features.search import TRIALS

LANES = TRIALS
_BLOCK = N_BANDS * (N_BANDS + 1) // 2 * LANES
_HALF = N_BANDS * LANES
_FF, _FG, _GF, _GG = 0, _BLOCK, 2 * _BLOCK, 3 * _BLOCK
_POINTS_PER_LOGARITHM = 4

_PAIR = np.zeros((N_BANDS, N_BANDS), np.int64)  # where the pair (p, q) begins in a block
_PAIR[np.triu_indices(N_BANDS)] = np.arange(_BLOCK // LANES) * LANES
_PAIR = np.maximum(_PAIR, _PAIR.T)

Array = NDArray[np.float64]
_compiled = njit(cache=True, nogil=True, error_model="numpy", fastmath=FASTMATH)

WORK = 4 * _BLOCK + 2 * _HALF + 2 * _HALF + 4 * _BLOCK
"""Numbers of work space that :func:`log_likelihoods` needs."""


@_compiled
def log_likelihoods(x: Array, y: Array, curve: Curve, work: Array, out: Array) -> None:
    """Fill ``out`` (8,) with the log-likelihood at log amplitude² ``x`` (8,) and log timescale² ``y`` (8,)."""
    known, mean = work[: 4 * _BLOCK], work[4 * _BLOCK : 4 * _BLOCK + 2 * _HALF]
    gain = work[4 * _BLOCK + 2 * _HALF : 4 * _BLOCK + 4 * _HALF]
    tiles = work[4 * _BLOCK + 4 * _HALF :]
    known[:] = 0.0
    mean[:] = 0.0
    per_square, rate, misfit = np.empty(LANES), np.empty(LANES), np.zeros(LANES)
    volume, product, s, decay = np.zeros(LANES), np.ones(LANES), np.empty(LANES), np.empty(LANES)
    per_spread, surprise = np.empty(LANES), np.empty(LANES)
    for lane in range(LANES):
        per_square[lane], rate[lane] = math.exp(-x[lane]), SQRT3 * math.exp(-0.5 * y[lane])
    for i in range(len(curve.time)):
        days = curve.time[i] - curve.time[i - 1] if i > 0 else 0.0
        if days > 0.0:
            for lane in range(LANES):
                s[lane] = rate[lane] * days
                decay[lane] = math.exp(-s[lane])
            _fade(known, mean, s, decay, tiles)
        c = curve.band[i]
        _gain(known, curve.correlation, c, gain)
        own = c * LANES
        for lane in range(LANES):
            spread = gain[own + lane] + curve.variance[i] * per_square[lane]
            per_spread[lane] = 1.0 / spread
            residual = curve.flux[i] - mean[own + lane]
            surprise[lane] = residual * per_spread[lane]
            misfit[lane] += residual * surprise[lane]
            product[lane] *= spread
        if i % _POINTS_PER_LOGARITHM == _POINTS_PER_LOGARITHM - 1:
            for lane in range(LANES):
                volume[lane] += math.log(product[lane])
                product[lane] = 1.0
        _learn(known, mean, gain, surprise, per_spread, tiles)
    for lane in range(LANES):
        volume[lane] += math.log(product[lane])
        constant = len(curve.time) * (x[lane] + LOG_2_PI)
        out[lane] = -0.5 * (misfit[lane] * per_square[lane] + volume[lane] + constant)


@_compiled
def _fade(known: Array, mean: Array, s: Array, decay: Array, tiles: Array) -> None:
    """Let time pass."""
    for start in range(0, _BLOCK, LANES):
        for lane in range(LANES):
            tiles[start + lane] = s[lane]
            tiles[_BLOCK + start + lane] = decay[lane] * decay[lane]
    for k in range(_BLOCK):
        step, fall, gf, gg = tiles[k], tiles[_BLOCK + k], known[_GF + k], known[_GG + k]
        fg = known[_FG + k] + step * gg
        known[_FF + k] = fall * (known[_FF + k] + step * (gf + fg))
        known[_FG + k] = fall * fg
        known[_GF + k] = fall * (gf + step * gg)
        known[_GG + k] = fall * gg
    for p in range(N_BANDS):
        for lane in range(LANES):
            k = p * LANES + lane
            mean[k] = decay[lane] * (mean[k] + s[lane] * mean[_HALF + k])
            mean[_HALF + k] *= decay[lane]


@_compiled
def _gain(known: Array, correlation: Array, band: int, gain: Array) -> None:
    """Column f_band of P / amplitude²."""
    for p in range(N_BANDS):
        ff = _PAIR[p, band]
        gf = ff + (_GF if p <= band else _FG)  # the pair is kept as (smaller, larger)
        for lane in range(LANES):
            gain[p * LANES + lane] = correlation[p, band] - known[ff + lane]
            gain[_HALF + p * LANES + lane] = correlation[p, band] - known[gf + lane]


@_compiled
def _learn(known: Array, mean: Array, gain: Array, surprise: Array, per_spread: Array, tiles: Array) -> None:
    """Take a point in."""
    start = 0
    for p in range(N_BANDS):
        for _ in range(p, N_BANDS):
            for lane in range(LANES):
                tiles[start + lane] = gain[p * LANES + lane] * per_spread[lane]
                tiles[_BLOCK + start + lane] = gain[_HALF + p * LANES + lane] * per_spread[lane]
            start += LANES
    start = 0
    for p in range(N_BANDS):
        own = p * LANES
        for k in range((N_BANDS - p) * LANES):
            f, g, share_f, share_g = gain[own + k], gain[_HALF + own + k], tiles[start + k], tiles[_BLOCK + start + k]
            known[_FF + start + k] += share_f * f
            known[_FG + start + k] += share_f * g
            known[_GF + start + k] += share_g * f
            known[_GG + start + k] += share_g * g
        start += (N_BANDS - p) * LANES
        for lane in range(LANES):
            mean[own + lane] += gain[own + lane] * surprise[lane]
            mean[_HALF + own + lane] += gain[_HALF + own + lane] * surprise[lane]
