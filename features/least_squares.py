"""Bounded least squares for the shapes of transients: compiled, never raises, with a fixed maximum of steps.

The model is an amplitude for each band, zero or more, times one shape s(t; theta). For given theta the best amplitudes
have an exact solution, so only theta is searched (variable projection: Golub & Pereyra 1973, doi:10.1137/0710036, with
Kaufman's approximation of the derivatives, doi:10.1007/BF01932995). The search uses the damped steps of Levenberg and
Marquardt (doi:10.1137/0111030) within bounds. A weak Gaussian prior on theta keeps the search well-posed if the points
do not constrain a parameter; the reported chi-square does not include it.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from features.kernel import FASTMATH
from features.transient_models import shapes
from features.vectors import WIDTH, everywhere, load, store, total
from schemas.light_curves import BANDS

Array = NDArray[np.float64]
_N_BANDS = len(BANDS)
DAMPING, RELAX, TIGHTEN = 0.01, 0.2, 5.0
TOLERANCE = 0.02
"""The search ends when a step gains less than this in chi-square: a seventh of a standard error of a parameter."""

RELATIVE_TOLERANCE = 1e-3
"""... or less than this fraction of it: if the model does not fit, more digits of its parameters mean nothing."""

_compiled = njit(cache=True, nogil=True, error_model="numpy", fastmath=FASTMATH)


class Problem(NamedTuple):
    """The points of one light curve, band after band: days from the peak, flux and inverse variance in any one unit,
    each (m,). Band k has those from ``begin[k]`` to ``begin[k + 1]``, a multiple of four: the last points of a band may
    be padding with weight and flux 0. ``points`` is the number of real ones, ``power`` the sum of weight × flux²."""

    time: Array
    flux: Array
    weight: Array
    begin: NDArray[np.int64]
    points: int
    power: float


class Search(NamedTuple):
    """The search for theta: the model; ``low`` and ``high``, ``centre`` and ``width`` of the prior, each (p,)."""

    model: int
    low: Array
    high: Array
    centre: Array
    width: Array


class Memory(NamedTuple):
    """Work space for fits of up to n points and p parameters, used again for each fit."""

    shape: Array
    slopes: Array
    rest: Array
    side: Array
    bend: Array
    amplitude: Array
    kept: Array
    norm: Array
    pull: Array
    gradient: Array
    hessian: Array
    factor: Array
    step: Array
    trial: Array


@_compiled
def memory_for(points: int, parameters: int) -> Memory:
    """Work space for fits of up to this many points and parameters."""
    m, p = points + WIDTH * _N_BANDS, parameters
    return Memory(
        np.empty(m),
        np.empty((p, m)),
        np.empty(m),
        np.empty(m),
        np.empty(m),
        np.empty(_N_BANDS),
        np.empty(_N_BANDS),
        np.empty(_N_BANDS),
        np.empty((_N_BANDS, p)),
        np.empty(p),
        np.empty((p, p)),
        np.empty((p, p)),
        np.empty(p),
        np.empty(p),
    )


@_compiled
def by_band(time: Array, flux: Array, weight: Array, band: NDArray[np.int8]) -> Problem:
    """The problem of points in any order, each (n,)."""
    count, begin = np.zeros(_N_BANDS, np.int64), np.zeros(_N_BANDS + 1, np.int64)
    for k in band:
        count[k] += 1
    for k in range(_N_BANDS):
        begin[k + 1] = begin[k] + (count[k] + WIDTH - 1) // WIDTH * WIDTH
    columns = np.zeros((3, begin[_N_BANDS]))
    at, power = begin[:_N_BANDS].copy(), 0.0
    for j in range(len(time)):
        place = at[band[j]]
        columns[0, place], columns[1, place], columns[2, place] = time[j], flux[j], weight[j]
        at[band[j]] = place + 1
        power += weight[j] * flux[j] * flux[j]
    return Problem(columns[0], columns[1], columns[2], begin, len(time), power)


@_compiled
def minimise(problem: Problem, search: Search, theta: Array, memory: Memory, most_steps: int) -> tuple[float, bool]:
    """Move ``theta`` (p,) to the nearest minimum; returns its chi-square, and whether the search converged."""
    p, damping = len(theta), DAMPING
    best, chi2 = _project(problem, search, theta, memory)
    _normal_equations(problem, search, theta, memory)
    memory.kept[:] = memory.amplitude
    converged = False
    for _ in range(most_steps):
        if not _damped_step(search, theta, memory, damping):
            damping *= TIGHTEN
            continue
        trial = memory.trial[:p]
        value, trial_chi2 = _project(problem, search, trial, memory)
        if value < best:
            gain = best - value
            theta[:] = trial
            best, chi2 = value, trial_chi2
            memory.kept[:] = memory.amplitude
            damping *= RELAX
            if gain < max(TOLERANCE, RELATIVE_TOLERANCE * best):
                converged = True
                break
            _normal_equations(problem, search, theta, memory)
        else:
            if damping > 1e3 or not value - best > max(TOLERANCE, RELATIVE_TOLERANCE * best):
                converged = math.isfinite(best)
                break
            damping *= TIGHTEN
    memory.amplitude[:] = memory.kept
    return chi2, converged


@_compiled
def objective(problem: Problem, search: Search, theta: Array, memory: Memory) -> float:
    """The minimised function: chi-square at the best amplitudes plus that of the prior."""
    return _project(problem, search, theta, memory)[0]


@_compiled
def _project(problem: Problem, search: Search, theta: Array, memory: Memory) -> tuple[float, float]:
    """Solve for the amplitudes; chi-square with and without the prior.

    At the best amplitude A of a band the chi-square is the sum of w f² less A times the sum of w f s.
    """
    shape, amplitude, begin = memory.shape, memory.amplitude, problem.begin
    shapes(search.model, problem.time, theta, shape, memory.slopes)
    chi2, prior = problem.power, 0.0
    for k in range(_N_BANDS):
        norm, product = everywhere(0.0), everywhere(0.0)
        for j in range(begin[k], begin[k + 1], WIDTH):
            s = load(shape, j)
            ws = load(problem.weight, j) * s
            norm, product = norm + ws * s, product + ws * load(problem.flux, j)
        memory.norm[k], along = total(norm), total(product)
        amplitude[k] = max(along / memory.norm[k], 0.0) if memory.norm[k] > 0.0 else 0.0
        chi2 -= amplitude[k] * along
    chi2 = max(chi2, 0.0)
    for a in range(len(theta)):
        prior += ((theta[a] - search.centre[a]) / search.width[a]) ** 2
    return chi2 + prior, chi2


@_compiled
def _normal_equations(problem: Problem, search: Search, theta: Array, memory: Memory) -> None:
    """Gradient and approximate Hessian at the theta of the last projection."""
    p, m, gradient, hessian, pull = len(theta), len(problem.time), memory.gradient, memory.hessian, memory.pull
    _weigh(problem, memory)
    for a in range(p):
        slope, along = memory.slopes[a], everywhere(0.0)
        for j in range(0, m, WIDTH):
            along = along + load(memory.rest, j) * load(slope, j)
        inverse = 1.0 / (search.width[a] * search.width[a])
        gradient[a] = total(along) - (theta[a] - search.centre[a]) * inverse
        for k in range(_N_BANDS):
            along = everywhere(0.0)
            for j in range(problem.begin[k], problem.begin[k + 1], WIDTH):
                along = along + load(memory.side, j) * load(slope, j)
            pull[k, a] = total(along)
        for b in range(a + 1):
            other, along = memory.slopes[b], everywhere(0.0)
            for j in range(0, m, WIDTH):
                along = along + load(memory.bend, j) * load(slope, j) * load(other, j)
            hessian[a, b] = total(along) + (inverse if a == b else 0.0)
            for k in range(_N_BANDS):
                if memory.amplitude[k] > 0.0:
                    hessian[a, b] -= pull[k, a] * pull[k, b] / memory.norm[k]


@_compiled
def _weigh(problem: Problem, memory: Memory) -> None:
    """The factors of the slopes of each point: ``rest`` w A (f - A s), ``side`` w A s, ``bend`` w A²."""
    for k in range(_N_BANDS):
        size = memory.amplitude[k]
        for j in range(problem.begin[k], problem.begin[k + 1], WIDTH):
            w, s = size * load(problem.weight, j), load(memory.shape, j)
            store(memory.rest, j, w * (load(problem.flux, j) - size * s))
            store(memory.side, j, w * s)
            store(memory.bend, j, w * size)


@_compiled
def _damped_step(search: Search, theta: Array, memory: Memory, damping: float) -> bool:
    """Set ``trial`` to the next theta, inside the bounds; returns False if the equations cannot be solved."""
    p, factor, step = len(theta), memory.factor, memory.step
    for a in range(p):
        held = (theta[a] <= search.low[a] and memory.gradient[a] < 0.0) or (
            theta[a] >= search.high[a] and memory.gradient[a] > 0.0
        )
        step[a] = np.nan if held else memory.gradient[a]
    for a in range(p):
        free = not math.isnan(step[a])
        for b in range(a + 1):
            both = free and not math.isnan(step[b])
            factor[a, b] = memory.hessian[a, b] if both else 0.0
        factor[a, a] = factor[a, a] * (1.0 + damping) if free else 1.0
    for a in range(p):
        step[a] = 0.0 if math.isnan(step[a]) else step[a]
    if not _solve(factor, step, p):
        return False
    for a in range(p):
        memory.trial[a] = min(max(theta[a] + step[a], search.low[a]), search.high[a])
    return True


@_compiled
def _solve(factor: Array, x: Array, p: int) -> bool:
    """Solve by Cholesky factorisation of the lower triangle, in place; returns False if it is not positive definite."""
    for a in range(p):
        for b in range(a + 1):
            total = factor[a, b]
            for c in range(b):
                total -= factor[a, c] * factor[b, c]
            if a == b:
                if not total > 0.0:
                    return False
                factor[a, a] = math.sqrt(total)
            else:
                factor[a, b] = total / factor[b, b]
    for a in range(p):
        for c in range(a):
            x[a] -= factor[a, c] * x[c]
        x[a] /= factor[a, a]
    for a in range(p - 1, -1, -1):
        for c in range(a + 1, p):
            x[a] -= factor[c, a] * x[c]
        x[a] /= factor[a, a]
    return True
