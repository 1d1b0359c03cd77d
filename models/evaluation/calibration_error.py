"""Calibration error and reliability diagrams, with bins of equal mass."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

ECE_BINS = 15
"""The number of bins of Guo et al. 2017 (arXiv:1706.04599), but of equal mass. For a good classifier many bins of equal
width are nearly empty, and the error depends on the position of their edges (arXiv:1909.10155)."""


@dataclass(frozen=True, slots=True)
class Reliability:
    """Bins of rising probability, (b,): mean probability, observed frequency, and weight of each."""

    predicted: NDArray[np.float64]
    observed: NDArray[np.float64]
    weight: NDArray[np.float64]

    @property
    def error(self) -> float:
        """Weighted mean of |observed - predicted|, 0 to 1."""
        return (
            float(np.average(np.abs(self.observed - self.predicted), weights=self.weight)) if self.weight.any() else 0.0
        )


def reliability(probability: ArrayLike, happened: ArrayLike, weight: ArrayLike, bins: int = ECE_BINS) -> Reliability:
    """Bins of equal weight, in the order of the probabilities; equal probabilities are in the same bin.

    ``probability``, ``happened`` (bool), ``weight``: (n,). With many ties there are fewer bins than requested.
    """
    q, w = np.asarray(probability, np.float64), np.asarray(weight, np.float64)
    _, rank = np.unique(q, return_inverse=True)
    mass = np.bincount(rank, weights=w)
    middle = (np.cumsum(mass) - mass / 2) / max(mass.sum(), 1e-300)
    which = np.minimum((middle * bins).astype(np.int64), bins - 1)[rank]
    total = np.bincount(which, weights=w, minlength=bins)
    filled = total > 0
    predicted, observed = (
        np.bincount(which, weights=w * np.asarray(part, np.float64), minlength=bins)[filled] / total[filled]
        for part in (q, happened)
    )
    return Reliability(predicted, observed, total[filled].astype(np.float64))


def expected_calibration_error(p: NDArray[np.float64], index: NDArray[np.int64], weight: ArrayLike) -> float:
    """Weighted mean over 15 bins of equal mass of |accuracy - mean confidence| of the top label (arXiv:1706.04599)."""
    return reliability(p.max(axis=1), p.argmax(axis=1) == index, weight).error


def class_calibration_errors(
    p: NDArray[np.float64], index: NDArray[np.int64], weight: ArrayLike
) -> NDArray[np.float64]:
    """The same for the probability of each class, (k,): classwise ECE (Kull et al. 2019, arXiv:1910.12656)."""
    return np.array([reliability(p[:, c], index == c, weight).error for c in range(p.shape[1])])


def error_of_the_perfect(p: NDArray[np.float64], weight: ArrayLike, *, seed: int, draws: int = 200) -> float:
    """The mean top-label error of perfectly calibrated probabilities on a sample of this size.

    The error of a finite sample is never 0, because each bin has few objects. The outcomes are drawn from the
    confidences. A measured error of about this value is no evidence against calibration (arXiv:2012.08668).
    """
    rng = np.random.default_rng(seed)
    confidence = p.max(axis=1)
    drawn = [reliability(confidence, rng.random(len(p)) < confidence, weight).error for _ in range(draws)]
    return float(np.mean(drawn))
