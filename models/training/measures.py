"""What a bundle is worth on objects it has never seen: the metrics of its manifest."""

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
"""Of the bootstrap."""

Statistic = Callable[[NDArray[np.int64]], float]


def held_out_metrics(scorer: Scorer, learnt: TrainingRows, strangers: TrainingRows) -> dict[str, float]:
    """Metrics on held-out objects of known classes, and on all objects of classes the bundle doesn't know.

    Names without ``_last`` are over all snapshots, an object counting once; ``_last`` is each object's
    last alert. ``log_loss_flat`` in nat; ``ece`` for the held-out objects' own class mix; ``_epoch_``
    is followed by the smallest number of detections of its bin. ``_photoz``: told the host's photometric redshift, of
    the objects that have one; the others need nothing but the light curve. Novelty: see :func:`novelty_metrics`.
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
    """95 % intervals, [low, high], over objects, of the metrics that are not of novelty."""
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
    """Rows and their probabilities at equal rates: of the light curve ``alone``, and told the host's redshift."""
    yield "", learnt, alone
    hosted = learnt.select(learnt.host.is_told)
    if scorer.with_photoz is not None and len(hosted):
        yield "_photoz", hosted, scorer.evaluate(hosted.features, hosted.detections, hosted.host)[0]


def _views(learnt: TrainingRows) -> dict[str, NDArray[np.bool_]]:
    """Rows that figures are told of, by the end of their names; none is empty."""
    views = {"": np.ones(len(learnt), bool), "_last": learnt.is_last}
    views |= {f"_epoch_{first}": epoch_bin(learnt.detections) == b for b, first in enumerate((1, *EPOCH_EDGES))}
    return {name: shown for name, shown in views.items() if shown.any()}


def _statistics(
    scorer: Scorer, learnt: TrainingRows, p: NDArray[np.float64], view: str, shown: NDArray[np.bool_]
) -> dict[str, Statistic]:
    """Figures of the rows ``shown`` as functions of chosen ones among them; ``p`` at equal rates, of all rows."""
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
    """How well unknown classes are noticed, together and (with its slug) each: every object counts once.

    - ``novelty_auroc``: the chance that a stranger scores above a known object.
    - ``novelty_recall_at_1_percent``: strangers with a p-value of 0.01 or less.
    - ``novelty_bh_power``, ``novelty_bh_fdr``: strangers found, and known ones among the found, by
      Benjamini-Hochberg at 0.1 over all snapshots of held-out and unknown objects.
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
