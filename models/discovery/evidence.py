"""Why an object was selected: the objects that it resembles, and the features in which it differs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.discovery.neighbours import nearest
from models.discovery.objects import Objects

ALIKE = 5
"""Nearest known and nearest novel objects that are named."""

DRIVERS = 5
"""Features that are named."""

LEAST_OF_CLASS = 20
"""Nulls of a class that its typical features need; with fewer, those of all nulls are used."""


@dataclass(frozen=True, slots=True)
class Driver:
    """A feature, and how many standard deviations it lies from the mean of the object's most probable class."""

    feature: str
    deviation: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """Of a selected object.

    - ``nearest_nulls``: rows of the most alike nulls, and ``nearest_classes``, their classes; the most alike first.
    - ``nearest_novel``: rows (of the stream) of the most alike other selected objects.
    - ``drivers``: the features that differ most from its most probable class; empty without features.
    """

    nearest_nulls: tuple[int, ...]
    nearest_classes: tuple[int, ...]
    nearest_novel: tuple[int, ...]
    drivers: tuple[Driver, ...]


def evidence(
    stream: Objects,
    nulls: Objects,
    chosen: NDArray[np.int64],
    at: NDArray[np.float32],
    null_at: NDArray[np.float32],
) -> tuple[Evidence, ...]:
    """The evidence of the ``chosen`` rows of the stream. ``at`` (s, d), ``null_at`` (n, d): their places in space."""
    alike_nulls = nearest(at, null_at, ALIKE)
    alike_novel = nearest(at, at, ALIKE, np.arange(len(at)))
    drivers = _drivers(stream, nulls, chosen)
    return tuple(
        Evidence(
            tuple(int(i) for i in alike_nulls[row] if i >= 0),
            tuple(int(nulls.class_id[i]) for i in alike_nulls[row] if i >= 0),
            tuple(int(chosen[i]) for i in alike_novel[row] if i >= 0),
            drivers[row],
        )
        for row in range(len(chosen))
    )


def _drivers(stream: Objects, nulls: Objects, chosen: NDArray[np.int64]) -> list[tuple[Driver, ...]]:
    if not stream.feature_names or not len(nulls):
        return [() for _ in chosen]
    out: list[tuple[Driver, ...]] = [() for _ in chosen]
    for class_id in np.unique(stream.class_id[chosen]):
        mine = nulls.class_id == class_id
        typical = nulls.features[mine] if mine.sum() >= LEAST_OF_CLASS else nulls.features
        there = ~np.isnan(typical)
        number = np.maximum(there.sum(axis=0), 1)
        mean = np.where(there, typical, 0).sum(axis=0) / number
        spread = np.sqrt(np.where(there, np.square(typical - mean), 0).sum(axis=0) / number)
        for place in np.flatnonzero(stream.class_id[chosen] == class_id):
            deviation = np.nan_to_num((stream.features[chosen[place]] - mean) / (spread + 0.1))
            largest = np.argsort(-np.abs(deviation), kind="stable")[:DRIVERS]
            out[place] = tuple(Driver(stream.feature_names[f], float(deviation[f])) for f in largest)
    return out
