"""Causal truncations: each object at several of its alerts, so that one model scores first and last alerts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.datasets.labelled import Labelled, Triggers, alerts_at, triggers
from models.datasets.truth import NO_TEMPLATE, OWN_FAMILY
from models.hashing import scramble, uniform
from schemas.light_curves import LightCurves

SPLITS = ("train", "tune", "calibration", "test")
SPLIT_FRACTIONS = (0.60, 0.05, 0.17, 0.18)
"""Fractions of objects. ``train``: training set of the classifier and the novelty score. ``tune``: stops the boosting
and sets the scale of the novelty scores. ``calibration``: fits the probabilities and gives the conformal scores, which
must come from objects that nothing else uses. ``test``: held out; a demonstration may stream it."""

TEMPLATE_SEED = 4005

FIRST_DETECTIONS = 3
"""The first, second and third alert of every object are always taken, because decisions are made there."""

RANDOM_DETECTIONS = 3
"""Number of alerts drawn between the third and the last; the last is always taken too."""


@dataclass(frozen=True, slots=True)
class Snapshots:
    """Chosen alerts of labelled objects; all arrays have shape (m,).

    - ``light_curves``: the alerts as the stream would have them; ``class_id``: the true class.
    - ``weight``: for training; equal for all snapshots of an object, and adds up to 1 over them.
    - ``stream_weight``: inverse to the probability that the snapshot was chosen; adds up to 1 over an object. A mean
      over the snapshots with these weights estimates the mean over all alerts of the object.
    - ``split``: index into :data:`SPLITS`.
    - ``is_last``: the object's last alert.
    """

    light_curves: LightCurves
    class_id: NDArray[np.int64]
    weight: NDArray[np.float64]
    stream_weight: NDArray[np.float64]
    split: NDArray[np.int8]
    is_last: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.light_curves)


def split_of(object_id: ArrayLike, seed: int) -> NDArray[np.int8]:
    """The split of each object, an index into :data:`SPLITS`, by a seeded hash of its id alone.

    The split of an object does not change when others are added, and all its alerts have the same one.
    """
    return np.searchsorted(np.cumsum(SPLIT_FRACTIONS)[:-1], uniform(object_id, seed), side="right").astype(np.int8)


def splits(labelled: Labelled, seed: int) -> NDArray[np.int8]:
    """The split of each object, (n,). Objects that a simulation drew from one template are in the same split, because
    they are similar."""
    template = labelled.truth.template
    shared = (template != NO_TEMPLATE) & (template < OWN_FAMILY)
    return split_of(np.where(shared, scramble(template, TEMPLATE_SEED), labelled.light_curves.object_id), seed)


def held_out(labelled: Labelled, seed: int) -> NDArray[np.bool_]:
    """Mask of the objects that no part of a bundle trained with ``seed`` uses, shape (n,)."""
    return splits(labelled, seed) == SPLITS.index("test")


def take(labelled: Labelled, seed: int) -> Snapshots:
    """The snapshots of every object: its first three alerts, its last, and three drawn from the others.

    The draw is a hash of object and detection, so it does not depend on other objects. A snapshot has only points at
    or before its own time.
    """
    alerts = triggers(labelled.light_curves)
    total = np.bincount(alerts.row, minlength=len(labelled))[alerts.row]
    is_last = alerts.number == total - 1
    always = (alerts.number < FIRST_DETECTIONS) | is_last
    drawn, chance = _draw(labelled.light_curves.object_id, alerts, always, seed)
    which = np.flatnonzero(always | drawn)
    chosen = alerts.select(which)
    return Snapshots(
        light_curves=alerts_at(labelled.light_curves, chosen),
        class_id=labelled.class_id[chosen.row],
        weight=_shared(np.ones(len(which)), chosen.row),
        stream_weight=_shared(1.0 / chance[which], chosen.row),
        split=splits(labelled, seed)[chosen.row],
        is_last=is_last[which],
    )


def _draw(
    object_id: NDArray[np.int64], alerts: Triggers, always: NDArray[np.bool_], seed: int
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Of the triggers not always taken, those with the smallest hashes of an object; and the probability of each."""
    luck = uniform(object_id[alerts.row] ^ scramble(alerts.number, seed), seed + 1)
    order = np.lexsort((luck, always, alerts.row))  # within an object: first those not always taken
    begin = np.searchsorted(alerts.row, alerts.row)  # rows are in order
    rank = np.empty(len(alerts), np.int64)
    rank[order] = np.arange(len(alerts))
    rank -= begin
    candidates = np.bincount(alerts.row, weights=~always)[alerts.row] if len(alerts) else np.zeros(0)
    drawn = ~always & (rank < RANDOM_DETECTIONS)
    chance = np.where(always, 1.0, np.minimum(1.0, RANDOM_DETECTIONS / np.maximum(candidates, 1)))
    return drawn, chance


def _shared(weight: NDArray[np.float64], row: NDArray[np.int64]) -> NDArray[np.float64]:
    """Weights scaled to add up to 1 over the rows of each object."""
    return weight / np.bincount(row, weights=weight)[row] if len(row) else weight
