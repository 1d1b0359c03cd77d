"""How far the stated errors are believed: a factor on all errors of a light curve, fitted together with the process.

Real errors are understated: the scatter of repeated measurements is often twice what they say. With errors f times the
stated ones the covariance of n points is K + f² D, with K that of the process and D the diagonal of the stated
variances. Written as f² (a² M + D), where a is the amplitude over f, the best f for any a and timescale has a closed
form. With the misfit Q = fluxᵀ (a² M + D)⁻¹ flux, -2 log likelihood is Q / f² + n log f² and what does not depend on f.
So the search stays one over two numbers, a and the timescale, and costs no more.

The prior of f² is an inverse gamma: it counts as :data:`PRIOR_POINTS` more points that scatter as much as stated (the
conjugate prior of a variance; Gelman et al. 2013, Bayesian Data Analysis, section 2.6). f is 1 unless many points say
otherwise.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

PRIOR_POINTS = 8.0
"""So many points the prior counts for. Fewer, and a short light curve's own changes pass for noise; more, and errors
that are understated by 3 are not believed to be."""

FACTOR_BOUNDS = (1.0, 10.0)
"""Bounds of the factor. Errors are seldom overstated; what scatters ten times as much as stated is a source that
changes."""

_LOG_BOUNDS = (2.0 * math.log(FACTOR_BOUNDS[0]), 2.0 * math.log(FACTOR_BOUNDS[1]))


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def log_factor2(misfit: float, n: int, ceiling: float) -> float:
    """log f² where the likelihood times the prior is greatest; ``misfit`` is Q of ``n`` points, ``ceiling`` the
    light curve's own upper bound of f."""
    best = math.log((misfit + PRIOR_POINTS) / (n + PRIOR_POINTS))
    return min(max(best, _LOG_BOUNDS[0]), min(2.0 * math.log(ceiling), _LOG_BOUNDS[1]))


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def loss(misfit: float, n: int, ceiling: float) -> float:
    """The part of -2 log (likelihood × prior) that depends on f, at the best f: Q itself where that is 1."""
    u = log_factor2(misfit, n, ceiling)
    return (misfit + PRIOR_POINTS) * math.exp(-u) - PRIOR_POINTS + (n + PRIOR_POINTS) * u


def log_prior(factor: ArrayLike) -> NDArray[np.float64]:
    """Natural log of the prior of the factor over that of 1: 0 or less, same shape.

    >>> log_prior([1.0, 2.0]).round(2).tolist()
    [0.0, -2.55]
    """
    u = 2.0 * np.log(np.asarray(factor, np.float64))
    return np.asarray(-0.5 * PRIOR_POINTS * (u + np.exp(-u) - 1.0))
