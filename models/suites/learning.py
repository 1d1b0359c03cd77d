"""Train and test a trial, fold by fold."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models.datasets.labelled import Labelled
from models.evaluation import macro_f1
from models.hashing import uniform
from models.progress import Progress, silent
from models.scoring.calibration import LEAST_RATE, rates_among, with_prior
from models.suites import copied, simulations
from models.suites.learners import Learner, row_weight
from models.suites.moments import WHOLE, Moments
from models.suites.trial import Predictions, Trial

BALANCES = (0.0, 0.25, 0.5, 0.75, 1.0)

SURE = 0.95
"""Self-training: test objects whose most probable class has this probability join the training set with that class."""

WHOLE_FAMILIES = 0.5
"""Fraction of the template families that are held out as a whole."""


def run(
    trial: Trial,
    labelled: Labelled,
    rows: Moments,
    learner: Learner,
    *,
    seed: int,
    progress: Progress = silent,
    n_jobs: int | None = None,
) -> Predictions:
    """Train and test, fold by fold. ``n_jobs``: processes that make copies and extract their features."""
    if trial.redshift is not None:
        rows = rows.with_redshift(*trial.redshift)
    if trial.simulated is not None:
        said = simulations.opinion(trial, labelled, rows, learner, seed, progress=progress, n_jobs=n_jobs)
        rows = replace(rows, opinion=said)
    numbers = range(len(trial.folds))
    parts = [_fold(trial, labelled, rows, learner, number, seed, progress, n_jobs) for number in numbers]
    counts = np.sum([part.mix * part.n_train for part in parts], axis=0)
    joined = {name: np.concatenate([getattr(part, name) for part in parts]) for name in JOINED}
    return Predictions(**joined, mix=counts / counts.sum(), n_train=round(counts.sum() / len(parts)))


JOINED = tuple(name for name in Predictions.__slots__ if name not in ("mix", "n_train"))


def _fold(
    trial: Trial,
    labelled: Labelled,
    rows: Moments,
    learner: Learner,
    number: int,
    seed: int,
    progress: Progress,
    n_jobs: int | None,
) -> Predictions:
    train, test = (part[trial.label[part] >= 0] for part in trial.folds[number])
    learnt_from = rows.of_objects(train).for_learning()
    real = slice(len(learnt_from))  # copies follow
    if trial.copies:
        donors = labelled.light_curves.select(test)
        made = copied.moments_of(labelled, train, donors, trial, seed, progress=progress, n_jobs=n_jobs)
        learnt_from = Moments.concatenate([learnt_from, made])
    tested = rows.of_objects(test)  # random moments are needed for self-training only
    shown = tested if trial.lessons else tested.select(_is_asked(trial, tested))
    steps = number * (1 + trial.lessons), len(trial.folds) * (1 + trial.lessons)
    group = _families(labelled, seed) if trial.by_family else labelled.light_curves.object_id
    said = _lessons(trial, learnt_from, shown, group, learner, seed + number, steps, progress)
    held_out, label, days = said.held_out[real], trial.label[learnt_from.object_row][real], learnt_from.days[real]
    shown = shown.select(asked := _is_asked(trial, shown))
    return Predictions(
        p=said.p[asked],
        label=trial.label[shown.object_row],
        object_row=shown.object_row,
        object_id=shown.object_id,
        days=shown.days,
        detections=shown.detections,
        number=shown.number,
        answered=np.ones(len(shown), bool),
        mix=said.mix,
        balance=np.full(len(shown), best_balance(held_out, label, days, said.learnt_mix)),
        n_train=len(train),
        held_out=held_out,
        held_out_label=label,
        held_out_days=days,
    )


def _is_asked(trial: Trial, shown: Moments) -> NDArray[np.bool_]:
    return np.isin(shown.days, [*trial.days, WHOLE])


@dataclass(frozen=True, slots=True)
class _Said:
    """Probabilities of the test rows at the class rates ``mix``, and of the training rows at ``learnt_mix``."""

    p: NDArray[np.float64]
    mix: NDArray[np.float64]
    held_out: NDArray[np.float64]
    learnt_mix: NDArray[np.float64]


def _lessons(
    trial: Trial,
    learnt_from: Moments,
    shown: Moments,
    group: NDArray[np.int64],
    learner: Learner,
    seed: int,
    steps: tuple[int, int],
    progress: Progress,
) -> _Said:
    """Train, then train again in each round of self-training with the confident rows of ``shown`` added; ``steps``:
    done before, and of all folds."""
    done, of = steps
    label = trial.label[learnt_from.object_row]
    progress(f"learning: {trial.title}", done, of)
    said = _taught(trial, learnt_from, label, group, shown, learner, seed)
    for lesson in range(trial.lessons):
        progress(f"learning: {trial.title}", done + lesson + 1, of)
        sure, thought = _sure(shown, said.p)
        both = Moments.concatenate([learnt_from, shown.select(sure)])
        said = _taught(trial, both, np.concatenate([label, thought]), group, shown, learner, seed, sure)
    progress(f"learning: {trial.title}", done + trial.lessons + 1, of)
    return said


def _taught(
    trial: Trial,
    learnt_from: Moments,
    label: NDArray[np.int64],
    group: NDArray[np.int64],
    shown: Moments,
    learner: Learner,
    seed: int,
    sure: NDArray[np.int64] | None = None,
) -> _Said:
    """Train on rows with their labels, and predict the rows ``shown``; ``group``: of each object.

    ``sure``: the rows of ``shown`` that are also in the training set, as the last rows of ``learnt_from``. Members
    that were not trained on their object predict them; otherwise the predictions at its first moments would depend on
    its last ones.
    """
    k = len(trial.classes)
    learnt = learner.fit(learnt_from, label, group[learnt_from.object_row], k, seed)
    p = learnt.fitted.predict_proba(shown)
    if sure is not None and len(sure):
        p[sure] = learnt.held_out[-len(sure) :]
    learnt_mix = np.bincount(label, weights=row_weight(learnt_from), minlength=k)
    mix = learnt_mix = learnt_mix / learnt_mix.sum()
    if trial.adapts_rates:
        mix = rates_among(p[np.isinf(shown.days)], learnt_mix)
        p = with_prior(p, mix / np.maximum(learnt_mix, LEAST_RATE))
    return _Said(p, mix, learnt.held_out, learnt_mix)


def _sure(shown: Moments, p: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows of the test objects whose whole light curve gives one class with high probability, and that class.

    This is self-training (Yarowsky 1995, doi:10.3115/981658.981684). The true classes are not used.
    """
    whole = np.flatnonzero(np.isinf(shown.days) & (p.max(axis=1) >= SURE))
    thought = np.full(shown.object_row.max(initial=-1) + 1, -1)
    thought[shown.object_row[whole]] = p[whole].argmax(axis=1)
    rows = np.flatnonzero(thought[shown.object_row] >= 0)
    return rows, thought[shown.object_row[rows]]


