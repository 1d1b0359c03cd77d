"""A challenge on simulated objects (arXiv:1810.00001): fourteen classes, cross-validated, or on its test supernovae."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from models.datasets.labelled import Labelled, concatenate
from models.suites import scores
from models.suites.moments import WHOLE
from models.suites.scores import Interval
from models.suites.trial import Classes, Predictions, Trial, folds_of
from schemas.taxonomy import name_of

DAYS = (0.0, 5.0, 15.0, 25.0, 50.0)
FOLDS = 5

COPIES = 5
"""Copies of each training object on average, for the trial on the test set."""

LESSONS = 1
"""Rounds of self-training in that trial."""


def trials(labelled: Labelled, seed: int) -> list[Trial]:
    """Five folds by object, with the photometric redshift of the host, as the challenge allowed. A second trial without
    it would double the time."""
    classes, label = _classes(labelled, labelled.class_id)
    folds = folds_of(np.arange(len(label)), label, FOLDS, seed, labelled.light_curves.object_id)
    return _with_and_without("five folds", labelled, classes, label, folds)[:1]


def test_trials(learnt_from: Labelled, tested: Labelled) -> tuple[Labelled, list[Trial]]:
    """Train on the training set for the classes of the test supernovae; objects in both sets are not tested.

    The training objects are nearer and brighter than the test objects, so they get copies.
    """
    # all test objects are from the second set
    both = replace(concatenate([learnt_from, tested]), source=tested.source)
    is_test = np.arange(len(both)) >= len(learnt_from)
    classes, label = _classes(both, tested.class_id)
    folds = [(np.flatnonzero(~is_test), np.flatnonzero(is_test))]
    return both, [
        replace(one, copies=COPIES, adapts_rates=True, lessons=LESSONS)
        for one in _with_and_without("test supernovae", both, classes, label, folds)
    ]


def _with_and_without(
    title: str, labelled: Labelled, classes: Classes, label: np.ndarray, folds: list[tuple[np.ndarray, np.ndarray]]
) -> list[Trial]:
    """The trial with the photometric redshift of the host, and the one with the light curve alone."""
    curves = labelled.light_curves
    photoz = (curves.host_photoz.astype(np.float64), curves.host_photoz_err.astype(np.float64))
    with_photoz = Trial("", f"{title}, with photo-z", classes, label, folds, DAYS, photoz)
    return [with_photoz, Trial("no_photoz", f"{title}, light curve alone", classes, label, folds, DAYS)]


def _classes(labelled: Labelled, class_id: np.ndarray) -> tuple[Classes, np.ndarray]:
    """The classes in ``class_id``, and the column of each object; -1 for other classes."""
    ids = np.unique(class_id)
    names = tuple(name_of(int(one)) for one in ids)
    label = np.where(np.isin(labelled.class_id, ids), np.searchsorted(ids, labelled.class_id), -1)
    return Classes(names, tuple(int(one) for one in ids)), label


def figures(results: list[tuple[Trial, Predictions]], seed: int, draws: int) -> dict[str, Interval]:
    """``log_loss_flat macro_f1 auc_ia ece`` and others, ``_day<d>``; ``_no_photoz`` without the host's redshift."""
    metrics: dict[str, Interval] = {}
    for trial, predictions in results:
        end = f"_{trial.name}" if trial.name else ""
        for days in scores.told((*DAYS, WHOLE), predictions):
            of = scores.at_moment(predictions, trial.classes, days)
            of["auc_ia"] = of.pop("auc")
            values = scores.measured(of, predictions.object_id[predictions.at(days)], seed=seed, draws=draws)
            metrics |= {f"{figure}{scores.day_of(days)}{end}": value for figure, value in values.items()}
            floor = scores.calibration_floor(predictions, days, seed=seed)
            metrics[f"ece{scores.day_of(days)}{end}_of_the_perfect"] = floor
    return metrics
