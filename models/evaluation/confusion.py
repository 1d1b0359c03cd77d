"""The confusion matrix and figures from it: completeness, purity, F1, balanced accuracy."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def confusion_matrix(p: NDArray[np.float64], index: NDArray[np.int64], weight: ArrayLike) -> NDArray[np.float64]:
    """Summed weights by true class (row) and predicted class (column), (k, k); predicted is the largest p."""
    k = p.shape[1]
    cell = index * k + p.argmax(axis=1)
    return np.bincount(cell, weights=np.asarray(weight, np.float64), minlength=k * k).reshape(k, k).astype(np.float64)


def completeness(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Completeness of each true class, (k,) (recall, efficiency); NaN for a class without objects."""
    return _ratio(np.diag(matrix), matrix.sum(axis=1))


def purity(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Purity of each predicted class, (k,) (precision); NaN for a class that is never predicted."""
    return _ratio(np.diag(matrix), matrix.sum(axis=0))


def accuracy(p: NDArray[np.float64], index: NDArray[np.int64], weight: ArrayLike) -> float:
    """Fraction of objects whose most probable class is the true one."""
    return float(np.average(p.argmax(axis=1) == index, weights=np.asarray(weight, np.float64)))


def balanced_accuracy(p: NDArray[np.float64], index: NDArray[np.int64], weight: ArrayLike) -> float:
    """Mean of the completeness over the classes present (Brodersen et al. 2010, doi:10.1109/ICPR.2010.764)."""
    return float(np.nanmean(completeness(confusion_matrix(p, index, weight))))


def macro_f1(p: NDArray[np.float64], index: NDArray[np.int64], weight: ArrayLike) -> float:
    """Mean over the classes present of 2 TP / (2 TP + FP + FN), objects weighted; predicted is the largest p.

    Source: van Rijsbergen 1979, Information Retrieval, chapter 7; the mean of the F1, not the F1 of the means
    (arXiv:1911.03347).
    """
    matrix = confusion_matrix(p, index, weight)
    present = np.bincount(index, minlength=p.shape[1]) > 0
    total = matrix.sum(axis=0) + matrix.sum(axis=1)
    return float((2 * np.diag(matrix)[present] / np.maximum(total[present], 1e-300)).mean())


def _ratio(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0)
