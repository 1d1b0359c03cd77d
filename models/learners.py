"""What learns in a published test: a small interface, and the first that fills it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.calibration import Calibration
from models.classifier import Classifier
from models.datasets.labelled import Labelled
from models.hashing import uniform
from models.redshift_features import redshift_features
from models.suites.moments import Moments
from models.training_rows import Progress

FOLDS = 3
"""Parts into which the learner cuts its own objects, to calibrate on those a part of it has not seen."""


class Fitted(Protocol):
    """What was learnt."""

    def predict_proba(self, rows: Moments) -> NDArray[np.float64]:
        """Probabilities at the class rates of the objects learnt from, (m, k), rows adding up to 1."""
        ...


class Learner(Protocol):
    """Learns classes from moments of objects. Whatever has :meth:`fit` takes part in every suite."""

    @property
    def name(self) -> str:
        """As it stands in reports."""
        ...

    def fit(self, rows: Moments, label: NDArray[np.int64], n_classes: int, objects: Labelled, seed: int) -> Learnt:
        """Learn from ``rows`` (m,) with the true column ``label`` (m,).

        ``objects``: the set that ``rows.object_row`` counts in; a learner that wants more than features takes the
        light curves of these rows from it, at ``rows.mjd``, and no other's. It must not look at ``objects.truth``.
        """
        ...


@dataclass(frozen=True, slots=True)
class Learnt:
    """A fit, and what the learner would have said of its own objects from the others alone: (m, k)."""

    fitted: Fitted
    held_out: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class BoostedTrees:
    """Histogram gradient boosting on the catalogue's features, with those of the redshift where it is told.

    Calibrated for each number of detections on predictions of objects that the trees did not see.
    """

    name: str = "boosted trees"
    folds: int = FOLDS
    iterations: int = 80
    progress: Progress | None = None

    def fit(self, rows: Moments, label: NDArray[np.int64], n_classes: int, objects: Labelled, seed: int) -> Learnt:
        x, weight = matrix(rows), object_weight(rows.object_id)
        raw = np.zeros((len(rows), n_classes))
        part = np.floor(uniform(rows.object_id, seed + 7) * self.folds).astype(np.int64)
        for fold in range(self.folds):
            seen = part != fold
            if (~seen).any() and len(np.unique(label[seen])) > 1:
                raw[~seen] = self._boost(x[seen], label[seen], weight[seen], seed + fold, n_classes)(x[~seen])
        calibration = Calibration.fit(raw, label, weight, rows.detections, equal_rates=False)
        whole = self._boost(x, label, weight, seed, n_classes)
        return Learnt(_Calibrated(whole, calibration), calibration.p_flat(raw, rows.detections))

    def _boost(
        self, x: NDArray[np.float64], label: NDArray[np.int64], weight: NDArray[np.float64], seed: int, n_classes: int
    ) -> _Scores:
        fitted = Classifier.fit(x, label, weight, seed=seed, max_iterations=self.iterations)
        return _Scores(fitted, n_classes)


@dataclass(frozen=True, slots=True)
class _Scores:
    """Raw scores with a column for every class, also those that this part of the objects lacks."""

    classifier: Classifier
    n_classes: int

    def __call__(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        found = self.classifier.raw_scores(x)
        raw = np.full((len(x), self.n_classes), found.min(axis=1, initial=0.0)[:, None] - 2.0)
        raw[:, self.classifier.class_ids] = found
        return raw


@dataclass(frozen=True, slots=True)
class _Calibrated:
    scores: _Scores
    calibration: Calibration

    def predict_proba(self, rows: Moments) -> NDArray[np.float64]:
        return self.calibration.p_flat(self.scores(matrix(rows)), rows.detections)


def matrix(rows: Moments) -> NDArray[np.float64]:
    """The catalogue's features, with those of the redshift beside them where any row has one."""
    if not np.isfinite(rows.redshift).any():
        return rows.features
    return np.concatenate([rows.features, redshift_features(rows.features, rows.redshift, rows.redshift_err)], axis=1)


def object_weight(object_id: NDArray[np.int64]) -> NDArray[np.float64]:
    """1 / the object's rows: an object counts once."""
    _, row, count = np.unique(object_id, return_inverse=True, return_counts=True)
    return 1.0 / count[row]
