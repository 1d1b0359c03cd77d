"""The nightly score: how an object of the stream differs from the nulls, learnt from the stream itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.discovery.likeness import likeness
from models.discovery.neighbours import LISTED, nearest
from models.discovery.novel_class import FOLDS, Pool, log_odds
from models.discovery.objects import Blocks, standardised

MOST_REFERENCE = 60_000
"""Objects that count as neighbours, at most; of more of them a random part does."""

PARTITIONS = 3
"""Random partitions into folds over which the log-odds of the novel class are averaged."""

LEAST_NULL_SHARE = 0.1
"""Part that nulls have of the reference at least: where they are rare, their absence says nothing."""


@dataclass(frozen=True, slots=True)
class Scored:
    """``score`` (n,) of nulls and stream together; ``space`` (n, d): the places that were compared."""

    score: NDArray[np.float64]
    space: NDArray[np.float32]


def scored(
    vectors: NDArray[np.float32],
    is_stream: NDArray[np.bool_],
    class_id: NDArray[np.int64],
    blocks: Blocks,
    rng: np.random.Generator,
    examples: NDArray[np.float32] | None = None,
) -> Scored:
    """Score nulls and stream, (n, d) together. ``examples``: (e, d) of labelled novel objects.

    The sum of two scores, each less its median and in units of the distance from there to its 90th percentile: how an
    object's neighbours crowd in the stream (:func:`models.discovery.neighbours.crowding`), and the log-odds of a
    novel class (:mod:`models.discovery.novel_class`). With examples a third one is added, twice: how like them an
    object is (:mod:`models.discovery.likeness`). No object is among its own neighbours, nor in the fold that its
    classes are fitted to.
    """
    n = len(vectors)
    robust = standardised(vectors if examples is None else np.concatenate([vectors, examples]))
    space = robust[:n] * blocks.column_scale(vectors.shape[1])
    reference = _reference(is_stream, rng)
    itself = np.full(n, -1)
    itself[reference] = np.arange(len(reference))
    listed = nearest(space, space[reference], LISTED, itself)
    pool = Pool(robust[:n], is_stream, class_id, reference, listed)
    return Scored(of_pool(pool, rng, robust[n:]), space)


def of_pool(pool: Pool, rng: np.random.Generator, examples: NDArray[np.float32]) -> NDArray[np.float64]:
    """The score of each row of a pool, (n,), as :func:`scored` describes it."""
    n = len(pool.is_stream)
    crowd = pool.crowding(np.ones(n, bool))
    odds = np.mean([log_odds(pool, rng.integers(FOLDS, size=n), examples) for _ in range(PARTITIONS)], axis=0)
    if not len(examples):
        return robust_z(crowd) + robust_z(odds)
    alike = likeness(pool, rng.integers(FOLDS, size=n), examples)
    return robust_z(crowd) + robust_z(odds) + 2 * robust_z(alike)


def places(vectors: NDArray[np.float32], blocks: Blocks) -> NDArray[np.float32]:
    """Where the vectors (n, d) lie in the space in which objects are compared, (n, d)."""
    return standardised(vectors) * blocks.column_scale(vectors.shape[1])


def robust_z(score: NDArray[np.float64]) -> NDArray[np.float64]:
    """Less the median, in units of the distance from there to the 90th percentile."""
    if not len(score):
        return score
    middle, high = np.quantile(score, [0.5, 0.9])
    return (score - middle) / max(high - middle, 1e-3)


def _reference(is_stream: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.int64]:
    """Rows that count as neighbours, in their order."""
    nulls, stream = np.flatnonzero(~is_stream), np.flatnonzero(is_stream)
    most_nulls = max(MOST_REFERENCE // 2, MOST_REFERENCE - len(stream))
    if len(nulls) > most_nulls:
        nulls = rng.choice(nulls, most_nulls, replace=False)
    most = min(MOST_REFERENCE - len(nulls), max(round(len(nulls) * (1 / LEAST_NULL_SHARE - 1)), 1000))
    if len(stream) > most:
        stream = rng.choice(stream, most, replace=False)
    return np.sort(np.concatenate([nulls, stream]))
