"""Moments of copies: labelled objects moved to greater distances and observed at other visits."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from features.augment import Copies
from models.datasets.labelled import Labelled
from models.progress import Progress, silent
from models.suites.moments import Moments, moments
from models.suites.trial import SPECTRUM_ERROR, Trial
from models.training.copies import made, wanted
from schemas.light_curves import LightCurves

_KEPT: dict[str, tuple[Copies, Moments]] = {}
"""The last copies made. Trials with and without a redshift, and with other classes, share them."""


def moments_of(
    labelled: Labelled,
    train: NDArray[np.int64],
    donors: LightCurves,
    trial: Trial,
    seed: int,
    *,
    progress: Progress = silent,
    n_jobs: int | None = None,
) -> Moments:
    """Copies of the objects in the rows ``train``: at their trigger, at the end and at random moments.

    A copy has the row and id of its parent, so that both are always on the same side of a split. Of the truth, only
    the redshift of the parents is used.
    """
    number, days = wanted(trial.label[train], trial.copies), trial.days[:1]
    made_copies, rows = seen(
        labelled.select(train), donors, number, days, trial.trigger_bands, seed, progress=progress, n_jobs=n_jobs
    )
    if trial.redshift is not None:
        rows = rows.with_redshift(*_redshift(made_copies))
    return replace(
        of_parents(rows, labelled.light_curves.object_id, train[made_copies.parent]),
        days=np.full(len(rows), np.nan),
        is_copy=np.ones(len(rows), bool),
        number=np.full(len(rows), -1),
    )


def seen(
    parents: Labelled,
    donors: LightCurves,
    number: NDArray[np.int64],
    days: Sequence[float],
    trigger_bands: int,
    seed: int,
    *,
    as_bright: bool = False,
    progress: Progress = silent,
    n_jobs: int | None = None,
) -> tuple[Copies, Moments]:
    """``number`` (n,) copies of each parent, and their moments that have new points; the objects are the copies."""
    asked = [parents.fingerprint, list(days), trigger_bands, seed, as_bright]
    arrays = (parents.light_curves.object_id, number, donors.object_id)
    key = hashlib.sha256(repr(asked).encode() + b"".join(array.tobytes() for array in arrays)).hexdigest()
    if key not in _KEPT:
        _KEPT.clear()
        made_from = parents.light_curves, parents.truth.redshift, donors, number, seed
        copies = made(*made_from, as_bright=as_bright, progress=progress, n_jobs=n_jobs)
        whole = Labelled(copies.light_curves, parents.class_id[copies.parent], "copies", key)
        rows = moments(whole, days, None, trigger_bands=trigger_bands, progress=progress, n_jobs=n_jobs)
        _KEPT[key] = copies, rows.for_learning()
    return _KEPT[key]


def of_parents(rows: Moments, object_id: NDArray[np.int64], parent: NDArray[np.int64]) -> Moments:
    """Rows of copies as rows of their parents; ``parent`` is the row of each copy among the objects ``object_id``."""
    row = parent[rows.object_row]
    return replace(rows, object_row=row, object_id=object_id[row])


def _redshift(copies: Copies) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The redshifts of the copies that a learner may use: photometric ones, or spectroscopic ones if there are none."""
    curves = copies.light_curves
    photoz, error = (np.asarray(one, np.float64) for one in (curves.host_photoz, curves.host_photoz_err))
    if np.isfinite(photoz).any():
        return photoz, error
    return copies.redshift, np.full(len(copies), SPECTRUM_ERROR)
