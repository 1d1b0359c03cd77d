"""The Brier score."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def brier_score(p: NDArray[np.float64], index: NDArray[np.int64], weight: ArrayLike) -> float:
    """Mean over objects of sum_c (p_c - [c is true])², 0 (perfect) to 2.

    All classes, in the original definition (Brier 1950, doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2).
    """
    p_true = p[np.arange(len(p)), index]
    return float(np.average((p**2).sum(axis=1) - 2 * p_true + 1, weights=np.asarray(weight, np.float64)))