def _families(labelled: Labelled, seed: int) -> NDArray[np.int64]:
    """The group of each object, (n,); a group is held out together. In one half of the template families a group is the
    whole family, in the other half an object with its copies. So the calibration includes known and unknown families.
    """
    family = labelled.truth.family()
    return np.where(uniform(family, seed + 11) < WHOLE_FAMILIES, family, labelled.light_curves.object_id)


def best_balance(
    p: NDArray[np.float64], label: NDArray[np.int64], days: NDArray[np.float64], mix: NDArray[np.float64]
) -> float:
    """The power of the class rates with the best macro-F1 of ``p`` (m, k) over whole light curves."""
    whole = np.isinf(days)
    scores = [
        macro_f1(balanced_choice(p[whole], mix, balance), label[whole], np.ones(whole.sum())) for balance in BALANCES
    ]
    return BALANCES[int(np.argmax(scores))]


def balanced_choice(
    p: NDArray[np.float64], mix: NDArray[np.float64], balance: float | NDArray[np.float64]
) -> NDArray[np.float64]:
    """``p / mix ** balance``, (m, k), rows adding up to 1; the class with the largest value is chosen."""
    power = np.broadcast_to(np.asarray(balance), (len(p),))[:, None]
    return with_prior(p, np.maximum(mix, 1e-9) ** -power)
