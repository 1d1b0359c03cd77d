"""Real supernovae with spectra (Bright Transient Survey, arXiv:2009.01242): five or three classes, and how early."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from models.datasets.labelled import Labelled
from models.suites import scores
from models.suites.moments import WHOLE
from models.suites.scores import Interval
from models.suites.trial import SPECTRUM_ERROR, Classes, Predictions, Trial, folds_of

DAYS = (3.0, 7.0, 15.0, 30.0)
FOLDS = 5

FIVE = Classes(("Ia", "II", "IIn", "SLSN-I", "Ibc"), (2222, 2224, 2224, 2242, 2223))
"""The classes of Superphot+ (arXiv:2403.07975)."""

FIVE_OF_TYPE = {
    "SN Ia": 0, "SN Ia-91T": 0, "SN Ia-91bg": 0, "SN Ia-CSM": 0,
    "SN II": 1, "SN IIP": 1, "SN IIL": 1,
    "SN IIn": 2, "SLSN-II": 2,
    "SLSN-I": 3,
    "SN Ib": 4, "SN Ic": 4, "SN Ib/c": 4, "SN Ic-BL": 4,
}  # fmt: skip
"""Columns of the catalogue's types, grouped as in that work; other types, such as IIb, are left out."""

THREE = Classes(("Ia", "II", "Ibc"), (2222, 2224, 2223))
THREE_OF_FIVE = {0: 0, 1: 1, 4: 2}
THREE_OF_TYPE = {"SN IIn": 1, "SN IIb": 2}
"""Type Ia, II and Ib/c as in arXiv:2305.08894: IIn count as type II, and IIb, stripped of most hydrogen, as Ibc."""


SIMULATED_AS = {2222: 2222, 2226: 2222, 2223: 2223, 2224: 2224, 2242: 2242}
"""The class that each simulated class represents. Those like SN 1991bg count as type Ia; others are left out."""


def trials(labelled: Labelled, seed: int) -> list[Trial]:
    """Five and three classes, cross-validated by object; with the spectroscopic redshift as an upper bound."""
    types = labelled.truth.type_name
    five = np.array([FIVE_OF_TYPE.get(str(name), -1) for name in types], np.int64)
    three = np.array(
        [THREE_OF_TYPE.get(str(name), THREE_OF_FIVE.get(column, -1)) for name, column in zip(types, five, strict=True)],
        np.int64,
    )
    redshift = labelled.truth.redshift
    with_error = (redshift, np.where(np.isfinite(redshift), SPECTRUM_ERROR, np.nan))
    trials_of_suite = []
    for name, title, classes, label in (("5", "five classes", FIVE, five), ("3", "three classes", THREE, three)):
        folds = folds_of(np.arange(len(label)), label, FOLDS, seed, labelled.light_curves.object_id)
        for end, said, z in (
            ("", "light curve alone", None),
            ("_redshift", "with the spectrum's redshift", with_error),
        ):
            trials_of_suite.append(Trial(name + end, f"{title}, {said}", classes, label, folds, DAYS, z, z is not None))
    return trials_of_suite


def with_simulated(trials_of_suite: list[Trial], simulated: Labelled) -> list[Trial]:
    """The trials with the supernovae among ``simulated`` transients, for a second learner trained on them
    (:mod:`models.suites.simulations`)."""
    supernovae = _supernovae(simulated)
    return [replace(trial, simulated=supernovae) for trial in trials_of_suite]


def _supernovae(simulated: Labelled) -> Labelled:
    """The simulated supernovae with a redshift, with the classes that they represent."""
    rows = np.flatnonzero(np.isin(simulated.class_id, list(SIMULATED_AS)) & (simulated.truth.redshift > 0))
    chosen = simulated.select(rows)
    return replace(chosen, class_id=np.array([SIMULATED_AS[int(one)] for one in chosen.class_id], np.int64))


def figures(results: list[tuple[Trial, Predictions]], seed: int, draws: int) -> dict[str, Interval]:
    """``<figure>_<classes>[_day<d>][_redshift]``; the whole light curve without a day; also ``ece`` of five classes."""
    metrics: dict[str, Interval] = {}
    for trial, predictions in results:
        number, _, end = trial.name.partition("_")
        end = f"_{end}" if end else ""
        for days in scores.told((*DAYS, WHOLE), predictions):
            of = scores.at_moment(predictions, trial.classes, days)
            if days == WHOLE:
                of |= scores.class_figures(predictions, trial.classes, days)
            ids: NDArray[np.int64] = predictions.object_id[predictions.at(days)]
            values = scores.measured(of, ids, seed=seed, draws=draws)
            name = f"{number}{scores.day_of(days)}{end}"
            metrics |= {f"{figure}_{name}": value for figure, value in values.items()}
            metrics[f"ece_{name}_of_the_perfect"] = scores.calibration_floor(predictions, days, seed=seed)
            if number == "3":
                metrics[f"ece{scores.day_of(days)}{end}"] = values["ece"]
        timed = scores.timing(predictions, seed=seed, draws=draws)
        metrics |= {f"{figure}_{number}{end}": value for figure, value in timed.items()}
    return metrics
