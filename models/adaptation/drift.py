"""Whether two samples of objects differ: how well a classifier tells them apart, and by which features."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models import evaluation

Array = NDArray[np.float64]

LEAST_OBJECTS = 100
"""Objects of each sample that the test needs."""

MOST_OBJECTS = 2_000
"""Objects of each sample that are looked at: a random part of more."""

FOLDS = 4
DRIVERS = 5
"""Features that are named."""

LEARNER = {"max_iter": 60, "max_leaf_nodes": 8, "learning_rate": 0.1, "early_stopping": False, "min_samples_leaf": 20}


@dataclass(frozen=True, slots=True)
class Difference:
    """``auc``: the probability that the classifier gives the higher score to the object of the second sample, of one of
    each; 0.5 if they cannot be told apart. ``low``, ``high``: its 95 % interval. ``n_first``, ``n_second``: objects.
    ``drivers``: the features that differ most, each with its own area under the ROC curve."""

    auc: float
    low: float
    high: float
    n_first: int
    n_second: int
    drivers: tuple[tuple[str, float], ...]

    @property
    def is_certain(self) -> bool:
        """Whether the interval lies above 0.5."""
        return self.low > 0.5


def difference(first: Array, second: Array, names: tuple[str, ...], seed: int = 1) -> Difference | None:
    """The classifier two-sample test (Lopez-Paz & Oquab 2017, arXiv:1610.06545) of two samples of features, (n, f) and
    (m, f), NaN where missing; None if one of them has fewer than :data:`LEAST_OBJECTS` rows.

    Boosted trees are trained on three quarters of the objects and score the last quarter, in turn. The interval is that
    of Hanley & McNeil (1982, doi:10.1148/radiology.143.1.7063747).
    """
    if min(len(first), len(second)) < LEAST_OBJECTS:
        return None
    from sklearn.ensemble import HistGradientBoostingClassifier  # here: the import takes seconds
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    rng = np.random.default_rng(seed)
    parts = [part[rng.permutation(len(part))[:MOST_OBJECTS]] for part in (first, second)]
    x, is_second = np.concatenate(parts), np.repeat([False, True], [len(part) for part in parts])
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    learner = HistGradientBoostingClassifier(random_state=seed, **LEARNER)
    score = cross_val_predict(learner, x, is_second, cv=folds, method="decision_function")
    area = evaluation.auc(score, is_second)
    error = _standard_error(area, len(parts[0]), len(parts[1]))
    return Difference(
        area,
        area - 1.96 * error,
        min(area + 1.96 * error, 1.0),
        len(parts[0]),
        len(parts[1]),
        _drivers(x, is_second, names),
    )


def _standard_error(area: float, n: int, m: int) -> float:
    q1, q2 = area / (2 - area), 2 * area**2 / (1 + area)
    variance = area * (1 - area) + (m - 1) * (q1 - area**2) + (n - 1) * (q2 - area**2)
    return float(np.sqrt(max(variance, 0.0) / (n * m)))


def _drivers(x: Array, is_second: NDArray[np.bool_], names: tuple[str, ...]) -> tuple[tuple[str, float], ...]:
    """The features whose values alone tell the samples apart best; whether a value is missing counts, too."""
    areas = []
    for column in x.T:
        missing = np.isnan(column)
        area = evaluation.auc(np.where(missing, np.nanmin(column, initial=0.0) - 1.0, column), is_second)
        areas.append(max(area, 1 - area))
    best = np.argsort(-np.array(areas), kind="stable")[:DRIVERS]
    return tuple((names[j], float(areas[j])) for j in best)
