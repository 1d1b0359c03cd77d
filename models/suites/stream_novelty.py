"""Novelty on a played stream: false alarms of ranks among its own objects, and the nightly selection's error rate."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from models.discovery.objects import Blocks
from models.discovery.publication import q_values
from models.discovery.scores import scored
from models.evaluation.intervals import bootstrap_many
from models.progress import Progress
from models.scoring.calibration import EPOCH_EDGES, epoch_bin
from models.scoring.embedding import BLOCK_WEIGHTS, COMPONENTS
from models.scoring.recent_scores import OBJECTS_KEPT, OBJECTS_NEEDED, RankedScores
from models.suites.played import Played
from models.suites.scores import Interval, Statistic

Rows = NDArray[np.int64]

LEAST_IN_CELL = 100
"""Objects of one phase that a rank needs; with fewer the objects of all phases are taken."""

NULLS = 500
LEAST_NULLS = 100
FDR = 0.1
SPLITS = 10
"""Random choices of nulls and of hidden objects, for each hidden class."""

NOVEL_SHARE = 0.05
"""Part of the stream that is of the hidden class, at most."""

LEAST_NOVEL = 10
"""Objects of unknown classes that a set needs to be used as it is; with fewer, known classes are hidden."""

NOTHING: Interval = (float("nan"),) * 3


def figures(
    played: Played,
    past: Rows,
    tested: Rows,
    class_ids: NDArray[np.int32],
    seed: int,
    draws: int,
    progress: Progress,
) -> tuple[dict[str, Interval], list[str]]:
    """``false_alarms_1_before``, ``false_alarms_1``, ``false_alarms_5`` and ``fdr_10_after_500``, with notes. ``past``
    and ``tested``: places in the stream."""
    rows = played.rows_of(tested)
    rows = rows[np.isin(played.class_id[rows], class_ids)]
    _, place, n_alerts = np.unique(played.turn[rows], return_inverse=True, return_counts=True)
    weight = 1 / n_alerts[place]
    ranks, notes = rank_p_values(played, played.rows_of(past), rows)

    alarms = {
        "false_alarms_1_before": played.p_value[rows] <= 0.01,
        "false_alarms_1": ranks <= 0.01,
        "false_alarms_5": ranks <= 0.05,
    }
    statistics: dict[str, Statistic] = {name: partial(_part, said, weight) for name, said in alarms.items()}
    metrics = bootstrap_many(statistics, played.turn[rows], seed=seed, draws=draws)
    rate, more = realised_fdr(played, class_ids, seed, progress)
    notes.append("false alarms are parts of the alerts of known classes at several moments; every object counts once")
    return {**metrics, f"fdr_10_after_{NULLS}": rate}, [*notes, *more]


def _part(is_alarm: NDArray[np.bool_], weight: NDArray[np.float64], chosen: Rows) -> float:
    return float(np.average(is_alarm[chosen], weights=weight[chosen]))


def rank_p_values(played: Played, past: Rows, asked: Rows) -> tuple[NDArray[np.float64], list[str]]:
    """The p-values (n,) of the alerts ``asked``: ranks among the ``past`` alerts of the same survey and phase, of each
    object the last one there; and notes. Both are rows."""
    p, notes = np.ones(len(asked)), []
    bins = epoch_bin(played.detections)
    for survey in np.unique(played.survey[asked]):
        of_survey = past[played.survey[past] == survey]
        for one in range(len(EPOCH_EDGES) + 1):
            mine = np.flatnonzero((played.survey[asked] == survey) & (bins[asked] == one))
            there = _last_of_each(played, of_survey[bins[of_survey] == one])
            if not len(mine):
                continue
            if len(there) < OBJECTS_NEEDED:
                few = f"ranks in bin {one + 1} of detections are among {len(there)} objects of the stream"
                notes.append(few + (": those of all bins are taken" if len(there) < LEAST_IN_CELL else ""))
            if len(there) < LEAST_IN_CELL:
                there = _last_of_each(played, of_survey)
            recent = np.sort(played.novelty[there][-OBJECTS_KEPT:].astype(np.float32))
            p[mine] = RankedScores(recent).p_value(played.novelty[asked[mine]])
    return p, notes


def _last_of_each(played: Played, rows: Rows) -> Rows:
    """The last of the rows of each object; they are in order of objects and time."""
    return rows[np.append(np.diff(played.turn[rows]) != 0, True)[: len(rows)]]


def realised_fdr(
    played: Played, class_ids: NDArray[np.int32], seed: int, progress: Progress
) -> tuple[Interval, list[str]]:
    """The mean over splits of the part of known classes among the selected objects, with its 95 % interval, and notes.

    The window is the whole stream: nulls are random objects of it, the others are selected among. Nulls
    of earlier times alone would not be like the stream where it drifts.
    Novel are the objects of classes that the model does not know, or, where there are few, of one known class after the
    other: its objects are no nulls then.
    """
    stream = np.flatnonzero(played.is_last)
    is_known = np.isin(played.class_id, class_ids)
    if (~is_known[stream]).sum() >= LEAST_NOVEL:
        hidden, notes = [~is_known], ["fdr: novel are the objects of classes that the model does not know"]
    else:
        ids, counts = np.unique(played.class_id[stream][is_known[stream]], return_counts=True)
        hidden = [played.class_id == one for one, n in zip(ids, counts, strict=True) if n >= LEAST_NOVEL]
        notes = [f"fdr: one class is hidden at a time, of {len(hidden)}"]
    rng = np.random.default_rng([seed, 7])
    rates, fewest = [], NULLS
    for number, is_novel in enumerate(hidden):
        progress("nightly selection", number, len(hidden))
        of_known = stream[is_known[stream] & ~is_novel[stream]]
        n_nulls = min(NULLS, len(of_known) // 2)
        if n_nulls < LEAST_NULLS:
            continue
        fewest = min(fewest, n_nulls)
        most = max(round(NOVEL_SHARE * (len(of_known) - n_nulls) / (1 - NOVEL_SHARE)), LEAST_NOVEL)
        for _ in range(SPLITS):
            luck = rng.permutation(of_known)
            novel = rng.permutation(stream[is_novel[stream]])[:most]
            rates.append(_realised(played, luck[:n_nulls], np.concatenate([luck[n_nulls:], novel]), is_novel, rng))
    progress("nightly selection", 1, 1)
    if fewest < NULLS:
        notes.append(f"fdr: there are {fewest} nulls for one of the classes, not {NULLS}")
    if not rates:
        return NOTHING, [*notes, f"fdr: no class can be hidden such that {LEAST_NULLS} nulls remain"]
    resampled = rng.choice(rates, (1000, len(rates))).mean(axis=1)
    low, high = np.quantile(resampled, [0.025, 0.975]).tolist()
    return (float(np.mean(rates)), low, high), notes


def _realised(
    played: Played, nulls: Rows, stream: Rows, is_novel: NDArray[np.bool_], rng: np.random.Generator
) -> float:
    """The part of known objects among those that the nightly selection takes; 0 if it takes none."""
    rows = np.concatenate([nulls, stream])
    is_stream = np.arange(len(rows)) >= len(nulls)
    class_id = np.where(is_stream, played.p_model[rows].argmax(axis=1), played.label[rows])
    result = scored(played.vectors[rows], is_stream, class_id, _blocks(played), rng)
    none = np.zeros(len(stream), bool)
    q = q_values(result.score[is_stream], result.score[~is_stream], none, np.zeros(len(nulls), bool))
    chosen = stream[q <= FDR]
    return float((~is_novel[chosen]).mean()) if len(chosen) else 0.0


def _blocks(played: Played) -> Blocks:
    """Of the vectors: logits and distances to k classes, principal components, scalars with the static score."""
    k = played.p_model.shape[1]
    first = (k, k, COMPONENTS)
    return Blocks((*first, played.vectors.shape[1] - sum(first)), BLOCK_WEIGHTS)
