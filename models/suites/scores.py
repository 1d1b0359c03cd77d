"""Figures of a trial's predictions, each with its interval."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from models import evaluation
from models.evaluation.calibration_error import error_of_the_perfect
from models.evaluation.earliness import earliness, median_days
from models.evaluation.figure_of_merit import best_figure_of_merit, expected_best_threshold, figure_of_merit
from models.scoring.calibration import with_prior
from models.suites.learning import balanced_choice
from models.suites.trial import Classes, Predictions

Statistic = Callable[[NDArray[np.int64]], float]
Interval = tuple[float, float, float]

IA = 2222
"""The taxonomy's id of type Ia supernovae."""


def flat(predictions: Predictions) -> NDArray[np.float64]:
    """The probabilities if all classes were equally common, (m, k)."""
    return with_prior(predictions.p, 1 / np.maximum(predictions.mix, 1e-9))


def told(days: Iterable[float], predictions: Predictions) -> list[float]:
    """The moments that have predictions: all of them for ours, those in the file for an entry."""
    return [day for day in days if len(predictions.at(day))]


def at_moment(predictions: Predictions, classes: Classes, days: float) -> dict[str, Statistic]:
    """Figures of one moment, as functions of chosen rows."""
    return of_rows(predictions, classes, predictions.at(days))


def of_rows(predictions: Predictions, classes: Classes, rows: NDArray[np.int64]) -> dict[str, Statistic]:
    """Figures of some rows, as functions of chosen ones among them."""
    p, q, y = predictions.p[rows], flat(predictions)[rows], predictions.label[rows]
    chosen = balanced_choice(p, predictions.mix, predictions.balance[rows])
    answered = predictions.answered[rows]
    one = np.ones(len(rows))
    statistics: dict[str, Statistic] = {
        "accuracy": lambda i: evaluation.accuracy(p[i], y[i], one[i]),
        "balanced_accuracy": lambda i: evaluation.balanced_accuracy(chosen[i], y[i], one[i]),
        "macro_f1": lambda i: evaluation.macro_f1(chosen[i], y[i], one[i]),
        "macro_f1_most_probable": lambda i: evaluation.macro_f1(p[i], y[i], one[i]),
        "log_loss": lambda i: evaluation.log_loss(p[i], y[i], one[i]),
        "log_loss_flat": lambda i: evaluation.flat_log_loss(q[i], y[i], one[i]),
        "brier": lambda i: evaluation.brier_score(p[i], y[i], one[i]),
        "ece": lambda i: evaluation.expected_calibration_error(p[i], y[i], one[i]),
        "hierarchical_f1": lambda i: evaluation.hierarchical_f1(p[i], y[i], one[i], classes.class_ids),
        "coverage": lambda i: evaluation.coverage(answered[i]),
    }
    if IA in classes.class_ids:
        ia = classes.class_ids.index(IA)
        statistics |= {
            "auc": lambda i: evaluation.auc(p[i, ia], y[i] == ia),
            "pr_auc": lambda i: evaluation.average_precision(p[i, ia], y[i] == ia),
            "completeness_at_95_purity": lambda i: evaluation.completeness_at_purity(p[i, ia], y[i] == ia),
            "fom": lambda i: figure_of_merit(p[i, ia] >= expected_best_threshold(p[i, ia]), y[i] == ia),
            "fom_at_half": lambda i: figure_of_merit(p[i, ia] >= 0.5, y[i] == ia),
            "fom_best_cut": lambda i: best_figure_of_merit(p[i, ia], y[i] == ia),
        }
    return statistics


def class_figures(predictions: Predictions, classes: Classes, days: float) -> dict[str, Statistic]:
    """Completeness, purity and calibration error of each class at one moment."""
    rows = predictions.at(days)
    p, y, one = predictions.p[rows], predictions.label[rows], np.ones(len(rows))
    statistics: dict[str, Statistic] = {}
    for c, name in enumerate(classes.names):
        statistics |= _of_class(p, y, one, c, slug_of(name))
    return statistics


def _of_class(
    p: NDArray[np.float64], y: NDArray[np.int64], one: NDArray[np.float64], c: int, slug: str
) -> dict[str, Statistic]:
    def matrix(i: NDArray[np.int64]) -> NDArray[np.float64]:
        return evaluation.confusion_matrix(p[i], y[i], one[i])

    return {
        f"completeness_{slug}": lambda i: float(evaluation.completeness(matrix(i))[c]),
        f"purity_{slug}": lambda i: float(evaluation.purity(matrix(i))[c]),
        f"ece_{slug}": lambda i: evaluation.reliability(p[i, c], y[i] == c, one[i]).error,
    }


def measured(
    statistics: dict[str, Statistic], object_id: NDArray[np.int64], *, seed: int, draws: int
) -> dict[str, Interval]:
    """Values with 95 % intervals over objects."""
    return evaluation.bootstrap_many(statistics, object_id, seed=seed, draws=draws) if len(object_id) else {}


def timing(predictions: Predictions, *, seed: int, draws: int) -> dict[str, Interval]:
    """Days until the class stays right: median, and fraction of objects that get there; changes of class per object."""
    rows = np.flatnonzero(np.isfinite(predictions.days))
    if not len(rows):
        return {}
    times = earliness(predictions.object_id[rows], predictions.days[rows], predictions.p[rows], predictions.label[rows])
    return evaluation.bootstrap_many(
        {
            "days_to_stable": lambda i: median_days(times.days[i]),
            "stable": lambda i: float(np.isfinite(times.days[i]).mean()),
            "flips": lambda i: float(times.flips[i].mean()),
        },
        times.object_id,
        seed=seed,
        draws=draws,
    )


def calibration_floor(predictions: Predictions, days: float, *, seed: int) -> Interval:
    """The calibration error of perfectly calibrated probabilities on a sample of this size."""
    rows = predictions.at(days)
    value = error_of_the_perfect(predictions.p[rows], np.ones(len(rows)), seed=seed)
    return value, value, value


def held_out_auc(predictions: Predictions, classes: Classes, days: float) -> float:
    """Cross-validated area under the ROC curve of type Ia over the training objects."""
    rows, ia = predictions.held_out_days == days, classes.class_ids.index(IA)
    return evaluation.auc(predictions.held_out[rows, ia], predictions.held_out_label[rows] == ia)


def slug_of(name: str) -> str:
    """A class name as part of the name of a figure."""
    return "".join(c if c.isalnum() else "_" for c in name.lower()).strip("_")


def day_of(days: float) -> str:
    """``_day5``; empty for the whole light curve."""
    return f"_day{days:g}" if np.isfinite(days) else ""
