"""How much the accuracy of a bundle drops on degraded light curves, and whether its probabilities reflect it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models import evaluation
from models.datasets.labelled import Labelled, last_alerts
from models.progress import Progress, silent
from models.scoring.abstention import n_detections
from models.scoring.calibration import with_prior
from models.scoring.scorer import Scorer
from models.suites import changes, scores
from models.suites.bundled import unseen
from models.suites.moments import WHOLE, trigger_mjd
from models.suites.outcome import Outcome
from models.suites.scores import Interval, Statistic
from models.suites.trial import Classes, Predictions, Trial
from models.training.extraction import extract_many
from schemas.light_curves import LightCurves
from schemas.taxonomy import name_of

NAME = "robustness"
DAYS = (15.0,)
"""Each object is scored this many days after its first detection, and whole."""

MOVED_POINTS = 10
"""Number of last points among which the worst one is moved by one error."""

DRAWN = 3
"""Number of changes whose predictions are returned for plots: those with the largest loss."""

UNHARMED = "unharmed"


@dataclass(frozen=True, slots=True)
class Shown:
    """Objects at moments: light curves (m,), and row, label and days of each."""

    curves: LightCurves
    object_row: NDArray[np.int64]
    label: NDArray[np.int64]
    days: NDArray[np.float64]


def run(scorer: Scorer, labelled: Labelled, *, seed: int = 1, draws: int = 200, progress: Progress = silent) -> Outcome:
    """Apply every change of :mod:`models.suites.changes` to objects outside the bundle's training set, and move the
    worst single point by one error. Raises ValueError if no such object remains."""
    shown = _shown(scorer, labelled)
    todo = changes.changes(seed)
    p_by_change: dict[str, NDArray[np.float64]] = {}
    for number, (name, change) in enumerate([(UNHARMED, lambda curves: curves), *todo.items()]):
        progress("degraded light curves", number, len(todo) + 2)
        p_by_change[name] = _p_flat(scorer, change(shown.curves))
    progress("degraded light curves", len(todo) + 1, len(todo) + 2)
    p_by_change["worst_point"] = _worst_point(scorer, shown, p_by_change[UNHARMED])
    progress("degraded light curves", len(todo) + 2, len(todo) + 2)
    mix = np.bincount(shown.label, minlength=len(scorer.class_ids)) / len(shown.label)
    ids = tuple(int(one) for one in scorer.class_ids)
    classes = Classes(tuple(name_of(one) for one in ids), ids)
    everyone = np.arange(len(labelled))
    fold = [(everyone[:0], everyone)]
    trials = [
        (Trial(name, name.replace("_", " "), classes, shown.label, fold, DAYS), _predictions(shown, p, mix, labelled))
        for name, p in p_by_change.items()
    ]
    metrics = _figures(trials, seed, draws)
    lost = [-metrics[f"accuracy_lost_{trial.name}"][0] for trial, _ in trials[1:]]
    return Outcome(
        suite=NAME,
        n_train=int(scorer.manifest["training"]["n_objects"]),
        n_test=len(np.unique(shown.object_row)),
        metrics=metrics,
        peers=[],
        labelled=labelled,
        trials=[trials[0], *(trials[1 + worst] for worst in np.argsort(lost, kind="stable")[:DRAWN])],
        learner=f"model {scorer.sha256[:16]}",
        notes=[
            "probabilities are at the class rates of the tested objects; overconfidence is the mean probability of the "
            "most probable class minus the fraction in which it is right",
            f"worst point: of each object's last {MOVED_POINTS} points the one, moved by one error up or down, that "
            "costs the true class most",
        ],
    )


def _shown(scorer: Scorer, labelled: Labelled) -> Shown:
    is_usable = np.isin(labelled.class_id, scorer.class_ids) & unseen(scorer, labelled)
    rows = np.flatnonzero(is_usable)
    if not len(rows):
        raise ValueError(
            "robustness needs objects of known classes outside the training set of the model: give others with --data"
        )
    whole = labelled.light_curves
    first = trigger_mjd(whole.select(rows))
    both, mjd = np.tile(rows, 2), np.concatenate([first + DAYS[0], whole.alert_mjd[rows]])
    label = np.searchsorted(scorer.class_ids, labelled.class_id[both])
    return Shown(last_alerts(whole, both, mjd), both, label, np.repeat([DAYS[0], WHOLE], len(rows)))


def _p_flat(scorer: Scorer, curves: LightCurves) -> NDArray[np.float64]:
    """Probabilities at equal rates, (m, k), also for alerts that the stream would not classify."""
    # one process: for every change, starting others would take longer than the features
    return scorer.evaluate(extract_many(curves, n_jobs=1), n_detections(curves))[0]


def _worst_point(scorer: Scorer, shown: Shown, unharmed: NDArray[np.float64]) -> NDArray[np.float64]:
    row = np.arange(len(unharmed))
    worst = unharmed.copy()
    for place in range(MOVED_POINTS):
        for sign in (-1.0, 1.0):
            p = _p_flat(scorer, changes.one_point_moved(shown.curves, place, sign))
            lower = p[row, shown.label] < worst[row, shown.label]
            worst[lower] = p[lower]
    return worst


def _predictions(
    shown: Shown, p_flat: NDArray[np.float64], mix: NDArray[np.float64], labelled: Labelled
) -> Predictions:
    rates = np.maximum(mix, 1e-9)
    return Predictions.not_learnt(
        p=with_prior(p_flat, rates),
        label=shown.label,
        object_row=shown.object_row,
        object_id=labelled.light_curves.object_id[shown.object_row],
        days=shown.days,
        detections=n_detections(shown.curves),
        number=np.arange(len(p_flat)),
        answered=np.ones(len(p_flat), bool),
        mix=rates,
    )


def _figures(trials: list[tuple[Trial, Predictions]], seed: int, draws: int) -> dict[str, Interval]:
    """``accuracy_<change>``, ``accuracy_lost_…`` (paired), ``macro_f1_…``, ``ece_…``, ``overconfidence_…``, and the
    same ``_day15``."""
    plain = trials[0][1]
    metrics: dict[str, Interval] = {}
    for days in (WHOLE, *DAYS):
        wanted = {
            f"{name}_{trial.name}{scores.day_of(days)}": statistic
            for trial, said in trials
            for name, statistic in _of(said, plain, days).items()
        }
        metrics |= scores.measured(wanted, plain.object_id[plain.at(days)], seed=seed, draws=draws)
    return metrics


def _of(said: Predictions, plain: Predictions, days: float) -> dict[str, Statistic]:
    rows = said.at(days)
    p, before, y, one = said.p[rows], plain.p[rows], said.label[rows], np.ones(len(rows))
    statistics: dict[str, Statistic] = {
        "accuracy": lambda i: evaluation.accuracy(p[i], y[i], one[i]),
        "macro_f1": lambda i: evaluation.macro_f1(p[i], y[i], one[i]),
        "ece": lambda i: evaluation.expected_calibration_error(p[i], y[i], one[i]),
        "overconfidence": lambda i: float(p[i].max(axis=1).mean() - evaluation.accuracy(p[i], y[i], one[i])),
    }
    if said is not plain:
        statistics["accuracy_lost"] = lambda i: (
            evaluation.accuracy(before[i], y[i], one[i]) - evaluation.accuracy(p[i], y[i], one[i])
        )
    return statistics
