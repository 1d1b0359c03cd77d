"""Fraction of objects with an answer. A score over the answered objects alone hides the difficult ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def coverage(answered: ArrayLike, weight: ArrayLike | None = None) -> float:
    """Fraction of objects with an answer, 0 to 1 (El-Yaniv and Wiener 2010, JMLR 11, 1605)."""
    return float(np.average(np.asarray(answered, bool), weights=None if weight is None else np.asarray(weight)))
