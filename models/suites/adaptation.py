"""Adaptation measured: a labelled set is played as a stream, and a finished model adapts to its first two thirds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models import evaluation
from models.adaptation import fitting
from models.adaptation.adapting import Adaptation, Unlabelled, adapted
from models.adaptation.fitting import Lessons
from models.evaluation.intervals import bootstrap_many
from models.progress import Progress, silent
from models.scoring.scorer import Scorer
from models.suites import stream_novelty
from models.suites.moments import WHOLE
from models.suites.outcome import Outcome
from models.suites.played import Played, play
from models.suites.scores import IA, Interval, Statistic
from models.suites.trial import Classes, Predictions, Trial
from schemas.taxonomy import name_of

Array = NDArray[np.float64]
Rows = NDArray[np.int64]

LABELS = (0, 200, 500)
"""Random labels with which the model is adapted."""

LABEL_DRAWS = 3
"""Draws of the labels; a figure is the mean over them."""

LEAST_TESTED = 10
"""Objects of known classes that the last third needs."""


@dataclass(frozen=True, slots=True)
class _Thirds:
    """Places in the stream: ``first`` unlabelled, ``second`` with labels, ``third`` to measure on."""

    first: Rows
    second: Rows
    third: Rows


def run(
    source: str,
    scorer: Scorer,
    *,
    folder: Path | None,
    seed: int = 1,
    draws: int = 200,
    progress: Progress = silent,
    n_jobs: int | None = None,
) -> Outcome:
    """Play the set at ``source`` in the order of the objects' last alerts: the first third is not labelled, random
    objects of the second are labelled, the last is measured. Nothing of the last third is learnt from.

    Raises LookupError or ValueError if the set cannot be read or is too small.
    """
    played = play(source, scorer, folder, progress=progress, n_jobs=n_jobs)
    third = np.array_split(np.arange(played.n_objects), 3)
    thirds = _Thirds(*third)
    tested = played.rows_of(thirds.third, last=True)
    tested = tested[played.label[tested] >= 0]
    if len(tested) < LEAST_TESTED:
        raise ValueError(
            f"{source}: the last third must have {LEAST_TESTED} objects of classes that the model knows, found "
            f"{len(tested)}: give more objects"
        )
    results, notes = _adapted(played, thirds, tested, scorer, seed, progress)
    metrics, of_novelty = stream_novelty.figures(
        played, np.concatenate([thirds.first, thirds.second]), thirds.third, scorer.class_ids, seed, draws, progress
    )
    metrics |= _figures(results, scorer.class_ids, played, tested, seed, draws)
    trials = [(_trial(name, scorer, played, tested), _said(p[0], played, tested)) for name, p in results.items()]
    return Outcome(
        suite="adaptation",
        n_train=len(thirds.first) + len(thirds.second),
        n_test=len(tested),
        metrics=metrics,
        peers=[],
        labelled=played.labelled,
        trials=trials[::-1],
        learner=f"model {scorer.sha256[:16]}",
        notes=[*notes, *of_novelty],
    )


def _adapted(
    played: Played, thirds: _Thirds, tested: Rows, scorer: Scorer, seed: int, progress: Progress
) -> tuple[dict[str, list[Array]], list[str]]:
    """The probabilities of the tested alerts before, and after adapting with each number of labels: one (n, k) for each
    draw of the labels."""
    results = {"before": [played.p_published[tested]]}
    notes = []
    n_labels = [min(n, len(thirds.second)) for n in LABELS]
    for wanted, n in zip(LABELS, n_labels, strict=True):
        if n < wanted:
            notes.append(f"after_{wanted}: there are {n} objects in the second third, and all of them are labelled")
        parts: list[tuple[Array, list[str]]] = []
        for draw in range(LABEL_DRAWS if n else 1):
            progress("adapting", len(parts), LABEL_DRAWS)
            luck = np.random.default_rng([seed, draw]).permutation(thirds.second)
            parts.append(_after(played, thirds.first, luck[:n], tested, scorer, seed + draw))
        results[f"after_{wanted}"] = [p for p, _ in parts]
        notes += _told(wanted, [steps for _, steps in parts])
    progress("adapting", LABEL_DRAWS, LABEL_DRAWS)
    return results, notes


def _after(
    played: Played, unlabelled: Rows, labelled: Rows, tested: Rows, scorer: Scorer, seed: int
) -> tuple[Array, list[str]]:
    """The probabilities of the tested alerts, (n, k), and a word for each step that was taken; each survey is adapted
    to its own objects."""
    p, steps = played.p_published[tested].copy(), []
    for survey in np.unique(played.survey[tested]):
        result = of_survey(played, unlabelled, labelled, int(survey), scorer, seed)
        mine = np.flatnonzero(played.survey[tested] == survey)
        steps += [step.name for step in result.steps if step.taken]
        if result.head is not None:
            rows = tested[mine]
            p[mine] = result.head.p_survey(played.p_model[rows], played.x[rows], played.detections[rows])
    return p, steps


def of_survey(played: Played, unlabelled: Rows, labelled: Rows, survey: int, scorer: Scorer, seed: int) -> Adaptation:
    """Adapt to the objects of one survey at the places ``unlabelled`` and ``labelled`` in the stream."""
    taught = played.rows_of(labelled)
    taught = taught[(played.survey[taught] == survey) & (played.label[taught] >= 0)]
    free = played.rows_of(unlabelled, last=True)
    free = free[played.survey[free] == survey]
    lessons = Lessons(
        object_id=played.turn[taught],
        label=played.label[taught],
        weight=fitting.weights_of(played.turn[taught], played.is_last[taught]),
        p_model=played.p_model[taught],
        x=played.x[taught],
        detections=played.detections[taught],
        is_last=played.is_last[taught],
    )
    of_stream = Unlabelled(played.p_model[free], played.x[free], played.detections[free])
    return adapted(lessons, of_stream, rates=scorer.prior, class_ids=scorer.class_ids, seed=seed)


def _told(wanted: int, steps: list[list[str]]) -> list[str]:
    """One note on the steps that were taken, with how many draws of the labels took them."""
    names = ("calibration", "weights", "rates")
    taken = [f"{name} in {n} of {len(steps)} draws" for name in names if (n := sum(name in one for one in steps))]
    return [f"after_{wanted}: {'; '.join(taken) if taken else 'the model stays as it was'}"]


def _figures(
    results: dict[str, list[Array]],
    class_ids: NDArray[np.int32],
    played: Played,
    tested: Rows,
    seed: int,
    draws: int,
) -> dict[str, Interval]:
    """``ece_…``, ``macro_f1_…``, ``auc_ia_…`` before and after."""
    label = played.label[tested]
    is_ia = class_ids[label] == IA
    ia = int(np.searchsorted(class_ids, IA)) if IA in class_ids else -1
    statistics: dict[str, Statistic] = {}
    for name, parts in results.items():
        statistics |= {
            f"ece_{name}": partial(_mean_over, _ece, parts, label),
            f"macro_f1_{name}": partial(_mean_over, _macro_f1, parts, label),
            f"auc_ia_{name}": partial(_mean_over, partial(_auc, ia), parts, is_ia),
        }
    order = [f"{figure}_{name}" for figure in ("ece", "macro_f1", "auc_ia") for name in results]
    measured = bootstrap_many({name: statistics[name] for name in order}, played.turn[tested], seed=seed, draws=draws)
    return {name: measured[name] for name in order}


def _mean_over(figure: Callable[..., float], parts: list[Array], truth: Rows | NDArray[np.bool_], rows: Rows) -> float:
    return float(np.mean([figure(p[rows], truth[rows]) for p in parts]))


def _ece(p: Array, label: Rows) -> float:
    return evaluation.expected_calibration_error(p, label, np.ones(len(p)))


def _macro_f1(p: Array, label: Rows) -> float:
    return evaluation.macro_f1(p, label, np.ones(len(p)))


def _auc(ia: int, p: Array, is_ia: NDArray[np.bool_]) -> float:
    return evaluation.auc(p[:, ia], is_ia) if ia >= 0 else float("nan")


def _trial(name: str, scorer: Scorer, played: Played, tested: Rows) -> Trial:
    """For the report: the last alerts of the tested objects."""
    label = np.full(len(played.labelled), -1)
    label[played.object_row[tested]] = played.label[tested]
    ids = tuple(int(one) for one in scorer.class_ids)
    classes = Classes(tuple(name_of(one) for one in ids), ids)
    title = "the last third, before" if name == "before" else f"the last third, {name.replace('_', ' ')} labels"
    return Trial(name, title, classes, label, [(np.zeros(0, np.int64), played.object_row[tested])], (WHOLE,))


def _said(p: Array, played: Played, tested: Rows) -> Predictions:
    return Predictions.not_learnt(
        p=p,
        label=played.label[tested],
        object_row=played.object_row[tested],
        object_id=played.labelled.light_curves.object_id[played.object_row[tested]],
        days=np.full(len(tested), WHOLE),
        detections=played.detections[tested],
        number=np.full(len(tested), -1),
        answered=np.ones(len(tested), bool),
        mix=np.full(p.shape[1], 1 / p.shape[1]),
    )
