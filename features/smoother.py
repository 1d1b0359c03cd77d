"""Mean and standard deviation of the Gaussian process at any times, in linear time.

The filter of :mod:`features.state_space` runs once over points and wanted times together, and stores its state at each
wanted time. A backward pass adds the information from later points (the modified Bryson-Frazier smoother: Bierman
1973, doi:10.1016/0005-1098(73)90051-3). ``later`` and ``later_explained`` are its adjoint vector (12,) and matrix (12,
12) in units in which the amplitude is 1.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from features.kernel import FASTMATH, N_BANDS, SQRT3
from features.points import Curve, Points, curve_of, longest_of
from features.state_space import STATES, fade, gain_of, learn

Array = NDArray[np.float64]
_compiled = njit(cache=True, nogil=True, error_model="numpy", fastmath=FASTMATH)


@_compiled
def predict(points: Points, x: Array, y: Array, wanted: Array, out_mean: Array, out_std: Array) -> None:
    """Fill ``out_mean`` and ``out_std`` (n, 6, m), nJy, at ``wanted`` (n, m), MJD in ascending order in every row.

    ``x`` and ``y`` (n,) are log amplitude² (nJy²) and log timescale² (days²); the result is NaN where they are NaN.
    """
    m, longest = wanted.shape[1], longest_of(points)
    memory = Memory(
        np.empty((longest, STATES)),
        np.empty(longest),
        np.empty(longest),
        np.empty((m, STATES, STATES)),
        np.empty((m, STATES)),
    )
    for i in range(len(points.offsets) - 1):
        curve = curve_of(points, i)
        if not math.isfinite(x[i] + y[i]) or len(curve.time) == 0 or m == 0:
            out_mean[i] = np.nan
            out_std[i] = np.nan
            continue
        rate = SQRT3 * math.exp(-0.5 * y[i])
        _forwards(curve, rate, math.exp(-x[i]), wanted[i], memory)
        _backwards(curve, rate, wanted[i], memory, out_mean[i], out_std[i])
        out_std[i] *= math.exp(0.5 * x[i])


class Memory(NamedTuple):
    """Results of the forward pass: for every point its gain (12,), spread, and surprise over spread; for every wanted
    time ``explained`` (12, 12) and the mean (12,) of the filter."""

    gains: Array
    spreads: Array
    pulls: Array
    explained_at: Array
    means: Array


@_compiled
def _forwards(curve: Curve, rate: float, per_square: float, wanted: Array, memory: Memory) -> None:
    """Filter points and wanted times in time order, a point before a wanted time where they coincide."""
    explained, mean = np.zeros((STATES, STATES)), np.zeros(STATES)
    i, now = 0, min(curve.time[0], wanted[0])
    for j in range(len(wanted)):
        while i < len(curve.time) and curve.time[i] <= wanted[j]:
            fade(explained, mean, rate * (curve.time[i] - now))
            now = curve.time[i]
            _take_in(curve, i, per_square, explained, mean, memory)
            i += 1
        fade(explained, mean, rate * (wanted[j] - now))
        now = wanted[j]
        memory.explained_at[j] = explained
        memory.means[j] = mean
    for k in range(i, len(curve.time)):
        fade(explained, mean, rate * (curve.time[k] - now))
        now = curve.time[k]
        _take_in(curve, k, per_square, explained, mean, memory)


@_compiled
def _take_in(curve: Curve, i: int, per_square: float, explained: Array, mean: Array, memory: Memory) -> None:
    c, gain = curve.band[i], memory.gains[i]
    gain_of(explained, curve.correlation, c, gain)
    memory.spreads[i] = gain[c] + curve.variance[i] * per_square
    memory.pulls[i] = (curve.flux[i] - mean[c]) / memory.spreads[i]
    learn(explained, mean, gain, memory.pulls[i], memory.spreads[i])


@_compiled
def _backwards(curve: Curve, rate: float, wanted: Array, memory: Memory, out_mean: Array, out_std: Array) -> None:
    """Carry the information from later points back in time, and combine it with the state of the filter."""
    later, later_explained, work = np.zeros(STATES), np.zeros((STATES, STATES)), np.empty(STATES)
    i, now = len(curve.time) - 1, max(curve.time[-1], wanted[-1])
    for j in range(len(wanted) - 1, -1, -1):
        while i >= 0 and curve.time[i] > wanted[j]:
            _rewind(later, later_explained, rate * (now - curve.time[i]))
            now = curve.time[i]
            _unlearn(later, later_explained, memory.gains[i], memory.spreads[i], memory.pulls[i], curve.band[i], work)
            i -= 1
        _rewind(later, later_explained, rate * (now - wanted[j]))
        now = wanted[j]
        explained, row = memory.explained_at[j], work
        for p in range(N_BANDS):
            for q in range(N_BANDS):
                row[q] = curve.correlation[p, q] - explained[p, q]
                row[N_BANDS + q] = curve.correlation[p, q] - explained[p, N_BANDS + q]
            mean, unknown = memory.means[j, p], 1.0 - explained[p, p]
            for q in range(STATES):
                mean += row[q] * later[q]
                for r in range(STATES):
                    unknown -= row[q] * later_explained[q, r] * row[r]
            out_mean[p, j] = mean
            out_std[p, j] = math.sqrt(max(unknown, 0.0))


@_compiled
def _rewind(later: Array, later_explained: Array, s: float) -> None:
    """The transposed transition: s = √3 × days / timescale, back in time."""
    decay = math.exp(-s)
    for p in range(N_BANDS):
        for q in range(STATES):
            later_explained[N_BANDS + p, q] += s * later_explained[p, q]
        later[N_BANDS + p] = decay * (later[N_BANDS + p] + s * later[p])
        later[p] *= decay
    decay *= decay
    for p in range(STATES):
        for q in range(N_BANDS):
            later_explained[p, N_BANDS + q] = decay * (later_explained[p, N_BANDS + q] + s * later_explained[p, q])
            later_explained[p, q] *= decay


@_compiled
def _unlearn(
    later: Array, later_explained: Array, gain: Array, spread: float, pull: float, band: int, product: Array
) -> None:
    """Pass a point backwards: add it to the information from the points after it."""
    said, square = pull, 1.0 / spread
    for p in range(STATES):
        said -= gain[p] * later[p] / spread
        product[p] = 0.0
        for q in range(STATES):
            product[p] += later_explained[p, q] * gain[q] / spread
    for p in range(STATES):
        square += gain[p] * product[p] / spread
    later[band] += said
    for p in range(STATES):
        later_explained[band, p] -= product[p]
        later_explained[p, band] -= product[p]
    later_explained[band, band] += square
