"""Logarithmic losses of probabilities, given the true classes."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.class_weights import balanced

LEAST_PROBABILITY = 1e-15
"""Smaller probabilities are replaced by this one, as in the metric of the challenge (arXiv:1809.11145)."""


def flat_log_loss(p: NDArray[np.float64], index: NDArray[np.int64], weight: ArrayLike) -> float:
    """Mean over the classes present of the mean of -ln p(true class), in nat: all classes have equal weight.

    ``p``: (n, k), rows adding up to 1; ``index``: the true column (n,); ``weight``: (n,). Source: arXiv:1809.11145.
    """
    return float(np.average(_surprise(p, index), weights=balanced(index, weight)))


def weighted_log_loss(
    p: NDArray[np.float64], index: NDArray[np.int64], weight: ArrayLike, class_weight: ArrayLike
) -> float:
    """As :func:`flat_log_loss` with a weight for each class, (k,): sum_c w_c loss_c / sum_c w_c over those present.

    The challenge gave weight 2 to some classes and 1 to the others (arXiv:1809.11145, equation 1).
    """
    row_weight = balanced(index, weight) * np.asarray(class_weight, np.float64)[index]
    return float(np.average(_surprise(p, index), weights=row_weight))


def log_loss(p: NDArray[np.float64], index: NDArray[np.int64], weight: ArrayLike) -> float:
    """Mean of -ln p(true class), nat: all objects have equal weight, so common classes dominate."""
    return float(np.average(_surprise(p, index), weights=np.asarray(weight, np.float64)))


def _surprise(p: NDArray[np.float64], index: NDArray[np.int64]) -> NDArray[np.float64]:
    return -np.log(np.clip(p[np.arange(len(p)), index], LEAST_PROBABILITY, 1.0))
