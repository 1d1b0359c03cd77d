"""A labelled set played as a stream: its objects in time order, scored by a finished model at several moments each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.datasets import sources
from models.datasets.labelled import Labelled
from models.progress import Progress, silent
from models.scoring.redshift_view import Host
from models.scoring.scorer import Scorer
from models.suites import bts, spcc
from models.suites.bundled import unseen
from models.suites.labelled_alerts import AlertSet
from models.suites.moments import WHOLE, Moments, moments
from schemas import labelled_alerts
from schemas.taxonomy import NOT_CLASSIFIED

OTHER_DAYS = bts.DAYS
"""Moments of sets that belong to no suite, days after the trigger."""


@dataclass(frozen=True, slots=True)
class Played:
    """``m`` alerts of the set's objects, in the order of the objects' last alerts, with the model's scores.

    - ``labelled``: the objects; ``object_row``: of each alert, (m,); ``turn``: the place of its object in the stream,
      from 0, (m,); ``is_last``: the last alert of its object, (m,).
    - ``class_id``, ``survey``, ``detections``: (m,); ``label``: the model's column of the class, (m,), -1 if it has
      none.
    - ``p_published`` (m, k): as the model publishes them; ``p_model`` (m, k) and ``x`` (m, d): what an adaptation
      learns from; ``novelty``, ``p_value``: (m,); ``vectors`` (m, r): what objects are compared by.
    """

    labelled: Labelled
    object_row: NDArray[np.int64]
    turn: NDArray[np.int64]
    is_last: NDArray[np.bool_]
    class_id: NDArray[np.int64]
    label: NDArray[np.int64]
    survey: NDArray[np.int8]
    detections: NDArray[np.int64]
    p_published: NDArray[np.float64]
    p_model: NDArray[np.float64]
    x: NDArray[np.float64]
    novelty: NDArray[np.float64]
    p_value: NDArray[np.float64]
    vectors: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.turn)

    @property
    def n_objects(self) -> int:
        """Number of objects that are played."""
        return int(self.is_last.sum())

    def rows_of(self, turns: NDArray[np.int64], *, last: bool = False) -> NDArray[np.int64]:
        """Rows of the objects at these places in the stream; only their last alerts with ``last``."""
        mine = np.isin(self.turn, turns)
        return np.flatnonzero(mine & self.is_last if last else mine)


def play(
    source: str, scorer: Scorer, folder: Path | None, *, progress: Progress = silent, n_jobs: int | None = None
) -> Played:
    """The set at ``source``, scored by a model; objects that it was trained on, without class or without a detection
    are left out. Features are stored in ``folder``.

    ``source``: anything with light curves and classes that ``models.datasets.sources`` reads, or labelled alerts
    (``schemas.labelled_alerts``); its content decides. Raises LookupError or ValueError as these.
    """
    labelled, rows = _moments(source, folder, progress, n_jobs)
    usable = unseen(scorer, labelled) & (labelled.class_id != NOT_CLASSIFIED)
    rows = rows.select(usable[rows.object_row] & (rows.detections > 0) & (rows.is_new | (rows.days == WHOLE)))
    ends = rows.select(rows.days == WHOLE)
    rows = rows.select(np.isin(rows.object_row, ends.object_row))
    if not len(rows):
        raise ValueError(f"{source}: no object with a class and a detection is outside the model's training set")
    turn = np.full(len(labelled), -1)
    turn[ends.object_row[np.lexsort((ends.object_id, ends.mjd))]] = np.arange(len(ends))
    order = np.lexsort((rows.days == WHOLE, rows.mjd, turn[rows.object_row]))
    return _scored(labelled, rows.select(order), turn, scorer)


def _scored(labelled: Labelled, rows: Moments, turn: NDArray[np.int64], scorer: Scorer) -> Played:
    curves = labelled.light_curves
    survey = curves.survey[rows.object_row]
    photoz = (getattr(curves, name)[rows.object_row].astype(np.float64) for name in ("host_photoz", "host_photoz_err"))
    host = Host(*photoz)
    p_flat, novelty, p_value = scorer.evaluate(rows.features, rows.detections, host, survey)
    p_model, x = scorer.before_adapting(rows.features, rows.detections, host)
    class_id = labelled.class_id[rows.object_row]
    column = {int(one): number for number, one in enumerate(scorer.class_ids)}
    return Played(
        labelled=labelled,
        object_row=rows.object_row,
        turn=turn[rows.object_row],
        is_last=rows.days == WHOLE,
        class_id=class_id,
        label=np.array([column.get(int(one), -1) for one in class_id], np.int64),
        survey=survey,
        detections=rows.detections,
        p_published=scorer.at_rates(p_flat, survey),
        p_model=p_model,
        x=x,
        novelty=novelty,
        p_value=p_value,
        vectors=scorer.object_vectors(rows.features, rows.detections).wide,
    )


def _moments(source: str, folder: Path | None, progress: Progress, n_jobs: int | None) -> tuple[Labelled, Moments]:
    if _holds_labelled_alerts(source):
        alerts = AlertSet.load(Path(source).expanduser())
        return alerts.labelled, alerts.moments(folder, progress=progress, n_jobs=n_jobs)
    labelled = sources.load(source)
    spectrum = labelled.truth.spectroscopic
    has_spectroscopic_sample = spectrum.any() and not spectrum.all()  # as the challenge has: its suite's features serve
    days, bands = (spcc.DAYS, spcc.TRIGGER_BANDS) if has_spectroscopic_sample else (OTHER_DAYS, 1)
    return labelled, moments(
        labelled, days, folder, trigger_bands=bands, as_alerts=True, progress=progress, n_jobs=n_jobs
    )


def _holds_labelled_alerts(source: str) -> bool:
    """Whether the path holds a table of labelled alerts: its histories are list columns."""
    path = Path(source).expanduser()
    files = sorted(path.glob("*.parquet")) if path.is_dir() else [path] if path.suffix == ".parquet" else []
    return bool(files) and labelled_alerts.is_table(files[0])
