"""Moments of copies: the objects of a trial once more, farther away and seen by other visits."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from features.augment import Copies, copies
from models.datasets.labelled import Labelled
from models.suites.moments import Moments, moments
from models.suites.trial import SPECTRUM_ERROR, Trial
from models.training_rows import Progress
from schemas.light_curves import LightCurves

SPREAD = 3.0
"""An object has between the mean number of copies over this and times this: more, the rarer its class."""

CHUNK = 100
"""Objects copied at a time."""

_KEPT: dict[str, tuple[Copies, Moments]] = {}
"""The last copies made: trials with and without a redshift share them."""


def moments_of(
    labelled: Labelled, train: NDArray[np.int64], donors: LightCurves, trial: Trial, seed: int, progress: Progress
) -> Moments:
    """Copies of the objects in the rows ``train`` at their trigger, at the end and at moments drawn.

    A copy has its parent's row and id, so that neither is ever without the other on one side of a split. Of the
    parents' truth the redshift is used, of the donors' nothing.
    """
    label = trial.label[train]
    count = np.bincount(label, minlength=len(trial.classes))
    fair = trial.copies * len(train) / (np.maximum(count, 1) * (count > 0).sum())
    wanted = np.clip(np.round(fair), trial.copies / SPREAD, trial.copies * SPREAD).astype(np.int64)[label]
    asked = [labelled.fingerprint, seed, trial.trigger_bands, trial.days[:1]]
    arrays = (train, wanted, donors.object_id)
    key = hashlib.sha256(repr(asked).encode() + b"".join(array.tobytes() for array in arrays)).hexdigest()
    if key not in _KEPT:
        _KEPT.clear()
        made = _made(
            labelled.light_curves.select(train), labelled.truth.redshift[train], donors, wanted, seed, progress
        )
        whole = Labelled(made.light_curves, labelled.class_id[train][made.parent], "copies", key)
        _KEPT[key] = made, moments(whole, trial.days[:1], None, trigger_bands=trial.trigger_bands, progress=progress)
    made, rows = _KEPT[key]
    known = rows.for_learning()
    parent = train[made.parent[known.object_row]]
    z, error = _redshift(made, trial)
    return replace(
        known,
        object_row=parent,
        object_id=labelled.light_curves.object_id[parent],
        days=np.full(len(known), np.nan),
        redshift=z[known.object_row],
        redshift_err=error[known.object_row],
        is_copy=np.ones(len(known), bool),
    )


def _redshift(made: Copies, trial: Trial) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What the trial may know of the copies' redshifts: photometric ones, or where none are known, the spectrum's."""
    nothing = np.full(len(made), np.nan)
    if trial.redshift is None:
        return nothing, nothing
    photoz, error = (
        np.asarray(values, np.float64) for values in (made.light_curves.host_photoz, made.light_curves.host_photoz_err)
    )
    if np.isfinite(photoz).any():
        return photoz, error
    return made.redshift, np.full(len(made), SPECTRUM_ERROR)


def _made(
    parents: LightCurves,
    redshift: NDArray[np.float64],
    donors: LightCurves,
    wanted: NDArray[np.int64],
    seed: int,
    progress: Progress,
) -> Copies:
    """Copies in portions over all processors."""
    jobs = len(os.sched_getaffinity(0))
    n_parts = max(1, min(len(parents) // CHUNK, 4 * jobs))
    portions = [np.arange(part, len(parents), n_parts) for part in range(n_parts)]
    tasks = [(parents.select(rows), redshift[rows], donors, wanted[rows], seed) for rows in portions]
    found = []
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        for done, made in enumerate(pool.map(_portion, tasks)):
            found.append(made)
            progress("copies", done + 1, n_parts)
    parent = [rows[made.parent] for rows, made in zip(portions, found, strict=True)]
    curves = LightCurves.concatenate([made.light_curves for made in found])
    return Copies(curves, np.concatenate(parent), np.concatenate([made.redshift for made in found]))


def _portion(task: tuple[LightCurves, NDArray, LightCurves, NDArray, int]) -> Copies:
    return copies(*task)
