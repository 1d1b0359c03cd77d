"""Split-conformal p-values of a novelty score, and the Benjamini-Hochberg threshold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, slots=True)
class Conformal:
    """Sorted scores of calibration objects, with the weight at or above each of them.

    - ``scores``: ascending, shape (m,); larger is stranger.
    - ``tail``: shape (m + 1,): the sum of weights of ``scores[i:]``; the last entry is 0.
    - ``own_weight``: the weight of a new alert; at least that of any calibration object.
    """

    scores: NDArray[np.float64]
    tail: NDArray[np.float64]
    own_weight: float

    @classmethod
    def fit(
        cls, scores: ArrayLike, object_id: ArrayLike, weight: ArrayLike, object_weight: ArrayLike | None = None
    ) -> Conformal:
        """Calibrate on scores of alerts of objects outside every training set.

        ``weight`` divides an object among its alerts. It is scaled to add up to 1 over the rows of each object, so
        that every object counts once, whatever its number of alerts. ``object_weight`` is the prior weight of the
        object (default 1), one value per row and the same for all rows of an object: for example the rate of its
        class in the survey divided by the fraction of the class here.

        Raises ValueError if there is no score or a weight is negative.
        """
        score, ids = np.asarray(scores, np.float64), np.asarray(object_id)
        share = np.asarray(weight, np.float64)
        prior = np.ones(len(score)) if object_weight is None else np.asarray(object_weight, np.float64)
        if not len(score):
            raise ValueError("conformal calibration needs the scores of at least one object, found none")
        if (share < 0).any() or (prior < 0).any():
            raise ValueError("weights of calibration objects must be 0 or greater, found negative ones")
        _, row = np.unique(ids, return_inverse=True)
        total = np.bincount(row, weights=share)
        mass = share / np.where(total > 0, total, 1)[row] * prior
        order = np.argsort(score, kind="stable")
        tail = np.concatenate([np.cumsum(mass[order][::-1])[::-1], [0.0]])
        return cls(score[order], tail, float(prior.max()))

    def p_value(self, scores: ArrayLike) -> NDArray[np.float64]:
        """The p-value of each score, shape (n,), in (0, 1]; 1 for a score that is not a number.

        p = (w + sum of w_ij over s_ij >= s) / (w + sum of all w_ij)

        w_ij is the weight of alert j of object i; over j these add up to the weight of the object. w is the weight of
        the new object. This is the conformal p-value of Bates et al. 2023 (arXiv:2104.08279, equation 3), for objects
        with several alerts (arXiv:2306.06342) and with prior weights (arXiv:1904.06019). If the new object is drawn
        like the calibration objects, and its alert like theirs, then P(p <= a) <= a for every a.
        """
        score = np.asarray(scores, np.float64)
        above = self.tail[np.searchsorted(self.scores, score, side="left")]
        p = np.minimum((self.own_weight + above) / (self.own_weight + self.tail[0]), 1.0)
        return np.where(np.isnan(score), 1.0, p)


def benjamini_hochberg(p_values: ArrayLike, fdr: float) -> float:
    """The largest p-value that is a discovery at false-discovery rate ``fdr``; 0.0 if there is none.

    This is the largest p_(k) of m with p_(k) <= fdr * k / m (doi:10.1111/j.2517-6161.1995.tb02031.x). The procedure
    is valid for conformal p-values, whose dependence is positive (arXiv:2104.08279). NaN counts as a test without a
    discovery. Raises ValueError if ``fdr`` is outside (0, 1).
    """
    _require_rate(fdr)
    p = np.sort(np.asarray(p_values, np.float64))  # those that are not numbers go last
    passes = p <= fdr * np.arange(1, len(p) + 1) / max(len(p), 1)
    return float(p[np.flatnonzero(passes)[-1]]) if passes.any() else 0.0


def _require_rate(fdr: float) -> None:
    if not 0 < fdr < 1:
        raise ValueError(f"a false-discovery rate must lie between 0 and 1, found {fdr}")
