"""Bounded least squares for the shapes of transients: compiled, never raises, and stops after a fixed number of steps.

The model is an amplitude for each band, zero or more, times one shape s(t; theta). For given theta the amplitudes that
fit best are known exactly, so that only theta is searched (variable projection: Golub & Pereyra 1973,
doi:10.1137/0710036, with Kaufman's approximation of the derivatives, doi:10.1007/BF01932995), by Levenberg's and
Marquardt's damped steps (doi:10.1137/0111030) within bounds. A weak Gaussian prior on theta keeps the search
well-posed where the points can't tell a parameter; it is no part of the chi-square that is reported.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from features.kernel import FASTMATH
from features.transient_models import shapes
from schemas.light_curves import BANDS

Array = NDArray[np.float64]
_N_BANDS = len(BANDS)
DAMPING, RELAX, TIGHTEN = 0.01, 0.2, 5.0
TOLERANCE = 0.02
"""The search ends when a step gains less than this in chi-square: a seventh of a standard error of a parameter."""

RELATIVE_TOLERANCE = 1e-3
"""... or less than this part of it: where the model doesn't fit, further digits of its parameters mean nothing."""

_compiled = njit(cache=True, nogil=True, error_model="numpy", fastmath=FASTMATH)


class Problem(NamedTuple):
    """The points of one light curve: days from the peak, flux and inverse variance in any one unit, band; and where
    theta is sought: ``low`` and ``high``, ``centre`` and ``width`` of the prior, each (p,)."""

    model: int
    time: Array
    flux: Array
    weight: Array
    band: NDArray[np.int8]
    low: Array
    high: Array
    centre: Array
    width: Array


class Memory(NamedTuple):
    """Room for the work of a fit of up to n points and p parameters, used again for the next."""

    shape: Array
    slopes: Array
    amplitude: Array
    norm: Array
    pull: Array
    gradient: Array
    hessian: Array
    factor: Array
    step: Array
    trial: Array


@_compiled
def memory_for(points: int, parameters: int) -> Memory:
    """Room for fits of up to so many points and parameters."""
    p = parameters
    return Memory(
        np.empty(points),
        np.empty((p, points)),
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
def minimise(problem: Problem, theta: Array, memory: Memory, most_steps: int) -> tuple[float, bool]:
    """Move ``theta`` (p,) to the nearest minimum; its chi-square, and whether the search came to its end."""
    p, damping = len(theta), DAMPING
    best, chi2 = _project(problem, theta, memory, True)
    amplitude = memory.amplitude.copy()
    converged = False
    for _ in range(most_steps):
        if not _damped_step(problem, theta, memory, damping):
            damping *= TIGHTEN
            continue
        trial = memory.trial[:p]
        value, trial_chi2 = _project(problem, trial, memory, False)
        if value < best:
            gain = best - value
            theta[:] = trial
            best, chi2 = value, trial_chi2
            amplitude[:] = memory.amplitude
            damping *= RELAX
            if gain < max(TOLERANCE, RELATIVE_TOLERANCE * best):
                converged = True
                break
            _normal_equations(problem, theta, memory)
        else:
            if damping > 1e3 or not value - best > max(TOLERANCE, RELATIVE_TOLERANCE * best):
                converged = math.isfinite(best)
                break
            damping *= TIGHTEN
    memory.amplitude[:] = amplitude
    return chi2, converged


@_compiled
def objective(problem: Problem, theta: Array, memory: Memory) -> float:
    """What is minimised: chi-square at the best amplitudes, and the prior's."""
    return _project(problem, theta, memory, False)[0]


@_compiled
def _project(problem: Problem, theta: Array, memory: Memory, with_normal: bool) -> tuple[float, float]:
    """Solve for the amplitudes; chi-square with and without the prior."""
    shape, amplitude, norm = memory.shape, memory.amplitude, memory.norm
    n = len(problem.time)
    shapes(problem.model, problem.time, theta, shape, memory.slopes)
    amplitude[:], norm[:] = 0.0, 0.0
    for j in range(n):
        k, ws = problem.band[j], problem.weight[j] * shape[j]
        norm[k] += ws * shape[j]
        amplitude[k] += ws * problem.flux[j]
    for k in range(_N_BANDS):
        amplitude[k] = max(amplitude[k] / norm[k], 0.0) if norm[k] > 0.0 else 0.0
    chi2, prior = 0.0, 0.0
    for j in range(n):
        rest = problem.flux[j] - amplitude[problem.band[j]] * shape[j]
        chi2 += problem.weight[j] * rest * rest
    for a in range(len(theta)):
        prior += ((theta[a] - problem.centre[a]) / problem.width[a]) ** 2
    if with_normal:
        _normal_equations(problem, theta, memory)
    return chi2 + prior, chi2


@_compiled
def _normal_equations(problem: Problem, theta: Array, memory: Memory) -> None:
    """Gradient and approximate Hessian at the theta that was projected last."""
    p, gradient, hessian, pull, slopes = len(theta), memory.gradient, memory.hessian, memory.pull, memory.slopes
    gradient[:], hessian[:], pull[:] = 0.0, 0.0, 0.0
    for j in range(len(problem.time)):
        k = problem.band[j]
        size, w, s = memory.amplitude[k], problem.weight[j], memory.shape[j]
        wr, wss = w * size * (problem.flux[j] - size * s), w * size * size
        for a in range(p):
            gradient[a] += wr * slopes[a, j]
            pull[k, a] += w * size * s * slopes[a, j]
            for b in range(a + 1):
                hessian[a, b] += wss * slopes[a, j] * slopes[b, j]
    for k in range(_N_BANDS):
        if memory.amplitude[k] > 0.0:
            for a in range(p):
                for b in range(a + 1):
                    hessian[a, b] -= pull[k, a] * pull[k, b] / memory.norm[k]
    for a in range(p):
        inverse = 1.0 / (problem.width[a] * problem.width[a])
        gradient[a] -= (theta[a] - problem.centre[a]) * inverse
        hessian[a, a] += inverse


@_compiled
def _damped_step(problem: Problem, theta: Array, memory: Memory, damping: float) -> bool:
    """Set ``trial`` to the next place, inside the bounds; False where the equations can't be solved."""
    p, factor, step = len(theta), memory.factor, memory.step
    for a in range(p):
        held = (theta[a] <= problem.low[a] and memory.gradient[a] < 0.0) or (
            theta[a] >= problem.high[a] and memory.gradient[a] > 0.0
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
        memory.trial[a] = min(max(theta[a] + step[a], problem.low[a]), problem.high[a])
    return True


@_compiled
def _solve(factor: Array, x: Array, p: int) -> bool:
    """Solve by Cholesky's factorisation of the lower triangle, in place; False where it is not positive."""
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
