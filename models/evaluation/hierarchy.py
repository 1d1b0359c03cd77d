"""F1 over the class tree: confusing neighbouring classes costs less than confusing distant ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from schemas.taxonomy import lineage


def hierarchical_f1(
    p: NDArray[np.float64], index: NDArray[np.int64], weight: ArrayLike, class_ids: Sequence[int]
) -> float:
    """2 |A ∩ B| / (|A| + |B|), each summed over objects.

    A is the true class with its ancestors, B the predicted class with its ancestors, both without the common root.

    ``class_ids``: taxonomy ids of the k columns. Source: Kiritchenko, Matwin and Famili 2005 (hierarchical precision
    and recall with ancestors; Silla and Freitas 2011, doi:10.1007/s10618-010-0175-9).
    """
    above = [set(lineage(int(class_id))[1:]) for class_id in class_ids]
    shared = np.array([[len(a & b) for b in above] for a in above], np.float64)
    depth = np.array([len(a) for a in above], np.float64)
    predicted, w = p.argmax(axis=1), np.asarray(weight, np.float64)
    both = (w * shared[index, predicted]).sum()
    return float(2 * both / (w * (depth[index] + depth[predicted])).sum())
