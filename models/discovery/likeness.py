"""How like labelled novel objects an object is: a few labels find more of their kind, before there is a crowd."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.discovery.novel_class import FOLDS, MOST_MEMBERS, Pool

STRENGTH = 0.02
"""Inverse of the penalty: a few examples in many dimensions say little for certain."""

SHARE = 0.02
"""Weight of all examples together, as a part of that of the nulls."""


def likeness(pool: Pool, fold: NDArray[np.int64], examples: NDArray[np.float32]) -> NDArray[np.float64]:
    """Log-odds of a logistic regression of the ``examples`` (e, d) against the nulls of the other folds, (n,)."""
    from sklearn.linear_model import LogisticRegression  # here: the import takes a second

    out = np.zeros(len(fold))
    for j in range(FOLDS):
        nulls = np.flatnonzero((fold != j) & ~pool.is_stream)[:MOST_MEMBERS]
        if not len(nulls):
            continue
        x = np.concatenate([pool.robust[nulls], examples])
        weight = np.concatenate([np.ones(len(nulls)), np.full(len(examples), SHARE * len(nulls) / len(examples))])
        line = LogisticRegression(C=STRENGTH, max_iter=200).fit(
            x, np.arange(len(x)) >= len(nulls), sample_weight=weight
        )
        out[fold == j] = line.decision_function(pool.robust[fold == j])
    return out
