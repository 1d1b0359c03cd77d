"""How many objects got an answer: a score over the easy ones alone hides the others."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def coverage(answered: ArrayLike, weight: ArrayLike | None = None) -> float:
    """Fraction of objects with an answer, 0 to 1 (El-Yaniv and Wiener 2010, JMLR 11, 1605)."""
    return float(np.average(np.asarray(answered, bool), weights=None if weight is None else np.asarray(weight)))


def with_the_unanswered(p: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Probabilities (n, k) where an object without an answer says 1/k of every class, and which were answered.

    Rows with a NaN, a negative value or a sum of 0 are not answered; others are scaled to a sum of 1. So abstaining
    costs what knowing nothing costs, and nothing can be hidden by it.
    """
    total = p.sum(axis=1)
    answered = np.isfinite(p).all(axis=1) & (p >= 0).all(axis=1) & (total > 0)
    filled = np.full(p.shape, 1.0 / p.shape[1])
    filled[answered] = p[answered] / total[answered, None]
    return filled, answered
