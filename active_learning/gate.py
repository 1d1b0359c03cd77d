"""The gate: a new bundle goes into production only if held-out objects say that it is not worse."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.evaluation import bootstrap, flat_log_loss, log_loss, macro_f1
from models.scoring.calibration import with_prior
from models.scoring.redshift_view import Host
from models.scoring.scorer import Scorer
from models.training.training_rows import TrainingRows

MARGIN_LOG_LOSS = 0.02
"""Most the flat log-loss may grow, nat."""
MARGIN_MACRO_F1 = 0.02
"""Most the macro-F1 may fall."""
MIN_OBJECTS = 30
"""With fewer held-out objects nothing can be said, and nothing is accepted."""
MEASURES = ("log_loss_flat", "macro_f1")
PHOTOZ = "_photoz"
"""Ends the names of figures that know the host's redshift."""
_DRAWS = 200


@dataclass(frozen=True, slots=True)
class Figure:
    """A measure of both bundles on the same rows, and new − old with its 95 % interval over objects."""

    old: float
    new: float
    difference: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class GateDecision:
    """``accepted``, ``why`` in words, and the figures by name."""

    accepted: bool
    why: str
    figures: dict[str, Figure]
    n_objects: int

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {name: asdict(figure) for name, figure in self.figures.items()}


def compare(old: Scorer, new: Scorer, rows: TrainingRows, *, seed: int) -> GateDecision:
    """Compare ``new`` with ``old`` on rows in neither training set, of classes that both know.

    The bundle passes if the flat log-loss (over the classes common to both, renormalised) and the
    macro-F1 (at the rows' own class mix; a class that only the new bundle knows is a wrong answer)
    are neither worse by more than their margins, nor worse with 95 % confidence in a paired
    bootstrap over objects (Efron 1979, doi:10.1214/aos/1176344552). Both are scored from the light curve
    alone, as for packets without a redshift, and (``_photoz``) with the redshift, for objects that have one.
    """
    common = np.intersect1d(old.class_ids, new.class_ids)
    rows = rows.select(np.isin(rows.class_id, common))
    if (n_objects := _n_objects(rows)) < MIN_OBJECTS:
        why = f"only {n_objects} held-out objects of classes that both models know; at least {MIN_OBJECTS} are needed"
        return GateDecision(False, why, {}, n_objects)
    figures = _figures(old, new, rows, common, seed)
    complaints = _complaints("", *figures)
    figure_by_name = dict(zip(MEASURES, figures, strict=True))
    with_redshift = rows.select(rows.host.is_told)
    if _n_objects(with_redshift) >= MIN_OBJECTS:
        figures = _figures(old, new, with_redshift, common, seed, with_redshift.host)
        complaints += _complaints(" with the host's redshift", *figures)
        figure_by_name |= dict(zip((f"{name}{PHOTOZ}" for name in MEASURES), figures, strict=True))
    why = "; ".join(complaints) if complaints else "not worse on held-out objects"
    return GateDecision(not complaints, why, figure_by_name, n_objects)


def compare_probabilities(
    p_old: NDArray[np.float64],
    p_new: NDArray[np.float64],
    label: NDArray[np.int64],
    object_id: NDArray[np.int64],
    *,
    seed: int,
) -> GateDecision:
    """As :func:`compare`, for probabilities at the stream's class rates, (n, k) each, of objects of the classes in the
    columns ``label`` (n,): the log-loss and the macro-F1. Neither model may have seen the labels."""
    n_objects, one = len(np.unique(object_id)), np.ones(len(label))
    if n_objects < MIN_OBJECTS:
        return GateDecision(
            False, f"only {n_objects} labelled objects; at least {MIN_OBJECTS} are needed", {}, n_objects
        )

    def statistic(measure: Callable[..., float], p: NDArray[np.float64]) -> Statistic:
        return lambda which: measure(p[which], label[which], one[which])

    figures = [
        _paired_of(statistic(measure, p_old), statistic(measure, p_new), object_id, seed)
        for measure in (log_loss, macro_f1)
    ]
    complaints = _complaints("", *figures)
    why = "; ".join(complaints) if complaints else "not worse on labelled objects"
    return GateDecision(not complaints, why, dict(zip(("log_loss", "macro_f1"), figures, strict=True)), n_objects)


def _n_objects(rows: TrainingRows) -> int:
    return len(np.unique(rows.object_id))


def _figures(
    old: Scorer, new: Scorer, rows: TrainingRows, common: NDArray, seed: int, host: Host | None = None
) -> tuple[Figure, Figure]:
    """The :data:`MEASURES` of both bundles, scored with the redshift of ``host`` if given."""
    p_old, p_new = (scorer.evaluate(rows.features, rows.detections, host)[0] for scorer in (old, new))
    return (
        _paired(_log_loss(old, p_old, rows, common), _log_loss(new, p_new, rows, common), rows, seed),
        _paired(_macro_f1(old, p_old, rows), _macro_f1(new, p_new, rows), rows, seed),
    )


def _complaints(view: str, loss: Figure, f1: Figure) -> list[str]:
    complaints = []
    if loss.difference > MARGIN_LOG_LOSS or loss.low > 0:
        complaints.append(f"the flat log-loss{view} grows from {loss.old:.3f} to {loss.new:.3f} nat{_interval(loss)}")
    if f1.difference < -MARGIN_MACRO_F1 or f1.high < 0:
        complaints.append(f"the macro-F1{view} falls from {f1.old:.3f} to {f1.new:.3f}{_interval(f1)}")
    return complaints


def _interval(figure: Figure) -> str:
    return f" (difference {figure.difference:+.3f}, 95 % interval {figure.low:+.3f} to {figure.high:+.3f})"


Statistic = Callable[[NDArray[np.int64]], float]


def _log_loss(scorer: Scorer, p_flat: NDArray[np.float64], rows: TrainingRows, common: NDArray) -> Statistic:
    p = p_flat[:, np.searchsorted(scorer.class_ids, common)]
    p = p / np.maximum(p.sum(axis=1, keepdims=True), 1e-300)
    index = np.searchsorted(common, rows.class_id)
    return lambda which: flat_log_loss(p[which], index[which], rows.weight[which])


def _macro_f1(scorer: Scorer, p_flat: NDArray[np.float64], rows: TrainingRows) -> Statistic:
    index = np.searchsorted(scorer.class_ids, rows.class_id)
    mix = np.bincount(index, weights=rows.weight, minlength=len(scorer.class_ids))
    mix = np.maximum(mix, 0.5)  # a class that only this bundle knows may be predicted, too
    p = with_prior(p_flat, mix / mix.sum())
    return lambda which: macro_f1(p[which], index[which], rows.weight[which])


def _paired(old: Statistic, new: Statistic, rows: TrainingRows, seed: int) -> Figure:
    return _paired_of(old, new, rows.object_id, seed)


def _paired_of(old: Statistic, new: Statistic, object_id: NDArray[np.int64], seed: int) -> Figure:
    difference, low, high = bootstrap(lambda which: new(which) - old(which), object_id, seed=seed, draws=_DRAWS)
    everything = np.arange(len(object_id))
    return Figure(old(everything), new(everything), difference, low, high)
