"""The opinion on real supernovae of a learner trained on simulated ones alone.

It is trained on copies of the simulated objects, as bright as the real ones, with their visits, bands and noise. The
classes and redshifts of the real objects are not used.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.datasets.labelled import Labelled
from models.progress import Progress, silent
from models.scoring.calibration import with_prior
from models.suites import copied
from models.suites.learners import Learner, row_weight
from models.suites.moments import Moments
from models.suites.trial import SPECTRUM_ERROR, Trial
from models.training.copies import wanted
from schemas.light_curves import LightCurves

COPIES = 3
"""Copies of each simulated object on average; rarer classes get more."""

LEAST_PROBABILITY = 1e-3

Array = NDArray[np.float64]

_SAID: dict[tuple[object, ...], Array] = {}
"""Trained learners with and without redshifts, by data and seed; trials share them."""


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

    Classes of the trial with the same id get the same; each must be among those of ``trial.simulated``.
    """
    simulated = trial.simulated
    if simulated is None:
        raise ValueError(f"the trial {trial.title!r} has no simulated objects")
    classes, label = np.unique(simulated.class_id, return_inverse=True)
    learnt_from = (simulated.fingerprint, len(simulated), tested.fingerprint, len(tested), seed, learner.name)
    asked = (*learnt_from, trial.redshift is not None, len(rows), float(rows.mjd.sum()))
    if asked not in _SAID:
        copied_moments = _copies(simulated, wanted(label, COPIES), tested.light_curves, trial, seed, progress, n_jobs)
        label_of_moment = label[copied_moments.object_row]
        progress("learning: simulated supernovae", 0, 1)
        fitted = learner.fit(copied_moments, label_of_moment, copied_moments.object_id, len(classes), seed).fitted
        progress("learning: simulated supernovae", 1, 1)
        rates = np.bincount(label_of_moment, weights=row_weight(copied_moments), minlength=len(classes))
        _SAID[asked] = with_prior(fitted.predict_proba(rows), rates.sum() / rates)
    column = np.searchsorted(classes, trial.classes.class_ids)
    logits = np.log(np.maximum(_SAID[asked][:, column], LEAST_PROBABILITY))
    return np.asarray(logits - logits.mean(axis=1, keepdims=True))


def _copies(
    simulated: Labelled,
    number: NDArray[np.int64],
    donors: LightCurves,
    trial: Trial,
    seed: int,
    progress: Progress,
    n_jobs: int | None,
) -> Moments:
    """Moments of ``number`` (n,) copies of each simulated object, with their redshifts if the trial uses them."""
    bands = trial.trigger_bands
    copies, rows = copied.seen(
        simulated, donors, number, trial.days[:2], bands, seed, as_bright=True, progress=progress, n_jobs=n_jobs
    )
    if trial.redshift is not None:
        rows = rows.with_redshift(copies.redshift, np.full(len(copies), SPECTRUM_ERROR))
    return copied.of_parents(rows, simulated.light_curves.object_id, copies.parent)
