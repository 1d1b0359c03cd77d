"""Adapt a model to a survey's stream, step by step; what a step brings is measured on objects that it has not seen."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models import evaluation
from models.adaptation import fitting
from models.adaptation.fitting import Lessons
from models.adaptation.rates import stream_rates
from models.hashing import uniform
from models.progress import Progress, silent
from models.scoring.adapted import Head
from models.scoring.calibration import epoch_bin, with_prior
from models.scoring.classifier import softmax

Array = NDArray[np.float64]

LEAST_LABELS = 30
"""Labelled objects that an adaptation needs; with fewer nothing is changed."""

LEAST_FOR_WEIGHTS = 100
"""Labelled objects with which weights are tried, beside calibration alone."""

RIDGES = (100.0, 30.0, 10.0)
"""Penalties of the weights among which cross-validation chooses."""

FOLDS = 5

LEAST_SPREAD = 0.1

IA = 2222
"""The taxonomy's id of type Ia supernovae."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Of the last alerts of labelled objects: ``log_loss`` (nat), ``ece``, ``macro_f1``, and ``auc_ia``, the area under
    the ROC curve of type Ia, NaN where there are not both kinds."""

    log_loss: float
    ece: float
    macro_f1: float
    auc_ia: float

    @classmethod
    def of(cls, p: Array, label: NDArray[np.int64], class_ids: NDArray[np.int32]) -> Figures:
        """The figures of the probabilities ``p`` (n, k) of objects of the classes in the columns ``label`` (n,)."""
        one = np.ones(len(p))
        ia = np.flatnonzero(class_ids == IA)
        area = evaluation.auc(p[:, ia[0]], label == ia[0]) if len(ia) else float("nan")
        return cls(
            evaluation.log_loss(p, label, one),
            evaluation.expected_calibration_error(p, label, one),
            evaluation.macro_f1(p, label, one),
            area,
        )


@dataclass(frozen=True, slots=True)
class Step:
    """A step: its ``name``, whether it was ``taken``, the cross-validated ``figures`` with it, and ``why`` in words."""

    name: str
    taken: bool
    figures: Figures | None
    why: str


@dataclass(frozen=True, slots=True)
class Adaptation:
    """The result for one survey.

    - ``head``: None if the model stays as it is.
    - ``before``: figures of the model as it was, on the labelled objects; None without any.
    - ``steps``: in their order; ``n_labelled``, ``n_unlabelled``: objects.
    - ``rates``: class rates that the unlabelled objects suggest to the model as it was, (k,).
    - ``last``: the last alerts of the labelled objects; ``p_after`` (n, k): their probabilities afterwards, by heads
      that have not seen the object, for the gate.
    """

    head: Head | None
    before: Figures | None
    steps: tuple[Step, ...]
    n_labelled: int
    n_unlabelled: int
    rates: Array
    last: Lessons
    p_after: Array


@dataclass(frozen=True, slots=True)
class Unlabelled:
    """``n`` unlabelled objects of the stream at their last alerts: ``p_model`` (n, k), ``x`` (n, d), ``detections``
    (n,), as in :class:`Lessons`."""

    p_model: Array
    x: Array
    detections: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.p_model)


def adapted(
    lessons: Lessons,
    unlabelled: Unlabelled,
    *,
    rates: Array,
    class_ids: NDArray[np.int32],
    seed: int = 1,
    progress: Progress = silent,
) -> Adaptation:
    """Calibration by phase, weights, and class rates of one survey, each only if the labelled objects gain by it.

    ``lessons``: labelled objects, drawn at random, of classes that the model knows. ``rates`` (k,), ``class_ids`` (k,):
    of the model. Five folds of the labelled objects choose between calibration alone and weights of several strengths,
    and give the figures.

    Without labels nothing is changed: on streams unlike the training set, class rates and aligned features without
    labels made the probabilities worse (docs/adaptation.md).
    """
    last = lessons.select(lessons.is_last)
    suggested = stream_rates(unlabelled.p_model, rates) if len(unlabelled) else rates
    before = Figures.of(last.p_model, last.label, class_ids) if len(last) else None
    nothing = Adaptation(None, before, (), len(last), len(unlabelled), suggested, last, last.p_model)
    if before is None or len(last) < LEAST_LABELS:
        why = f"{len(last)} labelled objects; an adaptation needs {LEAST_LABELS}, drawn at random"
        return replace(nothing, steps=(Step("calibration", False, None, why),))
    every_x = np.concatenate([lessons.x, unlabelled.x])
    scale = every_x.mean(axis=0), every_x.std(axis=0) + LEAST_SPREAD
    trials = _trials(lessons, rates, scale, seed, progress)
    chosen, p, steps = None, last.p_model, []
    for name, some in (("calibration", trials[:1]), ("weights", trials[1:])):
        if not some:
            why = f"{len(last)} labelled objects; weights need {LEAST_FOR_WEIGHTS}"
            steps.append(Step(name, False, None, why))
            continue
        best = min(some, key=lambda one: _losses(one.p_last, last.label).mean())
        steps.append(_step(name, p, best.p_last, last.label, class_ids, best.title))
        if steps[-1].taken:
            chosen, p = best, best.p_last
    if chosen is None:
        return replace(nothing, steps=tuple(steps))
    head, p_after, step = _with_rates(chosen, unlabelled, last, class_ids)
    return replace(nothing, head=head, steps=(*steps, step), p_after=p_after)


@dataclass(frozen=True, slots=True)
class _Trial:
    """A head fitted to all lessons, and probabilities of the last alerts by heads that have not seen the object."""

    title: str
    head: Head
    p_last: Array


def _trials(lessons: Lessons, rates: Array, scale: tuple[Array, Array], seed: int, progress: Progress) -> list[_Trial]:
    """Calibration alone, and weights of each strength where there are enough labels."""
    ridges: list[float | None] = [None, *(RIDGES if lessons.n_objects >= LEAST_FOR_WEIGHTS else ())]
    fold = (uniform(lessons.object_id, seed + 23) * FOLDS).astype(np.int64)
    trials = []
    for number, ridge in enumerate(ridges):
        progress("adapting", number, len(ridges))
        logits = np.zeros_like(lessons.p_model)
        for one in range(FOLDS):
            here = fold == one
            if here.any() and not here.all():
                part = lessons.select(here)
                head = fitting.fitted(lessons.select(~here), rates, ridge, *scale)
                logits[here] = head.logits(part.p_model, part.x, part.detections)
        p = np.zeros_like(logits)
        for one in range(FOLDS):
            here = fold == one
            if here.any() and not here.all():
                sharpness = fitting.sharpness(logits[~here], lessons.select(~here))
                p[here] = softmax(sharpness[epoch_bin(lessons.detections[here])][:, None] * logits[here])
        whole = fitting.fitted(lessons, rates, ridge, *scale).sharpened(fitting.sharpness(logits, lessons))
        whole = replace(whole, rates=p[lessons.is_last].mean(axis=0))
        title = "calibration by phase" if ridge is None else f"weights, a squared one of 1 costs {ridge:g} nat"
        trials.append(_Trial(title, whole, p[lessons.is_last]))
    progress("adapting", len(ridges), len(ridges))
    return trials


def _losses(p: Array, label: NDArray[np.int64]) -> Array:
    """The log-loss of each object, nat, (n,)."""
    return -np.log(np.maximum(p[np.arange(len(p)), label], 1e-15))


def _step(
    name: str, p_before: Array, p_after: Array, label: NDArray[np.int64], class_ids: NDArray[np.int32], what: str
) -> Step:
    """The step, taken if the mean log-loss falls by more than the standard error of its change."""
    before, after = _losses(p_before, label), _losses(p_after, label)
    gain = before - after
    error = float(gain.std(ddof=1) / np.sqrt(len(gain)))
    taken = bool(gain.mean() > error)
    change = f"{before.mean():.3f} to {after.mean():.3f} nat, a difference of {-gain.mean():+.3f} ± {error:.3f}"
    why = f"{what}: the log-loss goes from {change}"
    return Step(name, taken, Figures.of(p_after, label, class_ids), why)


def _with_rates(
    chosen: _Trial, unlabelled: Unlabelled, last: Lessons, class_ids: NDArray[np.int32]
) -> tuple[Head, Array, Step]:
    """Class rates from the unlabelled objects, if that helps the labelled ones."""
    head = chosen.head
    if not len(unlabelled):
        return head, chosen.p_last, Step("rates", False, None, "there are no unlabelled objects")
    p = head.p_survey(unlabelled.p_model, unlabelled.x, unlabelled.detections)
    rates = stream_rates(p, head.rates, prior_objects=len(last))
    p_after = with_prior(chosen.p_last, rates / head.rates)
    what = f"class rates of {len(unlabelled):,} unlabelled objects"
    step = _step("rates", chosen.p_last, p_after, last.label, class_ids, what)
    return (head.at_rates(rates), p_after, step) if step.taken else (head, chosen.p_last, step)
