"""The novel class: a normal distribution of what crowds in the stream, against those of the known classes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.discovery.neighbours import crowding
from models.scoring.class_gaussians import ClassGaussians

FOLDS = 3
"""An object is scored by classes that were fitted to the objects of the other folds."""

SHRINKAGE = 150.0
"""Weight, in objects, of the common covariance in that of a class."""

LEAST_WEIGHT = 0.02
"""Objects of the stream with less weight are not in the novel class."""

LEAST_TOTAL, FIRST_GUESS = 3.0, 10
"""With less weight in all, the objects that crowd most, so many, get half a weight each: a class needs members."""

MOST_MEMBERS = 20_000
"""Objects that a class is fitted to, at most: more of them no longer change it."""


@dataclass(frozen=True, slots=True)
class Pool:
    """Nulls and stream together: ``robust`` (n, d) standardised vectors, ``is_stream`` (n,), ``class_id`` (n,) of the
    nulls, ``reference`` (r,) the rows that count as neighbours, ``listed`` (n, k) neighbours as places in it."""

    robust: NDArray[np.float32]
    is_stream: NDArray[np.bool_]
    class_id: NDArray[np.int64]
    reference: NDArray[np.int64]
    listed: NDArray[np.int32]

    def crowding(self, among: NDArray[np.bool_]) -> NDArray[np.float64]:
        """:func:`models.discovery.neighbours.crowding` of the rows of a mask (n,), among these."""
        origin = np.where(among, self.is_stream, -1).astype(np.int8)[self.reference]
        return np.asarray(crowding(self.listed, origin, np.flatnonzero(among)))


def log_odds(pool: Pool, fold: NDArray[np.int64], examples: NDArray[np.float32]) -> NDArray[np.float64]:
    """Of the novel class against the known ones, out of fold, (n,). ``examples``: (e, d) of labelled novel objects,
    which make a second novel class."""
    out = np.zeros(len(fold))
    for j in range(FOLDS):
        there = fold != j
        if there.all():
            continue
        nulls = np.flatnonzero(there & ~pool.is_stream)[:MOST_MEMBERS]
        stream, weight = _members(pool, there)
        share = max(weight.sum(), LEAST_TOTAL) / max((there & pool.is_stream).sum(), LEAST_TOTAL)
        ids, index = np.unique(pool.class_id[nulls], return_inverse=True)
        k, novel = len(ids), 2 if len(examples) else 1
        x = np.concatenate([pool.robust[nulls], pool.robust[stream], examples]).astype(np.float64)
        label = np.concatenate([index, np.full(len(stream), k), np.full(len(examples), k + 1)])
        w = np.concatenate([np.ones(len(nulls)), weight, np.ones(len(examples))])
        if not len(stream):  # a night without objects
            continue
        gaussians = ClassGaussians.fit(x, label, w, k + novel, SHRINKAGE)
        rates = np.append(np.bincount(index) / len(nulls) * (1 - min(share, 0.5)), [share] * novel)
        out[fold == j] = _odds(gaussians, pool.robust[fold == j], np.log(rates), k)
    return out


def _odds(
    gaussians: ClassGaussians, x: NDArray[np.float32], log_rates: NDArray[np.float64], k: int
) -> NDArray[np.float64]:
    """Of the classes from the ``k``-th on against those before, (n,)."""
    parts = []
    for start in range(0, len(x), 100_000):
        density = gaussians.log_densities(x[start : start + 100_000].astype(np.float64)) + log_rates
        parts.append(np.logaddexp.reduce(density[:, k:], axis=1) - np.logaddexp.reduce(density[:, :k], axis=1))
    return np.concatenate(parts) if parts else np.zeros(0)


def _members(pool: Pool, there: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Rows of the stream in the novel class, and their weights: (1 - local false-discovery rate)^2 of the crowding."""
    rows, q = np.flatnonzero(there), pool.crowding(there)
    of_stream = pool.is_stream[rows]
    nulls, stream = np.sort(q[~of_stream]), q[of_stream]
    p = (1 + len(nulls) - np.searchsorted(nulls, stream, side="left")) / (len(nulls) + 1)
    ordered = np.sort(p)
    rate = p * len(p) / np.searchsorted(ordered, p, side="right")
    weight = np.square(np.clip(1 - rate, 0, 1))
    if len(p) and weight[weight > LEAST_WEIGHT].sum() < LEAST_TOTAL:
        weight = np.maximum(weight, 0.5 * (p <= ordered[min(FIRST_GUESS, len(p)) - 1]))
    chosen = np.flatnonzero(weight > LEAST_WEIGHT)
    if len(chosen) > MOST_MEMBERS:
        chosen = chosen[np.argsort(-weight[chosen], kind="stable")[:MOST_MEMBERS]]
    return rows[of_stream][chosen], weight[chosen]
