"""Moments: each object some days after its trigger, with the features known at that time."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import ArrayLike, NDArray

from features.catalogue import NAMES, fingerprint
from features.grid import first_time
from features.portrait import PORTRAIT_SIZE
from models.datasets.labelled import Labelled, last_alerts
from models.hashing import uniform
from models.progress import Progress, silent
from models.scoring.abstention import n_detections
from models.training.extraction import extract_many, extract_with_portraits
from models.training.training_rows import keep
from schemas.light_curves import BANDS, LightCurves

WHOLE = float("inf")
"""Days after the trigger that stand for the whole light curve."""

DRAWN = 3
"""Extra moments of each object, at detections drawn by a hash of its id; for training only."""

PORTRAIT_NAMES = tuple(f"portrait_{number}" for number in range(PORTRAIT_SIZE))

VERSION = 3
"""Increased whenever the same data give other moments or portraits."""


@dataclass(frozen=True, slots=True)
class Moments:
    """Rows of objects at moments, arrays of shape (m,).

    - ``features``: (m, f) in the catalogue's order, from the points up to ``mjd`` only.
    - ``object_row``: the object's row in its :class:`Labelled`; ``object_id``: its id.
    - ``mjd``: the moment, MJD TAI; ``days``: after the trigger, infinite for the whole light curve, NaN for a
      moment that is for training only.
    - ``detections``: number up to then; ``is_new``: there are points that no earlier moment of the object had.
    - ``redshift``, ``redshift_err``: the redshift that a learner may use; NaN if there is none.
    - ``is_copy``: the row is of a copy of the object (:mod:`features.augment`).
    - ``number``: the index of the moment among those of the suite, from 0; -1 for a copy.
    - ``portrait``: (m, p) from :mod:`features.portrait`; (m, 0) without.
    - ``opinion``: (m, k) logits of a learner trained on other objects (:mod:`models.suites.simulations`); (m, 0)
      without.
    """

    features: NDArray[np.float64]
    object_row: NDArray[np.int64]
    object_id: NDArray[np.int64]
    mjd: NDArray[np.float64]
    days: NDArray[np.float64]
    detections: NDArray[np.int64]
    is_new: NDArray[np.bool_]
    redshift: NDArray[np.float64]
    redshift_err: NDArray[np.float64]
    is_copy: NDArray[np.bool_]
    number: NDArray[np.int64]
    portrait: NDArray[np.float32]
    opinion: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.object_row)

    def select(self, which: ArrayLike) -> Moments:
        """The chosen rows: row numbers or a mask."""
        index = np.asarray(which)
        return Moments(**{name: getattr(self, name)[index] for name in self.__slots__})

    @classmethod
    def concatenate(cls, parts: Sequence[Moments]) -> Moments:
        """Join the rows of all parts."""
        return cls(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in cls.__slots__})

    def of_objects(self, rows: ArrayLike) -> Moments:
        """All moments of the objects in the given rows of the labelled set."""
        return self.select(np.isin(self.object_row, np.asarray(rows)))

    def for_learning(self) -> Moments:
        """The moments that have new points, but at least one of each object."""
        return self.select(self.is_new)

    def at(self, days: float) -> Moments:
        """The moments ``days`` after the trigger."""
        return self.select(self.days == days)

    def with_redshift(self, redshift: ArrayLike, error: ArrayLike) -> Moments:
        """Redshift and error of each object of the labelled set, (n,) each."""
        z, err = np.asarray(redshift, np.float64), np.asarray(error, np.float64)
        return replace(self, redshift=z[self.object_row], redshift_err=err[self.object_row])


def trigger_mjd(light_curves: LightCurves, bands: int = 1) -> NDArray[np.float64]:
    """When each object was first detected in ``bands`` bands, MJD TAI, (n,).

    If it never was in so many, its first detection; without a detection, its first point.
    """
    begin = first_time(light_curves, np.ones(len(light_curves.time_mjd), bool))
    trigger = np.where(np.isfinite(begin), begin, np.inf)
    in_band = [
        first_time(light_curves, light_curves.is_detection & (light_curves.band == band)) for band in range(len(BANDS))
    ]
    first = np.sort(np.where(np.isfinite(in_band), in_band, np.inf), axis=0)
    for number in (1, bands):
        trigger = np.where(np.isfinite(first[number - 1]), first[number - 1], trigger)
    return trigger


def moments(
    labelled: Labelled,
    days: Sequence[float],
    folder: Path | None,
    *,
    trigger_bands: int = 1,
    drawn: int = DRAWN,
    as_alerts: bool = False,
    progress: Progress = silent,
    n_jobs: int | None = None,
) -> Moments:
    """Every object at each of the ``days`` after its trigger (:func:`trigger_mjd`), at the end, and at a few random
    moments.

    With ``as_alerts`` a moment shows the object as its last alert did (:func:`last_alerts`), without a portrait, for
    models of the stream. Features are stored in ``folder/<fingerprint>.parquet`` and read from there the next time;
    without a folder they are not stored.
    """
    object_row, mjd, day = _chosen(labelled, days, trigger_bands, drawn)
    whole = labelled.light_curves
    curves = last_alerts(whole, object_row, mjd) if as_alerts else whole.select(object_row).before(mjd)

    content = [labelled.fingerprint, list(map(float, days)), trigger_bands, drawn, len(curves)]
    content += [int(labelled.light_curves.object_id.sum()), *(["alerts"] if as_alerts else [])]
    features, portrait = measured(
        curves, content, folder, with_portraits=not as_alerts, progress=progress, n_jobs=n_jobs
    )
    nothing = np.full(len(curves), np.nan)
    return Moments(
        features=features,
        object_row=object_row,
        object_id=curves.object_id,
        mjd=curves.alert_mjd,
        days=day,
        detections=n_detections(curves),
        is_new=is_new(object_row, mjd, curves.n_points),
        redshift=nothing,
        redshift_err=nothing,
        is_copy=np.zeros(len(curves), bool),
        number=np.arange(len(curves)),
        portrait=portrait,
        opinion=np.zeros((len(curves), 0)),
    )


def _chosen(
    labelled: Labelled, days: Sequence[float], trigger_bands: int, n_drawn: int
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Row, time and days of every moment, object by object."""
    curves, n = labelled.light_curves, len(labelled)
    begin, first = trigger_mjd(curves, trigger_bands), trigger_mjd(curves)
    fixed = np.array([*(day for day in days if np.isfinite(day)), WHOLE])
    row = np.repeat(np.arange(n), len(fixed) + n_drawn)
    drawn = [_drawn(curves, first, k) for k in range(n_drawn)]
    whole = np.broadcast_to(fixed, (n, len(fixed)))
    end = curves.alert_mjd[:, None]
    mjd = np.concatenate([np.minimum(begin[:, None] + whole, end), np.reshape(drawn, (n_drawn, n)).T], axis=1)
    day = np.concatenate([whole, np.full((n, n_drawn), np.nan)], axis=1)
    return row, mjd.ravel(), day.ravel()


