"""A trial: training and test objects, classes, and the redshifts that may be used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.datasets.labelled import Labelled
from models.hashing import uniform

Folds = list[tuple[NDArray[np.int64], NDArray[np.int64]]]
"""Rows of training and test objects of each fold; no object is in both."""

SPECTRUM_ERROR = 0.001
"""Error of a redshift from a spectrum of the host; from the supernova itself it is larger."""


@dataclass(frozen=True, slots=True)
class Classes:
    """The ``k`` classes of a trial: names, and taxonomy ids for figures that need the class tree."""

    names: tuple[str, ...]
    class_ids: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.names)


@dataclass(frozen=True, slots=True)
class Trial:
    """``name`` is the suffix of the names of its figures; ``title`` is for people.

    - ``label``: the column of the true class of each object, (n,); -1 for objects that are left out.
    - ``copies``: copies per training object on average, see :mod:`models.suites.copied`. The donors of their visits and
      noise are the test objects, whose classes and redshifts are not used.
    - ``adapts_rates``: the test objects have other class rates, which are estimated from their probabilities, without
      their classes.
    - ``by_family``: the learner also holds out whole template families, because test objects may be of unknown ones.
    - ``simulated``: objects of all classes on which a second learner is trained.
    - ``lessons``: rounds of self-training, in which confident test objects join the training set.
    """

    name: str
    title: str
    classes: Classes
    label: NDArray[np.int64]
    folds: Folds
    days: tuple[float, ...]
    redshift: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None
    is_upper_bound: bool = False
    copies: int = 0
    trigger_bands: int = 1
    adapts_rates: bool = False
    by_family: bool = False
    lessons: int = 0
    simulated: Labelled | None = None


@dataclass(frozen=True, slots=True)
class Predictions:
    """Predictions for every test object at every moment; arrays of shape (m,), ``p`` (m, k).

    - ``mix``: class rates of the training objects, (k,).
    - ``balance``: the predicted class has the largest ``p / mix ** balance``. The power, from 0 (the most probable
      class) to 1, is chosen on held-out objects.
    - ``held_out``, ``held_out_label``, ``held_out_days``: cross-validated predictions for the training objects.
    - ``n_train``: number of training objects.
    - ``number``: the index of the moment among those of the suite; -1 for an entry.
    """

    p: NDArray[np.float64]
    label: NDArray[np.int64]
    object_row: NDArray[np.int64]
    object_id: NDArray[np.int64]
    days: NDArray[np.float64]
    detections: NDArray[np.int64]
    number: NDArray[np.int64]
    answered: NDArray[np.bool_]
    mix: NDArray[np.float64]
    balance: NDArray[np.float64]
    n_train: int
    held_out: NDArray[np.float64]
    held_out_label: NDArray[np.int64]
    held_out_days: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.p)

    @classmethod
    def not_learnt(
        cls,
        *,
        p: NDArray[np.float64],
        label: NDArray[np.int64],
        object_row: NDArray[np.int64],
        object_id: NDArray[np.int64],
        days: NDArray[np.float64],
        detections: NDArray[np.int64],
        number: NDArray[np.int64],
        answered: NDArray[np.bool_],
        mix: NDArray[np.float64],
        n_train: int = 0,
    ) -> Predictions:
        """Predictions that were not trained here: no objects are held out, and the most probable class is chosen."""
        return cls(
            p=p,
            label=label,
            object_row=object_row,
            object_id=object_id,
            days=days,
            detections=detections,
            number=number,
            answered=answered,
            mix=mix,
            balance=np.zeros(len(p)),
            n_train=n_train,
            held_out=np.zeros((0, len(mix))),
            held_out_label=np.zeros(0, np.int64),
            held_out_days=np.zeros(0),
        )

    def at(self, days: float) -> NDArray[np.int64]:
        """Rows of the moments ``days`` after the trigger."""
        return np.flatnonzero(self.days == days)


def folds_of(group: ArrayLike, label: ArrayLike, n_folds: int, seed: int, object_id: ArrayLike) -> Folds:
    """Folds that keep groups together and divide each class evenly; the largest groups are assigned first.

    ``group``, ``label``, ``object_id``: (n,); objects with label -1 are left out. Groups of equal size are taken in
    the order of a seeded hash of their smallest object id.
    """
    groups, y, ids = np.asarray(group), np.asarray(label), np.asarray(object_id, np.int64)
    fold = np.full(len(y), -1)
    for c in np.unique(y[y >= 0]):
        mine = np.flatnonzero(y == c)
        names, row, size = np.unique(groups[mine], return_inverse=True, return_counts=True)
        luck = np.full(len(names), np.inf)
        np.minimum.at(luck, row, uniform(ids[mine], seed))
        held = np.zeros(n_folds)
        for g in np.lexsort((luck, -size)):
            least = int(held.argmin())
            fold[mine[row == g]] = least
            held[least] += size[g]
    return [(np.flatnonzero((fold != f) & (fold >= 0)), np.flatnonzero(fold == f)) for f in range(n_folds)]


def shared_groups(folds: Folds, group: Sequence[int] | NDArray[np.int64]) -> int:
    """Number of groups on both sides of a split; it must be 0."""
    names = np.asarray(group)
    return sum(len(np.intersect1d(names[train], names[test])) for train, test in folds)
