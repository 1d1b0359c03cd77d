"""Groups: alike objects among the selected ones are one discovery."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LEAST_MEMBERS = 5
"""Objects that make a group; fewer alike ones stay alone."""


def groups(at: NDArray[np.float32]) -> NDArray[np.int64]:
    """The group of each of ``n`` places (n, d), numbered by size, the largest 0; an object alone is its own group.

    HDBSCAN (doi:10.1007/978-3-642-37456-2_14): groups are where the density is higher than between them.
    """
    n = len(at)
    if n < LEAST_MEMBERS:
        return np.arange(n)
    from sklearn.cluster import HDBSCAN  # here: the import takes a second

    clusters = HDBSCAN(min_cluster_size=LEAST_MEMBERS, allow_single_cluster=True, copy=True)
    label = clusters.fit_predict(at.astype(np.float64))
    alone = label < 0
    label[alone] = label.max(initial=-1) + 1 + np.arange(alone.sum())
    _, first, member, size = np.unique(label, return_index=True, return_inverse=True, return_counts=True)
    order = np.lexsort((first, -size))
    number = np.empty(len(order), np.int64)
    number[order] = np.arange(len(order))
    return number[member]
