"""Figures that depend only on the order of the scores: ROC, purity against completeness, their areas."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Curve = tuple[NDArray[np.float64], NDArray[np.float64]]


def auc(score: ArrayLike, positive: ArrayLike, weight: ArrayLike | None = None) -> float:
    """The probability that a positive scores above a negative, with ties counted half; NaN if one kind is absent.

    The area under the ROC curve (Hanley and McNeil 1982, doi:10.1148/radiology.143.1.7063747).
    """
    plus, minus = _by_score(score, positive, weight)
    if not plus.sum() > 0 or not minus.sum() > 0:
        return float("nan")
    below = np.cumsum(minus) - minus
    return float((plus * (below + minus / 2)).sum() / (plus.sum() * minus.sum()))


def roc_curve(score: ArrayLike, positive: ArrayLike, weight: ArrayLike | None = None) -> Curve:
    """False and true positive rate at every threshold, from (0, 0) to (1, 1), strictest first."""
    plus, minus = _by_score(score, positive, weight)
    true, false = (np.concatenate([[0.0], np.cumsum(part[::-1])]) for part in (plus, minus))
    return false / max(false[-1], 1e-300), true / max(true[-1], 1e-300)


def purity_curve(score: ArrayLike, positive: ArrayLike, weight: ArrayLike | None = None) -> Curve:
    """Completeness and purity of the rows that score at or above each threshold, strictest first."""
    plus, minus = _by_score(score, positive, weight)
    true, taken = np.cumsum(plus[::-1]), np.cumsum((plus + minus)[::-1])
    return true / max(true[-1], 1e-300), true / np.maximum(taken, 1e-300)


def average_precision(score: ArrayLike, positive: ArrayLike, weight: ArrayLike | None = None) -> float:
    """Purity averaged over the steps in completeness: the area under the purity-completeness curve.

    NaN without positives. The steps are not joined by lines, because the area would then be too large (Davis and
    Goadrich 2006, doi:10.1145/1143844.1143874).
    """
    if not np.asarray(positive, bool).any():
        return float("nan")
    completeness, pure = purity_curve(score, positive, weight)
    return float((np.diff(completeness, prepend=0.0) * pure).sum())


def completeness_at_purity(
    score: ArrayLike, positive: ArrayLike, weight: ArrayLike | None = None, purity: float = 0.95
) -> float:
    """The largest completeness of a cut in score with at least this purity; 0 if no cut has it."""
    if not np.asarray(positive, bool).any():
        return float("nan")
    completeness, pure = purity_curve(score, positive, weight)
    return float(completeness[pure >= purity].max(initial=0.0))


def _by_score(
    score: ArrayLike, positive: ArrayLike, weight: ArrayLike | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weights of positives and negatives at each distinct score, in rising order."""
    s, y = np.asarray(score, np.float64), np.asarray(positive, bool)
    w = np.ones(len(s)) if weight is None else np.asarray(weight, np.float64)
    _, rank = np.unique(s, return_inverse=True)
    plus, minus = (np.bincount(rank, weights=w * part) for part in (y, ~y))
    return plus.astype(np.float64), minus.astype(np.float64)
