"""Mean and standard deviation of the Gaussian process at any times, in linear time.

The filter of :mod:`features.state_space` runs once over points and wanted times together and remembers what it knew at each wanted
time; a backward pass adds what later points say (the modified Bryson-Frazier smoother: Bierman 1973,
doi:10.1016/0005-1098(73)90051-3). ``later`` and ``later_known`` are its adjoint vector (12,) and matrix (12, 12) in
units in which the amplitude is 1.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from features.kernel import FASTMATH, N_BANDS, SQRT3
from features.state_space import STATES, _fade, _gain, _learn

Array = NDArray[np.float64]
_compiled = njit(cache=True, nogil=True, error_model="numpy", fastmath=FASTMATH)


@_compiled
def predict(
    offsets: NDArray[np.int64], time: Array, flux: Array, variance: Array, band: NDArray[np.int8],
    correlations: Array, x: Array, y: Array, wanted: Array, out_mean: Array, out_std: Array,
) -> None:  # fmt: skip
    """Fill ``out_mean`` and ``out_std`` (n, 6, m), nJy, at ``wanted`` (n, m), MJD in ascending order in every row.

    NaN where ``x`` or ``y`` is.
    """
    longest = 0
    for i in range(len(offsets) - 1):
        longest = max(longest, offsets[i + 1] - offsets[i])
    gains, spreads, pulls = np.empty((longest, STATES)), np.empty(longest), np.empty(longest)
    knowns, means = np.empty((wanted.shape[1], STATES, STATES)), np.empty((wanted.shape[1], STATES))
    for i in range(len(offsets) - 1):
        a, b = offsets[i], offsets[i + 1]
        if not math.isfinite(x[i] + y[i]) or a == b:
            out_mean[i] = np.nan
            out_std[i] = np.nan
            continue
        t, rate, per_square = time[a:b], SQRT3 * math.exp(-0.5 * y[i]), math.exp(-x[i])
        _forwards(t, flux[a:b], variance[a:b], band[a:b], correlations[i], rate, per_square,
                  wanted[i], gains, spreads, pulls, knowns, means)  # fmt: skip
        _backwards(t, band[a:b], correlations[i], rate, wanted[i], gains, spreads, pulls, knowns, means,
                   out_mean[i], out_std[i])  # fmt: skip
        out_std[i] *= math.exp(0.5 * x[i])


@_compiled
def _forwards(
    time: Array, flux: Array, variance: Array, band: NDArray[np.int8], correlation: Array, rate: float, per_square: float,
    wanted: Array, gains: Array, spreads: Array, pulls: Array, knowns: Array, means: Array,
) -> None:  # fmt: skip
    """Filter; keep gain, spread and surprise of every point, and the state at every wanted time."""
    known, mean = np.zeros((STATES, STATES)), np.zeros(STATES)
    i, now = 0, min(time[0], wanted[0]) if len(wanted) else time[0]
    for j in range(len(wanted) + 1):
        while i < len(time) and (j == len(wanted) or time[i] <= wanted[j]):
            _fade(known, mean, rate * (time[i] - now))
            now = time[i]
            _gain(known, correlation, band[i], gains[i])
            spreads[i] = gains[i, band[i]] + variance[i] * per_square
            pulls[i] = (flux[i] - mean[band[i]]) / spreads[i]
            _learn(known, mean, gains[i], pulls[i], spreads[i])
            i += 1
        if j < len(wanted):
            _fade(known, mean, rate * (wanted[j] - now))
            now = wanted[j]
            knowns[j] = known
            means[j] = mean


@_compiled
def _backwards(
    time: Array, band: NDArray[np.int8], correlation: Array, rate: float, wanted: Array,
    gains: Array, spreads: Array, pulls: Array, knowns: Array, means: Array, out_mean: Array, out_std: Array,
) -> None:  # fmt: skip
    """Carry what later points say back in time, and combine it with what the filter knew."""
    later, later_known = np.zeros(STATES), np.zeros((STATES, STATES))
    row, product = np.empty(STATES), np.empty(STATES)
    i, now = len(time) - 1, max(time[-1], wanted[-1]) if len(wanted) else time[-1]
    for j in range(len(wanted) - 1, -1, -1):
        while i >= 0 and time[i] > wanted[j]:
            _rewind(later, later_known, rate * (now - time[i]))
            now = time[i]
            _unlearn(later, later_known, gains[i], spreads[i], pulls[i], band[i], product)
            i -= 1
        _rewind(later, later_known, rate * (now - wanted[j]))
        now = wanted[j]
        for p in range(N_BANDS):
            for q in range(N_BANDS):
                row[q] = correlation[p, q] - knowns[j, p, q]
                row[N_BANDS + q] = correlation[p, q] - knowns[j, p, N_BANDS + q]
            mean, unknown = means[j, p], 1.0 - knowns[j, p, p]
            for q in range(STATES):
                mean += row[q] * later[q]
                for r in range(STATES):
                    unknown -= row[q] * later_known[q, r] * row[r]
            out_mean[p, j] = mean
            out_std[p, j] = math.sqrt(max(unknown, 0.0))


@_compiled
def _rewind(later: Array, later_known: Array, s: float) -> None:
    """The transposed transition: s = √3 × days / timescale, back in time."""
    decay = math.exp(-s)
    for p in range(N_BANDS):
        for q in range(STATES):
            later_known[N_BANDS + p, q] += s * later_known[p, q]
        later[N_BANDS + p] = decay * (later[N_BANDS + p] + s * later[p])
        later[p] *= decay
    decay *= decay
    for p in range(STATES):
        for q in range(N_BANDS):
            later_known[p, N_BANDS + q] = decay * (later_known[p, N_BANDS + q] + s * later_known[p, q])
            later_known[p, q] *= decay


@_compiled
def _unlearn(
    later: Array, later_known: Array, gain: Array, spread: float, pull: float, band: int, product: Array
) -> None:  # fmt: skip
    """Pass a point backwards: from what is said after it to what is said from it on."""
    said, square = pull, 1.0 / spread
    for p in range(STATES):
        said -= gain[p] * later[p] / spread
        product[p] = 0.0
        for q in range(STATES):
            product[p] += later_known[p, q] * gain[q] / spread
    for p in range(STATES):
        square += gain[p] * product[p] / spread
    later[band] += said
    for p in range(STATES):
        later_known[band, p] -= product[p]
        later_known[p, band] -= product[p]
    later_known[band, band] += square
