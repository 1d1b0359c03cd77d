"""Learn and test a trial, fold by fold."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.calibration import LEAST_RATE, rates_among, with_prior
from models.datasets.labelled import Labelled
from models.evaluation import macro_f1
from models.hashing import uniform
from models.learners import Learner
from models.suites import copied
from models.suites.moments import WHOLE, Moments
from models.suites.trial import Predictions, Trial
from models.training_rows import Progress, silent

BALANCES = (0.0, 0.25, 0.5, 0.75, 1.0)

WHOLE_FAMILIES = 0.5
"""Of all template families, those that are held out whole."""


def run(
    trial: Trial, labelled: Labelled, rows: Moments, learner: Learner, *, seed: int, progress: Progress = silent
) -> Predictions:
    """Learn and test, fold by fold."""
    if trial.redshift is not None:
        rows = rows.with_redshift(*trial.redshift)
    parts = [_fold(trial, labelled, rows, learner, number, seed, progress) for number in range(len(trial.folds))]
    counts = np.sum([part.mix * part.n_train for part in parts], axis=0)
    joined = {name: np.concatenate([getattr(part, name) for part in parts]) for name in JOINED}
    return Predictions(**joined, mix=counts / counts.sum(), n_train=round(counts.sum() / len(parts)))


JOINED = tuple(name for name in Predictions.__slots__ if name not in ("mix", "n_train"))


def _fold(
    trial: Trial, labelled: Labelled, rows: Moments, learner: Learner, number: int, seed: int, progress: Progress
) -> Predictions:
    k = len(trial.classes)
    train, test = (part[trial.label[part] >= 0] for part in trial.folds[number])
    known = rows.of_objects(train).for_learning()
    own = len(known)
    if trial.copies:
        donors = labelled.light_curves.select(test)
        known = Moments.concatenate([known, copied.moments_of(labelled, train, donors, trial, seed, progress)])
    label = trial.label[known.object_row]
    progress(f"learning: {trial.title}", number, len(trial.folds))
    group = _families(labelled, seed)[known.object_row] if trial.by_family else known.object_id
    learnt = learner.fit(known, label, group, k, seed + number)
    shown = rows.of_objects(test)
    shown = shown.select(np.isin(shown.days, [*trial.days, WHOLE]))
    p = learnt.fitted.predict_proba(shown)
    mix = learnt_mix = np.bincount(trial.label[train], minlength=k) / len(train)
    if trial.adapts_rates:
        mix = rates_among(p[np.isinf(shown.days)], learnt_mix)
        p = with_prior(p, mix / np.maximum(learnt_mix, LEAST_RATE))
    held_out, held_out_label = learnt.held_out[:own], label[:own]
    progress(f"learning: {trial.title}", number + 1, len(trial.folds))
    return Predictions(
        p=p,
        label=trial.label[shown.object_row],
        object_row=shown.object_row,
        object_id=shown.object_id,
        days=shown.days,
        detections=shown.detections,
        number=shown.number,
        answered=np.ones(len(shown), bool),
        mix=mix,
        balance=np.full(len(shown), best_balance(held_out, held_out_label, known.days[:own], learnt_mix)),
        n_train=len(train),
        held_out=held_out,
        held_out_label=held_out_label,
        held_out_days=known.days[:own],
    )


def _families(labelled: Labelled, seed: int) -> NDArray[np.int64]:
    """Who is held out together, (n,): for one half of the template families all their objects, for the other half
    each object with its copies. So the answers that are calibrated concern known and unknown families alike."""
    family = labelled.truth.family()
    return np.where(uniform(family, seed + 11) < WHOLE_FAMILIES, family, labelled.light_curves.object_id)


def best_balance(
    p: NDArray[np.float64], label: NDArray[np.int64], days: NDArray[np.float64], mix: NDArray[np.float64]
) -> float:
    """The power of the class rates with the best macro-F1 over the whole light curves among ``p`` (m, k)."""
    whole = np.isinf(days)
    found = [
        macro_f1(balanced_choice(p[whole], mix, balance), label[whole], np.ones(whole.sum())) for balance in BALANCES
    ]
    return BALANCES[int(np.argmax(found))]


def balanced_choice(
    p: NDArray[np.float64], mix: NDArray[np.float64], balance: float | NDArray[np.float64]
) -> NDArray[np.float64]:
    """``p / mix ** balance``, (m, k), rows adding up to 1: the class with the most is chosen."""
    power = np.broadcast_to(np.asarray(balance), (len(p),))[:, None]
    return with_prior(p, np.maximum(mix, 1e-9) ** -power)
