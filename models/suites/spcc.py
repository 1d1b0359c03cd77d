"""The supernova photometric classification challenge (arXiv:1001.5210): type Ia or not, by training set and by day."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.datasets.labelled import Labelled
from models.hashing import uniform
from models.suites import repair, scores
from models.suites.moments import WHOLE
from models.suites.scores import Interval
from models.suites.trial import Classes, Folds, Predictions, Trial, folds_of, shared_groups

DAYS = (0.0, 5.0, 15.0, 25.0, 50.0)
N_TRAIN = 1103
"""Number of objects with a spectrum in the public sample of the challenge (arXiv:1001.5210); the random training set
has the same number."""

CLASSES = Classes(("Ia", "Ibc", "II"), (2222, 2223, 2224))
GROUP_FOLDS = 5

TRIGGER_BANDS = 2
"""The trigger: the challenge has only objects that were detected in two bands (arXiv:1001.5210, section 2)."""

COPIES = {"spectroscopic": 12}
"""Copies of each object on average, by trial. Objects with a spectrum are nearer and brighter than the others."""


LESSONS = {"spectroscopic": 2}
"""Rounds of self-training, by trial."""


def trials(labelled: Labelled, seed: int) -> list[Trial]:
    """Random, spectroscopic, and grouped by template; each with the host's photometric redshift, and without."""
    label = np.searchsorted(CLASSES.class_ids, labelled.class_id)
    curves = labelled.light_curves
    photoz = (curves.host_photoz.astype(np.float64), curves.host_photoz_err.astype(np.float64))
    trials_of_suite = []
    for name, title, folds in _splits(labelled, label, seed):
        for end, said, redshift in (("_photoz", "with photo-z", photoz), ("", "light curve alone", None)):
            trials_of_suite.append(
                Trial(
                    name + end,
                    f"{title}, {said}",
                    CLASSES,
                    label,
                    folds,
                    DAYS,
                    redshift,
                    copies=COPIES.get(name, 0),
                    trigger_bands=TRIGGER_BANDS,
                    adapts_rates=name == "spectroscopic",
                    by_family=name == "spectroscopic",
                    lessons=LESSONS.get(name, 0),
                )
            )
    return trials_of_suite


def _splits(labelled: Labelled, label: NDArray[np.int64], seed: int) -> list[tuple[str, str, Folds]]:
    n = len(labelled)
    luck = np.argsort(uniform(labelled.light_curves.object_id, seed), kind="stable")
    size = min(N_TRAIN, n // 2)
    spectrum, family = labelled.truth.spectroscopic, labelled.truth.family()
    splits: list[tuple[str, str, Folds]] = [
        ("random", f"{size:,} random objects", [(np.sort(luck[:size]), np.sort(luck[size:]))])
    ]
    if spectrum.any() and not spectrum.all():
        both = [(np.flatnonzero(spectrum), np.flatnonzero(~spectrum))]
        splits.append(("spectroscopic", f"the {spectrum.sum():,} with a spectrum", both))
    is_other = (label != 0).astype(np.int64)
    grouped = folds_of(family, is_other, GROUP_FOLDS, seed, labelled.light_curves.object_id)
    if shared_groups(grouped, family) == 0:
        splits.append(("grouped", "template families apart", grouped))
    return splits


def figures(results: list[tuple[Trial, Predictions]], seed: int, draws: int) -> dict[str, Interval]:
    """``auc_<trial>``, ``fom_<trial>`` and others of each trial for whole light curves; the random one also by day."""
    metrics: dict[str, Interval] = {}
    for trial, predictions in results:
        of = scores.at_moment(predictions, trial.classes, WHOLE)
        ids = predictions.object_id[predictions.at(WHOLE)]
        values = scores.measured(of, ids, seed=seed, draws=draws)
        if not trial.name.startswith("random"):
            values |= repair.figures(predictions, seed=seed, draws=draws)
        metrics |= {f"{name}_{trial.name}": value for name, value in values.items()}
        if len(predictions.held_out):
            cv = scores.held_out_auc(predictions, trial.classes, WHOLE)
            metrics[f"auc_{trial.name}_cross_validated"] = (cv, cv, cv)
        if trial.name.startswith("random"):
            metrics |= _by_day(trial, predictions, trial.name.removeprefix("random"), seed, draws)
    return metrics


def _by_day(trial: Trial, predictions: Predictions, end: str, seed: int, draws: int) -> dict[str, Interval]:
    metrics = {f"{name}{end}": value for name, value in scores.timing(predictions, seed=seed, draws=draws).items()}
    for days in scores.told(DAYS, predictions):
        of = scores.at_moment(predictions, trial.classes, days)
        wanted = {name: of[name] for name in ("auc", "ece", "fom", "accuracy", "macro_f1")}
        values = scores.measured(wanted, predictions.object_id[predictions.at(days)], seed=seed, draws=draws)
        metrics |= {f"{name}{scores.day_of(days)}{end}": value for name, value in values.items()}
        floor = scores.calibration_floor(predictions, days, seed=seed)
        metrics[f"ece{scores.day_of(days)}{end}_of_the_perfect"] = floor
    return metrics