def _drawn(curves: LightCurves, first: NDArray[np.float64], k: int) -> NDArray[np.float64]:
    """A random time of each object between its first detection and its end, uniform in the square root of the days."""
    luck = uniform(curves.object_id, 100 + k)
    return first + luck**2 * np.maximum(curves.alert_mjd - first, 0.0)


def is_new(row: NDArray[np.int64], mjd: NDArray[np.float64], n_points: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether a moment has points that no earlier moment of the object in ``row`` had, (m,)."""
    order = np.lexsort((mjd, row))
    new = np.ones(len(row), bool)
    same = (np.diff(row[order]) == 0) & (np.diff(n_points[order]) == 0)
    new[order[1:]] = ~same
    return new


def measured(
    curves: LightCurves,
    content: list[object],
    folder: Path | None,
    *,
    with_portraits: bool = True,
    progress: Progress = silent,
    n_jobs: int | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """Features (m, f) and portraits, (m, p), or (m, 0) without: read from the file of ``content`` in the folder, or
    computed and written there."""
    names = [*NAMES, *(PORTRAIT_NAMES if with_portraits else ())]
    measure = extract_with_portraits if with_portraits else extract_many
    if folder is None:
        matrix = measure(curves, progress=progress, n_jobs=n_jobs)
    else:
        key = json.dumps([VERSION, fingerprint(), *content, len(names)])
        file = folder / f"moments-{hashlib.sha256(key.encode()).hexdigest()}.parquet"
        if not file.is_file():
            matrix = measure(curves, progress=progress, n_jobs=n_jobs).astype(np.float32)
            keep(pa.table({name: pa.array(matrix[:, j]) for j, name in enumerate(names)}), file)
        table = pq.read_table(file)
        matrix = np.stack([table[name].to_numpy() for name in names], axis=1)
    return matrix[:, : len(NAMES)].astype(np.float64), matrix[:, len(NAMES) :].astype(np.float32)
