"""The alerts that the novelty suite looks at: some of each object's, its last among them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from features.catalogue import NAMES
from models.datasets.labelled import Labelled
from models.datasets.sources import holds_light_curves, load
from models.hashing import uniform
from models.progress import Progress
from models.scoring.redshift_features import redshift_features
from models.suites.labelled_alerts import AlertSet
from models.training.training_rows import TrainingRows, training_table

LEARNT = 4
"""Alerts of an object that the networks learn from: its last, and others drawn at random."""


def rows_of(
    source: str, folder: Path, seed: int, *, progress: Progress, n_jobs: int | None
) -> tuple[Labelled, TrainingRows]:
    """Objects of a data set and their alerts with features, which are stored in ``folder``."""
    if holds_light_curves(source):
        labelled = load(source)
        table, _ = training_table(labelled, seed, folder, progress=progress, n_jobs=n_jobs)
        return labelled, TrainingRows.of(table, NAMES)
    alerts = AlertSet.load(Path(source).expanduser())
    shown = alerts.moments(folder, progress=progress, n_jobs=n_jobs).select(np.arange(len(alerts.alerts)))
    number = np.bincount(shown.object_row)[shown.object_row]
    rows = TrainingRows(
        features=shown.features,
        class_id=alerts.labelled.class_id[shown.object_row],
        object_id=shown.object_id,
        weight=1 / number,
        stream_weight=1 / number,
        detections=shown.detections,
        is_last=np.append(shown.object_row[1:] != shown.object_row[:-1], True),
        split=np.full(len(shown), "train"),
        host_photoz=alerts.alerts.host_photoz.astype(np.float64),
        host_photoz_err=alerts.alerts.host_photoz_err.astype(np.float64),
    )
    return alerts.labelled, rows


def with_redshift(rows: TrainingRows) -> NDArray[np.float64]:
    """The features, and those that the photometric redshift of the host adds."""
    added = redshift_features(rows.features, rows.host_photoz, rows.host_photoz_err)
    return np.concatenate([rows.features, added], axis=1)


def learnt(rows: TrainingRows, seed: int) -> NDArray[np.bool_]:
    """At most :data:`LEARNT` rows of each object, (n,)."""
    luck = uniform(np.arange(len(rows)), seed + 7) - rows.is_last
    order = np.lexsort((luck, rows.object_id))
    begin = np.searchsorted(rows.object_id[order], rows.object_id[order])
    chosen = np.zeros(len(rows), bool)
    chosen[order] = np.arange(len(order)) - begin < LEARNT
    return chosen


def folds(rows: TrainingRows, seed: int, number: int) -> NDArray[np.int64]:
    """The fold of each row, (n,), the same for all rows of an object."""
    return np.floor(uniform(rows.object_id, seed + 77) * number).astype(np.int64)
