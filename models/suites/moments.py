"""Moments: each object as it was known some days after its trigger, with its features."""

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
"""Days after the trigger: all that there is of the light curve."""

DRAWN = 3
"""Further moments of each object, at detections drawn by a hash of the object's id: for learning alone."""

PORTRAIT_NAMES = tuple(f"portrait_{number}" for number in range(PORTRAIT_SIZE))

VERSION = 3
"""Raised when the same data give other moments or portraits."""


@dataclass(frozen=True, slots=True)
class Moments:
    """Rows of objects at moments, arrays of shape (m,).

    - ``features``: (m, f) in the catalogue's order, of the points up to ``mjd`` alone.
    - ``object_row``: the object's row in its :class:`Labelled`; ``object_id``: its id.
    - ``mjd``: the moment, MJD TAI; ``days``: after the trigger, infinite for the whole light curve, NaN where the
      moment is for learning alone.
    - ``detections``: up to then; ``is_new``: the light curve has points that no earlier moment of the object had.
    - ``redshift``, ``redshift_err``: what a learner may know of it, NaN where it may not.
    - ``is_copy``: of a copy of the object (:mod:`features.augment`), not of the object itself.
    - ``number``: the moment's place among those of the suite, from 0; -1 of a copy's.
    - ``portrait``: (m, p) as :mod:`features.portrait` draws it, (m, 0) without.
    - ``opinion``: (m, k) logits of a learner of other objects (:mod:`models.suites.simulations`), (m, 0) without one.
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
        """The rows of all parts, one after the other."""
        return cls(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in cls.__slots__})

    def of_objects(self, rows: ArrayLike) -> Moments:
        """All moments of the objects in the given rows of the labelled set."""
        return self.select(np.isin(self.object_row, np.asarray(rows)))

    def for_learning(self) -> Moments:
        """The moments at which something was new, in any case one of each object."""
        return self.select(self.is_new)

    def at(self, days: float) -> Moments:
        """The moments so many days after the trigger."""
        return self.select(self.days == days)

    def with_redshift(self, redshift: ArrayLike, error: ArrayLike) -> Moments:
        """What is known of the redshift of each object of the labelled set, (n,) each."""
        z, err = np.asarray(redshift, np.float64), np.asarray(error, np.float64)
        return replace(self, redshift=z[self.object_row], redshift_err=err[self.object_row])


def trigger_mjd(light_curves: LightCurves, bands: int = 1) -> NDArray[np.float64]:
    """When each object had been detected in ``bands`` bands, MJD TAI, (n,); where it never was in so many, its first
    detection, and where it has none, its first point."""
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
    """Every object at each of the ``days`` after its trigger (:func:`trigger_mjd`), at the end, and at a few moments
    drawn.

    With ``as_alerts`` an object is seen as its last alert up to the moment showed it (:func:`last_alerts`), without a
    portrait: what a model of the stream is made for. Features are kept in ``folder/<fingerprint>.parquet`` and read
    from there the next time; nowhere without one.
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
    """A time of each object between its first detection and its end, evenly in the square root of the days."""
    luck = uniform(curves.object_id, 100 + k)
    return first + luck**2 * np.maximum(curves.alert_mjd - first, 0.0)


def is_new(row: NDArray[np.int64], mjd: NDArray[np.float64], n_points: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether a moment has points that no earlier one of the object in ``row`` had, (m,)."""
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
    """Features (m, f) and portraits, (m, p), or (m, 0) without: read from the folder's file of what ``content`` names,
    or measured, and written there."""
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
