"""Metrics of a bundle on held-out objects, for its manifest."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from models.evaluation import auc, bootstrap_many, expected_calibration_error, flat_log_loss, macro_f1
from models.scoring.calibration import EPOCH_EDGES, epoch_bin, with_prior
from models.scoring.conformal import benjamini_hochberg
from models.scoring.scorer import Scorer
from models.training.training_rows import TrainingRows
from schemas.taxonomy import slug_of

SN_IA = 2222
DRAWS = 100
"""Draws of the bootstrap."""

Statistic = Callable[[NDArray[np.int64]], float]


def held_out_metrics(scorer: Scorer, learnt: TrainingRows, strangers: TrainingRows) -> dict[str, float]:
    """Metrics on held-out objects of known classes, and on all objects of classes unknown to the bundle.

    Without suffix a metric is over all snapshots, with each object counted once; ``_last`` is for the last alert of
    each object; ``_epoch_<d>`` is for the bin of detections with lower edge d. ``_photoz`` is for the objects with a
    photometric redshift of the host, scored with it; the others are scored by the light curve alone. ``log_loss_flat``
    is in nat; ``ece`` is at the class rates of the held-out objects. Novelty: see :func:`novelty_metrics`.
    """
    if not len(learnt):
        return {}
    alone, score, p_value = scorer.evaluate(learnt.features, learnt.detections)
    metrics = {
        f"{name}{suffix}{view}": statistic(np.arange(shown.sum()))
        for suffix, rows, p in _opinions(scorer, learnt, alone)
        for view, shown in _views(rows).items()
        for name, statistic in _statistics(scorer, rows, p, view, shown).items()
    }
    metrics["false_alarms_at_1_percent"] = float(np.average(p_value <= 0.01, weights=learnt.stream_weight))
    if len(strangers):
        metrics |= novelty_metrics(scorer, score, p_value, learnt, strangers)
    return {name: value for name, value in metrics.items() if np.isfinite(value)}


def held_out_intervals(
    scorer: Scorer, learnt: TrainingRows, *, seed: int, draws: int = DRAWS
) -> dict[str, list[float]]:
    """95 % intervals, [low, high], over objects, of all metrics but those of novelty."""
    if not len(learnt):
        return {}
    intervals_by_name: dict[str, list[float]] = {}
    alone, _, _ = scorer.evaluate(learnt.features, learnt.detections)
    for suffix, rows, p in _opinions(scorer, learnt, alone):
        for view, shown in _views(rows).items():
            statistics = _statistics(scorer, rows, p, view, shown)
            intervals = bootstrap_many(statistics, rows.object_id[shown], seed=seed, draws=draws)
            for name, (_, low, high) in intervals.items():
                if np.isfinite(low) and np.isfinite(high):
                    intervals_by_name[f"{name}{suffix}{view}"] = [low, high]
    return intervals_by_name


def _opinions(
    scorer: Scorer, learnt: TrainingRows, alone: NDArray[np.float64]
) -> Iterator[tuple[str, TrainingRows, NDArray[np.float64]]]:
    """Rows and their probabilities at equal class rates: from the light curve ``alone``, and with the redshift."""
    yield "", learnt, alone
    hosted = learnt.select(learnt.host.is_told)
    if scorer.with_photoz is not None and len(hosted):
        yield "_photoz", hosted, scorer.evaluate(hosted.features, hosted.detections, hosted.host)[0]


def _views(learnt: TrainingRows) -> dict[str, NDArray[np.bool_]]:
    """The rows of each group of metrics, by the suffix of their names; no group is empty."""
    views = {"": np.ones(len(learnt), bool), "_last": learnt.is_last}
    views |= {f"_epoch_{first}": epoch_bin(learnt.detections) == b for b, first in enumerate((1, *EPOCH_EDGES))}
    return {name: shown for name, shown in views.items() if shown.any()}


def _statistics(
    scorer: Scorer, learnt: TrainingRows, p: NDArray[np.float64], view: str, shown: NDArray[np.bool_]
) -> dict[str, Statistic]:
    """Metrics of the rows ``shown``, as functions of chosen rows; ``p`` at equal class rates, for all rows."""
    index = np.searchsorted(scorer.class_ids, learnt.class_id)
    mix = np.bincount(index, weights=learnt.weight, minlength=len(scorer.class_ids))
    q, y = p[shown], index[shown]
    at_rates = with_prior(q, mix / mix.sum())
    w = learnt.weight[shown] if view == "" else np.ones(shown.sum())
    statistics: dict[str, Statistic] = {
        "log_loss_flat": lambda i: flat_log_loss(q[i], y[i], w[i]),
        "macro_f1": lambda i: macro_f1(at_rates[i], y[i], w[i]),
        "ece": lambda i: expected_calibration_error(at_rates[i], y[i], w[i]),
    }
    if SN_IA in scorer.class_ids:
        ia = int(np.searchsorted(scorer.class_ids, SN_IA))
        statistics["auc_ia"] = lambda i: auc(q[i, ia], y[i] == ia, w[i])
    return statistics


def novelty_metrics(
    scorer: Scorer,
    score: NDArray[np.float64],
    p_value: NDArray[np.float64],
    learnt: TrainingRows,
    strangers: TrainingRows,
) -> dict[str, float]:
    """Metrics of novelty, for all unknown classes together and (with its slug) for each; every object counts once.

    - ``novelty_auroc``: the probability that an object of an unknown class scores above one of a known class.
    - ``novelty_recall_at_1_percent``: the fraction of the unknown objects with a p-value of 0.01 or less.
    - ``novelty_bh_power``, ``novelty_bh_fdr``: the fraction of the unknown objects that Benjamini-Hochberg selects at
      0.1 over all snapshots of held-out and unknown objects, and the fraction of known objects among the selected.
    """
    _, strange_score, strange_p = scorer.evaluate(strangers.features, strangers.detections)
    weight = np.concatenate([learnt.stream_weight, strangers.stream_weight])
    both = np.concatenate([score, strange_score])
    is_strange = np.arange(len(both)) >= len(score)
    threshold = benjamini_hochberg(np.concatenate([p_value, strange_p]), 0.1)
    discovered = np.concatenate([p_value, strange_p]) <= threshold
    metrics = {
        "novelty_auroc": auc(both, is_strange, weight),
        "novelty_recall_at_1_percent": float(np.average(strange_p <= 0.01, weights=strangers.stream_weight)),
        "novelty_bh_power": float(discovered[is_strange].mean()),
        "novelty_bh_fdr": float((discovered & ~is_strange).sum() / max(discovered.sum(), 1)),
    }
    for class_id in np.unique(strangers.class_id).tolist():
        mine = strangers.class_id == class_id
        shown = np.concatenate([np.ones(len(score), bool), mine])
        slug = slug_of(class_id).replace("-", "_")
        metrics[f"novelty_auroc_{slug}"] = auc(both[shown], is_strange[shown], weight[shown])
        metrics[f"novelty_recall_at_1_percent_{slug}"] = float(
            np.average(strange_p[mine] <= 0.01, weights=strangers.stream_weight[mine])
        )
    return metrics
