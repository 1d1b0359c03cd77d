"""Figures of merit of a classifier, each with its definition, and bootstrap intervals over objects."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.classifier import balanced

ECE_BINS = 15


def flat_log_loss(p: NDArray[np.float64], index: NDArray[np.int64], weight: ArrayLike) -> float:
    """Mean over classes of the mean of -ln p(true class), in nat: PLAsTiCC's metric with equal class weights.

    ``p``: (n, k); ``index``: the true column (n,); ``weight``: (n,). Source: arXiv:1809.11145.
    """
    own = np.clip(p[np.arange(len(p)), index], 1e-15, 1.0)
    return float(np.average(-np.log(own), weights=balanced(index, weight)))


def macro_f1(p: NDArray[np.float64], index: NDArray[np.int64], weight: ArrayLike) -> float:
    """Mean over the classes present of 2 TP / (2 TP + FP + FN), objects weighted; predicted is the largest p."""
    w, predicted = np.asarray(weight, np.float64), p.argmax(axis=1)
    k = p.shape[1]
    hit = np.bincount(index[predicted == index], weights=w[predicted == index], minlength=k)
    total = np.bincount(index, weights=w, minlength=k) + np.bincount(predicted, weights=w, minlength=k)
    present = np.bincount(index, minlength=k) > 0
    return float((2 * hit[present] / np.maximum(total[present], 1e-300)).mean())


def expected_calibration_error(p: NDArray[np.float64], index: NDArray[np.int64], weight: ArrayLike) -> float:
    """Weighted mean over 15 equal bins of the largest p of |accuracy - mean confidence| (arXiv:1706.04599)."""
    w, confidence = np.asarray(weight, np.float64), p.max(axis=1)
    correct = p.argmax(axis=1) == index
    which = np.minimum((confidence * ECE_BINS).astype(int), ECE_BINS - 1)
    gap = np.bincount(which, weights=w * (correct - confidence), minlength=ECE_BINS)
    return float(np.abs(gap).sum() / w.sum())


def auc(score: ArrayLike, positive: ArrayLike, weight: ArrayLike | None = None) -> float:
    """The chance that a positive scores above a negative, ties counting half; NaN where one kind is absent."""
    s, y = np.asarray(score, np.float64), np.asarray(positive, bool)
    w = np.ones(len(s)) if weight is None else np.asarray(weight, np.float64)
    if y.all() or not y.any():
        return float("nan")
    _, rank = np.unique(s, return_inverse=True)
    plus = np.bincount(rank, weights=w * y)
    minus = np.bincount(rank, weights=w * ~y)
    below = np.cumsum(minus) - minus
    return float((plus * (below + minus / 2)).sum() / (plus.sum() * minus.sum()))


def bootstrap(
    statistic: Callable[[NDArray[np.int64]], float],
    object_id: ArrayLike,
    *,
    seed: int,
    draws: int = 200,
    level: float = 0.95,
) -> tuple[float, float, float]:
    """A statistic of row numbers with its percentile interval over objects drawn anew: (value, low, high).

    All rows of an object are drawn together, so alerts of one object don't pass for independent ones.
    Source: Efron 1979 (doi:10.1214/aos/1176344552).
    """
    _, row = np.unique(np.asarray(object_id), return_inverse=True)
    order = np.argsort(row, kind="stable")
    begin = np.searchsorted(row[order], np.arange(row.max() + 2))
    rng = np.random.default_rng(seed)
    values = []
    for _ in range(draws):
        chosen = rng.integers(0, row.max() + 1, row.max() + 1)
        values.append(statistic(np.concatenate([order[begin[o] : begin[o + 1]] for o in chosen])))
    low, high = np.nanquantile(values, [(1 - level) / 2, (1 + level) / 2])
    return statistic(np.arange(len(row))), float(low), float(high)
