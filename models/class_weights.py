"""Weights that balance the classes, fully or in part."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def balanced(class_id: ArrayLike, weight: ArrayLike, power: float = 1.0) -> NDArray[np.float64]:
    """Each weight divided by a power of the sum of its class, then scaled to a mean of 1; shape (n,).

    With ``power`` 1 every class has the same sum; with 0 the weights keep their proportions.
    """
    if not len(np.asarray(weight)):
        return np.zeros(0)
    _, row = np.unique(np.asarray(class_id), return_inverse=True)
    total = np.bincount(row, weights=np.asarray(weight, np.float64))
    scaled = np.asarray(weight, np.float64) / total[row] ** power
    return scaled / scaled.mean()
