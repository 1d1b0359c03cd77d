"""Moments of copies: the objects of a trial once more, farther away and seen by other visits."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from features.augment import Copies
from models.copies import made, wanted
from models.datasets.labelled import Labelled
from models.suites.moments import Moments, moments
from models.suites.trial import SPECTRUM_ERROR, Trial
from models.training_rows import Progress
from schemas.light_curves import LightCurves

_KEPT: dict[str, tuple[Copies, Moments]] = {}
"""The last copies made: trials with and without a redshift share them."""


def moments_of(
    labelled: Labelled, train: NDArray[np.int64], donors: LightCurves, trial: Trial, seed: int, progress: Progress
) -> Moments:
    """Copies of the objects in the rows ``train`` at their trigger, at the end and at moments drawn.

    A copy has its parent's row and id, so that neither is ever without the other on one side of a split. Of the
    parents' truth the redshift is used, of the donors' nothing.
    """
    number = wanted(trial.label[train], trial.copies)
    asked = [labelled.fingerprint, seed, trial.trigger_bands, trial.days[:1]]
    arrays = (train, number, donors.object_id)
    key = hashlib.sha256(repr(asked).encode() + b"".join(array.tobytes() for array in arrays)).hexdigest()
    if key not in _KEPT:
        _KEPT.clear()
        parents, redshift = labelled.light_curves.select(train), labelled.truth.redshift[train]
        found = made(parents, redshift, donors, number, seed, progress=progress)
        whole = Labelled(found.light_curves, labelled.class_id[train][found.parent], "copies", key)
        _KEPT[key] = found, moments(whole, trial.days[:1], None, trigger_bands=trial.trigger_bands, progress=progress)
    found, rows = _KEPT[key]
    known = rows.for_learning()
    parent = train[found.parent[known.object_row]]
    z, error = _redshift(found, trial)
    return replace(
        known,
        object_row=parent,
        object_id=labelled.light_curves.object_id[parent],
        days=np.full(len(known), np.nan),
        redshift=z[known.object_row],
        redshift_err=error[known.object_row],
        is_copy=np.ones(len(known), bool),
        number=np.full(len(known), -1),
    )


def _redshift(found: Copies, trial: Trial) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What the trial may know of the copies' redshifts: photometric ones, or where none are known, the spectrum's."""
    nothing = np.full(len(found), np.nan)
    if trial.redshift is None:
        return nothing, nothing
    photoz, error = (
        np.asarray(values, np.float64)
        for values in (found.light_curves.host_photoz, found.light_curves.host_photoz_err)
    )
    if np.isfinite(photoz).any():
        return photoz, error
    return found.redshift, np.full(len(found), SPECTRUM_ERROR)
