"""What simulated supernovae teach about real ones: the opinion of a learner that has seen no real one.

It learns from copies of the simulated objects that are as bright as the real ones, at their visits, in their bands and
with their noise. Of the real objects no class and no redshift is looked at.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from models.calibration import with_prior
from models.copies import made, wanted
from models.datasets.labelled import Labelled
from models.learners import Learner, row_weight
from models.suites.moments import Moments, moments
from models.suites.trial import SPECTRUM_ERROR, Trial
from models.training_rows import Progress, silent
from schemas.light_curves import LightCurves

COPIES = 3
"""Copies of each simulated object on average, more of the rarer classes."""

LEAST_PROBABILITY = 1e-3

Array = NDArray[np.float64]

_KEPT: dict[tuple[object, ...], tuple[Moments, NDArray[np.int64]]] = {}
_SAID: dict[tuple[object, ...], Array] = {}
"""Copies by data and seed, and what was learnt from them with and without redshifts: trials share them."""


def opinion(
    trial: Trial,
    tested: Labelled,
    rows: Moments,
    learner: Learner,
    seed: int,
    *,
    progress: Progress = silent,
    n_jobs: int | None = None,
) -> Array:
    """Log-probabilities at equal class rates of all ``rows``, less their mean: (m, k) for the classes of the trial.

    Classes of the trial with one id have the same; each must be among those of ``trial.simulated``.
    """
    simulated = trial.simulated
    if simulated is None:
        raise ValueError(f"the trial {trial.title!r} has no simulated objects")
    classes, label = np.unique(simulated.class_id, return_inverse=True)
    made_from = (simulated.fingerprint, len(simulated), tested.fingerprint, len(tested), seed)
    asked = (*made_from, learner.name, trial.redshift is not None, len(rows), float(rows.mjd.sum()))
    if asked not in _SAID:
        if made_from not in _KEPT:
            _KEPT[made_from] = _copies(simulated, label, tested.light_curves, trial, seed, progress, n_jobs)
        known, own = _KEPT[made_from]
        if trial.redshift is None:
            nothing = np.full(len(known), np.nan)
            known = replace(known, redshift=nothing, redshift_err=nothing)
        progress("learning: simulated supernovae", 0, 1)
        fitted = learner.fit(known, own, known.object_id, len(classes), seed).fitted
        progress("learning: simulated supernovae", 1, 1)
        rates = np.bincount(own, weights=row_weight(known), minlength=len(classes))
        _SAID[asked] = with_prior(fitted.predict_proba(rows), rates.sum() / rates)
    column = np.searchsorted(classes, trial.classes.class_ids)
    logits = np.log(np.maximum(_SAID[asked][:, column], LEAST_PROBABILITY))
    return np.asarray(logits - logits.mean(axis=1, keepdims=True))


def _copies(
    simulated: Labelled,
    label: NDArray[np.int64],
    donors: LightCurves,
    trial: Trial,
    seed: int,
    progress: Progress,
    n_jobs: int | None,
) -> tuple[Moments, NDArray[np.int64]]:
    """Moments of copies of the simulated objects, with their redshifts, and the column of each."""
    parents, redshift = simulated.light_curves, simulated.truth.redshift
    number = wanted(label, COPIES)
    found = made(parents, redshift, donors, number, seed, progress=progress, n_jobs=n_jobs, as_bright=True)
    whole = Labelled(found.light_curves, simulated.class_id[found.parent], "copies", simulated.fingerprint)
    asked = trial.days[:2]
    rows = moments(whole, asked, None, trigger_bands=trial.trigger_bands, progress=progress, n_jobs=n_jobs)
    rows = rows.for_learning().with_redshift(found.redshift, np.full(len(found), SPECTRUM_ERROR))
    parent = found.parent[rows.object_row]
    return replace(rows, object_row=parent, object_id=parents.object_id[parent]), label[parent]
