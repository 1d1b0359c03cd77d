"""The Gaussian process in linear time: a Kalman filter over the points, exact for the kernel of
:mod:`features.kernel`.

A Matérn-3/2 process is the solution of a second-order stochastic differential equation, so the flux and its derivative
hold all information from the past about the future (Hartikainen & Särkkä 2010, doi:10.1109/MLSP.2010.5589113). With λ =
√3 / timescale, each band p has the pair

    f_p   the flux                 and      g_p = f_p + (df_p/dt) / λ

whose equation of motion is simplest: over d days, with s = λ d,

    f ← e⁻ˢ (f + s g),      g ← e⁻ˢ g.

All bands obey the same equation, and the kernel is a product, so the twelve numbers of six bands have the stationary
covariance P∞ = amplitude² × [[C, C], [C, 2 C]] with C the correlation between bands.

The filter stores ``explained``, E = (P∞ - P) / amplitude²: the part of the covariance that the points so far explain.
With T the transition above, E decays with time, E ← T E Tᵀ. A point in band c adds to it, E ← E + k kᵀ / v, with k the
column f_c of P / amplitude² and v = k_c + variance / amplitude². No matrix for the process noise is needed.

State vectors hold f of the six bands, then g of the six bands.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from features import lanes, noise
from features import search as searching
from features.kernel import FASTMATH, LOG_2_PI, N_BANDS, SQRT3
from features.points import Curve, Points, Solutions, curve_of, longest_of, own_bands
from features.vectors import WIDTH, load, store

STATES = 2 * N_BANDS
_HALF = N_BANDS * STATES  # of the numbers in ``explained``: the rows of f


Array = NDArray[np.float64]
_compiled = njit(cache=True, nogil=True, error_model="numpy", fastmath=FASTMATH)


@_compiled
def fade(explained: Array, mean: Array, s: float) -> None:
    """Advance in time: s = √3 × days / timescale."""
    decay = math.exp(-s)
    for p in range(N_BANDS):
        mean[p] = decay * (mean[p] + s * mean[N_BANDS + p])
        mean[N_BANDS + p] *= decay
    fall = decay * decay
    for place in range(0, _HALF, WIDTH):  # rows of f
        store(explained, place, load(explained, place) + s * load(explained, place + _HALF))
    for row in range(0, 2 * _HALF, STATES):  # columns: the six of f in two vectors that overlap, and those of g
        f, f_end = load(explained, row), load(explained, row + N_BANDS - WIDTH)
        g, g_end = load(explained, row + N_BANDS), load(explained, row + STATES - WIDTH)
        store(explained, row, fall * (f + s * g))
        store(explained, row + N_BANDS - WIDTH, fall * (f_end + s * g_end))
        store(explained, row + N_BANDS, fall * g)
        store(explained, row + STATES - WIDTH, fall * g_end)


@_compiled
def gain_of(explained: Array, correlation: Array, band: int, gain: Array) -> None:
    """Column f_band of P / amplitude²."""
    for p in range(N_BANDS):
        gain[p] = correlation[band, p] - explained[band, p]
        gain[N_BANDS + p] = correlation[band, p] - explained[band, N_BANDS + p]


@_compiled
def learn(explained: Array, mean: Array, gain: Array, surprise: float, spread: float) -> None:
    """Add a point: ``surprise`` is its residual over ``spread``; ``spread`` is its variance in units of amplitude²."""
    per_spread = 1.0 / spread
    first, middle, last = load(gain, 0), load(gain, WIDTH), load(gain, 2 * WIDTH)
    for p in range(STATES):
        share, row = gain[p] * per_spread, STATES * p
        store(explained, row, load(explained, row) + share * first)
        store(explained, row + WIDTH, load(explained, row + WIDTH) + share * middle)
        store(explained, row + 2 * WIDTH, load(explained, row + 2 * WIDTH) + share * last)
        mean[p] += gain[p] * surprise


@_compiled
def log_likelihood(x: float, y: float, curve: Curve, explained: Array, mean: Array, gain: Array) -> float:
    """Natural log of the likelihood at log amplitude² ``x`` (nJy²) and log timescale² ``y`` (days²).

    ``explained`` (12, 12), ``mean`` and ``gain`` (12,) are work space.
    """
    per_square, rate = math.exp(-x), SQRT3 * math.exp(-0.5 * y)
    explained[:] = 0.0
    mean[:] = 0.0
    misfit, volume = 0.0, 0.0
    for i in range(len(curve.time)):
        if i > 0 and curve.time[i] > curve.time[i - 1]:
            fade(explained, mean, rate * (curve.time[i] - curve.time[i - 1]))
        c = curve.band[i]
        gain_of(explained, curve.correlation, c, gain)
        spread = gain[c] + curve.variance[i] * per_square
        residual = curve.flux[i] - mean[c]
        misfit += residual * residual / spread
        volume += math.log(spread)
        learn(explained, mean, gain, residual / spread, spread)
    return -0.5 * (misfit * per_square + volume + len(curve.time) * (x + LOG_2_PI))


@_compiled
def weights(
    x: float, y: float, curve: Curve, explained: Array, mean: Array, gains: Array, spreads: Array, out: Array
) -> tuple[float, float]:
    """α = (K + variance)⁻¹ flux, 1/nJy: the filter forwards, and its transpose backwards; returns the misfit
    fluxᵀ α and log |K + variance|.

    ``explained`` (12, 12), ``mean`` (12,), ``gains`` (points, 12) and ``spreads`` (points,) are work space.
    """
    time, n = curve.time, len(curve.time)
    per_square, rate = math.exp(-x), SQRT3 * math.exp(-0.5 * y)
    explained[:] = 0.0
    mean[:] = 0.0
    misfit, volume = 0.0, 0.0
    for i in range(n):
        if i > 0 and time[i] > time[i - 1]:
            fade(explained, mean, rate * (time[i] - time[i - 1]))
        c = curve.band[i]
        gain_of(explained, curve.correlation, c, gains[i])
        spreads[i] = gains[i, c] + curve.variance[i] * per_square
        out[i] = (curve.flux[i] - mean[c]) / spreads[i]
        misfit += out[i] * out[i] * spreads[i]
        volume += math.log(spreads[i])
        learn(explained, mean, gains[i], out[i], spreads[i])
    later = mean  # the information from the points after i, at i: the transposed recursion of the mean
    later[:] = 0.0
    for i in range(n - 1, -1, -1):
        if i < n - 1:
            s = rate * (time[i + 1] - time[i])
            decay = math.exp(-s)
            for p in range(N_BANDS):
                later[N_BANDS + p] = decay * (later[N_BANDS + p] + s * later[p])
                later[p] *= decay
        pull = 0.0
        for p in range(STATES):
            pull += gains[i, p] * later[p]
        out[i] -= pull / spreads[i]
        later[curve.band[i]] += out[i]
        out[i] *= per_square
    return misfit * per_square, volume + n * x


@_compiled
def _fit(points: Points, start: Array, work: Array, solutions: Solutions) -> None:
    """Fit every light curve; ``start`` (n, 2): log (amplitude / f)², log timescale² where the search begins, or NaN."""
    explained, mean = np.empty((STATES, STATES)), np.empty(STATES)
    gains, spreads = np.empty((longest_of(points), STATES)), np.empty(longest_of(points))
    search = np.empty(searching.SIZE)
    trial_x, trial_y, values = np.empty(lanes.LANES), np.empty(lanes.LANES), np.empty(lanes.LANES)
    for i in range(len(points.offsets) - 1):
        a, b = points.offsets[i], points.offsets[i + 1]
        if a == b:
            continue
        curve = curve_of(points, i)
        band_curve = own_bands(curve)
        searching.begin(search, curve.flux, curve.variance, start[i, 0], start[i, 1])
        while search[searching.STATUS] == searching.RUNNING:
            searching.propose(search, trial_x, trial_y)
            lanes.log_likelihoods(trial_x, trial_y, band_curve, work, values)
            searching.advance(search, trial_x, trial_y, values)
        x, y, alpha = search[searching.X], search[searching.Y], solutions.alpha[a:b]
        misfit, volume = weights(x, y, curve, explained, mean, gains, spreads, alpha)
        u = noise.log_factor2(misfit, b - a, curve.factor_ceiling)
        alpha *= math.exp(-u)
        solutions.x[i], solutions.y[i], solutions.noise_factor[i] = x + u, y, math.exp(0.5 * u)
        solutions.value[i] = -0.5 * (misfit * math.exp(-u) + volume + (b - a) * (u + LOG_2_PI))
        for p in range(N_BANDS):
            solutions.explained[i, p, 0] = explained[p, p]
            solutions.explained[i, p, 1] = explained[p, N_BANDS + p]
            solutions.explained[i, p, 2] = explained[N_BANDS + p, N_BANDS + p]
        converged = search[searching.STATUS] == searching.CONVERGED
        solutions.converged[i] = converged and math.isfinite(solutions.value[i])


def fit(points: Points, start: Array, solutions: Solutions) -> None:
    """Fit every light curve; ``start`` (n, 2): log (amplitude / f)², log timescale² where the search begins, or NaN."""
    _fit(points, start, lanes.work_space(), solutions)
