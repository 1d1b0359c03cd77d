"""Groups: alike objects among the selected ones are one discovery."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MOST_PLACES = 4_000
"""Objects whose mutual distances are computed at most; the others join the group of the nearest of these."""

MOST_PAIRS = 1_000
"""Nulls of a class, at most, whose mutual distances say how far apart alike objects are."""

LEAST_OF_CLASS = 10
"""A class with fewer nulls says nothing about distances."""


def groups(at: NDArray[np.float32], null_at: NDArray[np.float32], null_class: NDArray[np.int64]) -> NDArray[np.int64]:
    """The group of each of ``n`` places (n, d), numbered by size, the largest 0; an object alone is its own group.

    Average linkage (UPGMA, Sokal and Michener 1958), cut at the distance that two objects of one known class usually
    have (:func:`usual_distance`, from the nulls' places (m, d) and classes (m,)): a group is as wide as a class is.

    >>> rng = np.random.default_rng(1)
    >>> nulls = rng.normal(0, 1, (200, 8)).astype(np.float32)
    >>> two_clusters = np.concatenate([rng.normal(c, 0.5, (n, 8)) for c, n in ((0, 5), (9, 20))]).astype(np.float32)
    >>> groups(two_clusters, nulls, np.zeros(200, int)).tolist() == [1] * 5 + [0] * 20
    True
    """
    n = len(at)
    if n < 2:
        return np.arange(n)
    from scipy.cluster.hierarchy import fcluster, linkage

    first = at[:MOST_PLACES].astype(np.float64)
    label = fcluster(linkage(first, "average"), usual_distance(null_at, null_class), "distance").astype(np.int64)
    if n > len(first):
        label = np.concatenate([label, label[_nearest(at[len(first) :].astype(np.float64), first)]])
    _, member, size = np.unique(label, return_inverse=True, return_counts=True)
    earliest = np.full(len(size), n)
    np.minimum.at(earliest, member, np.arange(n))
    number = np.empty(len(size), np.int64)
    number[np.lexsort((earliest, -size))] = np.arange(len(size))
    return number[member]


def usual_distance(null_at: NDArray[np.float32], null_class: NDArray[np.int64]) -> float:
    """The mean, over classes, of the median distance between two nulls of a class; 0 without such nulls."""
    from scipy.spatial.distance import pdist

    of_classes = [null_at[null_class == class_id][:MOST_PAIRS] for class_id in np.unique(null_class)]
    medians = [np.median(pdist(one.astype(np.float64))) for one in of_classes if len(one) >= LEAST_OF_CLASS]
    return float(np.mean(medians)) if medians else 0.0


def _nearest(at: NDArray[np.float64], among: NDArray[np.float64]) -> NDArray[np.int64]:
    from scipy.spatial import KDTree

    return np.asarray(KDTree(among).query(at)[1], np.int64)
