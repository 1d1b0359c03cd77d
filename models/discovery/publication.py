"""Which objects to publish: Benjamini-Hochberg over objects, and what was published on earlier nights stays."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


def _no_ids() -> NDArray[np.int64]:
    return np.zeros(0, np.int64)


@dataclass(frozen=True, slots=True)
class History:
    """What earlier nights of the window did: ids of published objects, and of nulls that went over their thresholds.

    The nulls take part as if they were of the stream. Their share over any threshold of any night estimates the share
    of known objects among the published ones.
    """

    published: NDArray[np.int64] = field(default_factory=_no_ids)
    passed_nulls: NDArray[np.int64] = field(default_factory=_no_ids)


def p_values(score: NDArray[np.float64], null_score: NDArray[np.float64]) -> NDArray[np.float64]:
    """(1 + nulls at or above) / (nulls + 1) of each score, (n,): the conformal p-value (arXiv:2104.08279)."""
    ordered = np.sort(null_score)
    return (1 + len(ordered) - np.searchsorted(ordered, score, side="left")) / (len(ordered) + 1)


def q_values(
    score: NDArray[np.float64],
    null_score: NDArray[np.float64],
    published: NDArray[np.bool_],
    passed: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """The smallest rate of false discoveries at which each object would be published, (n,), at most 1.

    Without a history these are Benjamini and Hochberg's adjusted p-values. With one, the estimate at a threshold is

        n (1 + nulls over it or that ``passed`` before) / ((nulls + 1) (objects over it or ``published`` before))

    An object that was ``published`` before has the estimate for the published ones alone, if that is lower.
    """
    n, m = len(score), len(null_score)
    if not n:
        return np.zeros(0)
    cut, place = np.unique(-score, return_inverse=True)  # the highest score first
    fresh = np.sort(null_score[~passed])
    false = 1 + passed.sum() + len(fresh) - np.searchsorted(fresh, -cut, side="left")
    chosen = published.sum() + np.cumsum(np.bincount(place[~published], minlength=len(cut)))
    estimate = n * false / ((m + 1) * np.maximum(chosen, 1))
    q = np.minimum.accumulate(estimate[::-1])[::-1][place]
    if published.any():
        alone = n * (1 + passed.sum()) / ((m + 1) * published.sum())
        q = np.where(published, np.minimum(q, alone), q)
    return np.minimum(q, 1.0)


@dataclass(frozen=True, slots=True)
class Published:
    """A night's decision: ``q`` (n,) of the stream, ``chosen`` (n,) all that is published now, and ``over`` (m,) the
    nulls over tonight's threshold."""

    q: NDArray[np.float64]
    chosen: NDArray[np.bool_]
    over: NDArray[np.bool_]


def publish(
    score: NDArray[np.float64],
    null_score: NDArray[np.float64],
    fdr: float,
    published: NDArray[np.bool_],
    passed: NDArray[np.bool_],
) -> Published:
    """Publish what has a q-value of at most ``fdr``, and what is ``published`` already."""
    q = q_values(score, null_score, published, passed)
    chosen = published | (q <= fdr)
    threshold = score[chosen & ~published].min(initial=np.inf)
    return Published(q, chosen, null_score >= threshold)
