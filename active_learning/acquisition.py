"""What an object's label would teach: entropy, with more weight on the classes that have few labels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

COUNT_DISCOUNT = 0.98
"""β of the effective number of labels: a class's labels stop adding weight beyond about 1 / (1 − β) = 50 of them."""


def entropy_nats(probabilities: ArrayLike) -> NDArray[np.float64]:
    """Shannon entropy −Σ p ln p of each row, nats, shape (n,) from (n, k); 0 for a certain class, ln k at most.

    Negative and NaN probabilities count as 0.
    """
    p = _clean(probabilities)
    return _surprise(p).sum(axis=1)


def class_weights(label_counts: ArrayLike) -> NDArray[np.float64]:
    """Weight of each class from the number of labels it has, shape (k,), mean 1.

    Inverse effective number of samples (1 − β) / (1 − β^n) of Cui et al. 2019 (arXiv:1901.05555),
    with one label added to each class so that a class without labels has a finite weight.
    """
    counts = np.maximum(np.asarray(label_counts, np.float64), 0) + 1
    weights = (1 - COUNT_DISCOUNT) / (1 - COUNT_DISCOUNT**counts)
    return weights / weights.mean() if len(weights) else weights


def utility(probabilities: ArrayLike, label_counts: ArrayLike) -> NDArray[np.float64]:
    """Weighted entropy −Σ w_c p_c ln p_c of each row, nats, shape (n,) from (n, k) and (k,).

    Guiaşu 1971 (doi:10.1016/0034-4877(71)90002-4), with the weights of :func:`class_weights`. It is
    never divided by the cost of the spectrum: that buys more spectra, and teaches less an hour.
    """
    return _surprise(_clean(probabilities)) @ class_weights(label_counts)


def order_by_utility(probabilities: ArrayLike, label_counts: ArrayLike, ties: Sequence[int]) -> list[tuple[int, float]]:
    """Rows in the order to ask for them, each with its utility when it was chosen.

    Greedy: every chosen object adds its probabilities to the label counts before the next is chosen,
    so that a night is not spent on twenty objects that would all teach the same pair of classes.
    Equal utilities go by ``ties`` (the lower first), shape (n,).
    """
    p = _clean(probabilities)
    surprise, counts = _surprise(p), np.asarray(label_counts, np.float64).copy()
    by_tie = np.argsort(np.asarray(ties), kind="stable")
    left = np.ones(len(p), bool)
    chosen: list[tuple[int, float]] = []
    for _ in range(len(p)):
        values = np.where(left, surprise @ class_weights(counts), -np.inf)
        row = int(by_tie[np.argmax(values[by_tie])])
        chosen.append((row, float(values[row])))
        left[row] = False
        counts += p[row]
    return chosen


def _clean(probabilities: ArrayLike) -> NDArray[np.float64]:
    return np.clip(np.nan_to_num(np.atleast_2d(np.asarray(probabilities, np.float64))), 0, 1)


def _surprise(p: NDArray[np.float64]) -> NDArray[np.float64]:
    return -p * np.log(p, where=p > 0, out=np.zeros_like(p))
