"""Learners for published tests: the interface, and the learner that is used."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from models.hashing import uniform
from models.scoring.calibration import Calibration
from models.scoring.classifier import Boosting, Classifier
from models.scoring.network import Network
from models.scoring.redshift_features import redshift_features
from models.suites.moments import Moments

Array = NDArray[np.float64]

FOLDS = 4
"""Number of parts of the training objects. Each member leaves out one part; all members together score test objects."""

FEW_ROWS, FOLDS_OF_FEW = 20_000, 8
"""With fewer rows there are more parts, so that each member has more training rows; for many it is not worth the
time."""

MOST_ROWS = 50_000
"""Most training rows of a member, drawn at random from more: this bounds the cost of training for large data sets."""

ITERATIONS = 80
Networks = tuple[int, tuple[int, ...]]
LARGE: Networks = (4, (256, 128))
SMALL: Networks = (2, (128, 64))
"""Number of networks of each member, whose logits are averaged, and units of their layers."""

MANY_CLASSES = 8
"""Large networks are used for at least this many classes, many rows and no copies. With three classes they take four
times as long without a gain."""

UNSEEN_CLASS = 2.0
"""If a part of the objects lacks a class, its logit is the least of the others minus this."""


class Fitted(Protocol):
    """A trained classifier."""

    def predict_proba(self, rows: Moments) -> Array:
        """Probabilities at the class rates of the training objects, (m, k), rows adding up to 1."""
        ...


class Learner(Protocol):
    """Learns classes from moments of objects. Anything with :meth:`fit` can be used in every suite."""

    @property
    def name(self) -> str:
        """Name in reports."""
        ...

    def fit(
        self, rows: Moments, label: NDArray[np.int64], group: NDArray[np.int64], n_classes: int, seed: int
    ) -> Learnt:
        """Train on ``rows`` (m,) with the true column ``label`` (m,). Rows of one ``group`` (m,), such as an object
        with its copies, are held out together."""
        ...


@dataclass(frozen=True, slots=True)
class Learnt:
    """A trained classifier, and its cross-validated predictions for the training rows: (m, k)."""

    fitted: Fitted
    held_out: Array


@dataclass(frozen=True, slots=True)
class TreesAndNetworks:
    """Boosted trees and small networks on the catalogue's features, with those of the redshift if there is one, and
    networks on the portrait of the light curve (:func:`kinds_of`).

    There are ``folds`` members of every kind (by default four, eight for few rows). Each is trained on the objects
    outside one part, and predicts that part. These predictions fit the weights of the kinds and the calibration, for
    each bin of detections. If the rows have the opinion of another learner, it is weighted in the same way. Test
    objects get the mean of the members' logits or, with few rows, of their probabilities.
    """

    name: str = "trees and networks"
    folds: int | None = None
    iterations: int = ITERATIONS
    n_jobs: int | None = None

    def fit(
        self, rows: Moments, label: NDArray[np.int64], group: NDArray[np.int64], n_classes: int, seed: int
    ) -> Learnt:
        kinds, networks = kinds_of(rows, n_classes)
        views, weight = views_of(rows, kinds), row_weight(rows)
        few = len(rows) < FEW_ROWS
        folds = self.folds or (FOLDS_OF_FEW if few else FOLDS)
        part = np.floor(uniform(group, seed + 7) * folds).astype(np.int64)
        tasks = []
        for fold in range(folds):
            seen = part != fold
            learnt = seen & drawn(len(rows), seed + fold)
            if (~seen).any() and len(np.unique(label[learnt])) > 1:
                rest = label, weight, seen, learnt, n_classes, seed + fold, self.iterations, networks
                tasks += [(kind, view, *rest) for kind, view in views.items()]
        answers_of_members = _all(tasks, self.n_jobs)
        raw = {kind: np.zeros((len(rows), n_classes)) for kind in views}
        members: dict[str, list[Member]] = {kind: [] for kind in views}
        for (kind, _, _, _, seen, *_), (member, answers) in zip(tasks, answers_of_members, strict=True):
            raw[kind][~seen] = answers
            members[kind].append(member)
        everyone = _with_opinion(list(raw.values()), rows)
        calibration = Calibration.fit(everyone, label, weight, rows.detections, equal_rates=False)
        pool = _mean_probability if few else _mean_logit
        return Learnt(_Calibrated(members, calibration, pool), calibration.p_flat(everyone, rows.detections))


Task = tuple[str, Any, NDArray[np.int64], Array, NDArray[np.bool_], NDArray[np.bool_], int, int, int, Networks]


def drawn(n: int, seed: int) -> NDArray[np.bool_]:
    """About :data:`MOST_ROWS` of ``n`` rows, or all if there are no more, (n,)."""
    return np.random.default_rng([seed, n]).random(n) * n < MOST_ROWS


def kinds_of(rows: Moments, n_classes: int) -> tuple[tuple[str, ...], Networks]:
    """The kinds of members for ``rows``, and their networks: with portraits if there are any, and, for many rows of
    many classes, with networks on features and portraits together.

    Portraits are not used with copies. Copies are drawn from the same Gaussian process that the portraits show, so
    portraits separate the copies of different classes better than the real objects.
    """
    copied = bool(rows.is_copy.any())
    large = n_classes >= MANY_CLASSES and len(rows) >= FEW_ROWS and not copied
    kinds: tuple[str, ...] = ("trees", "network")
    if rows.portrait.shape[1] and not copied:
        kinds += ("portrait", "both") if large else ("portrait",)
    return kinds, LARGE if large else SMALL


def views_of(rows: Moments, kinds: Iterable[str]) -> dict[str, NDArray[np.floating]]:
    """The inputs of each kind of member, (m, inputs)."""
    features = matrix(rows)
    features_by_kind: dict[str, NDArray[np.floating]] = {
        "trees": features,
        "network": features,
        "portrait": rows.portrait,
    }
    if "both" in kinds:
        features_by_kind["both"] = np.concatenate([features, rows.portrait], axis=1)
    return {kind: features_by_kind[kind] for kind in kinds}


@dataclass(frozen=True, slots=True)
class Member:
    """Raw scores with a column for every class, also for those that this part of the objects lacks."""

    model: Classifier | Network
    n_classes: int

    def raw_scores(self, x: Any) -> Array:
        learnt_scores = self.model.raw_scores(x)
        if isinstance(self.model, Network):
            return learnt_scores
        raw = np.full((len(x), self.n_classes), learnt_scores.min(axis=1, initial=0.0)[:, None] - UNSEEN_CLASS)
        raw[:, self.model.class_ids] = learnt_scores
        return raw


def _all(tasks: Sequence[Task], n_jobs: int | None) -> list[tuple[Member, Array]]:
    jobs = n_jobs or len(os.sched_getaffinity(0))
    if jobs == 1 or len(tasks) < 2:
        return [_member(task) for task in tasks]
    return list(_pool(jobs).map(_member, tasks))


@cache
def _pool(jobs: int) -> ProcessPoolExecutor:
    """Processes kept until the program ends, because the imports of each take seconds."""
    return ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn"))


def _member(task: Task) -> tuple[Member, Array]:
    """Train one member; returns it and its predictions for the rows outside its training set."""
    kind, x, label, weight, seen, learnt, n_classes, seed, iterations, networks = task
    lessons = x[learnt], label[learnt], weight[learnt]
    model: Classifier | Network
    if kind == "trees":
        model = Classifier.fit(*lessons, seed=seed, boosting=Boosting(max_iterations=iterations))
    else:
        number, hidden = networks
        model = Network.fit(*lessons, n_classes, seed=seed, members=number, hidden=hidden)
    member = Member(model, n_classes)
    return member, member.raw_scores(x[~seen])


Pool = Callable[[Calibration, list[Array], NDArray[np.int64]], Array]


@dataclass(frozen=True, slots=True)
class _Calibrated:
    members: dict[str, list[Member]]
    calibration: Calibration
    pool: Pool

    def predict_proba(self, rows: Moments) -> Array:
        views = views_of(rows, self.members)
        answers = [
            _with_opinion([one.raw_scores(view) for view, one in zip(views.values(), each, strict=True)], rows)
            for each in zip(*self.members.values(), strict=True)
        ]
        return self.pool(self.calibration, answers, rows.detections)


def _mean_logit(calibration: Calibration, answers: list[Array], detections: NDArray[np.int64]) -> Array:
    """Probabilities from the mean of the members' logits."""
    return calibration.p_flat(np.mean(answers, axis=0), detections)


def _mean_probability(calibration: Calibration, answers: list[Array], detections: NDArray[np.int64]) -> Array:
    """The mean of the members' probabilities. It is less confident than each, as a calibration on few objects is
    overconfident."""
    return np.asarray(np.mean([calibration.p_flat(one, detections) for one in answers], axis=0))


def _with_opinion(raw: list[Array], rows: Moments) -> Array:
    """The raw scores of all kinds, (kinds, m, k), followed by the opinion of another learner if there is one."""
    return np.stack([*raw, rows.opinion] if rows.opinion.shape[1] else raw)


def matrix(rows: Moments) -> Array:
    """The catalogue's features, followed by those of the redshift if any row has one."""
    if not np.isfinite(rows.redshift).any():
        return rows.features
    return np.concatenate([rows.features, redshift_features(rows.features, rows.redshift, rows.redshift_err)], axis=1)


def row_weight(rows: Moments) -> Array:
    """Weights: an object has total weight 1 over its rows, and so have all its copies together."""
    sort = np.stack([rows.object_id, rows.is_copy.astype(np.int64)], axis=1)
    _, row, count = np.unique(sort, axis=0, return_inverse=True, return_counts=True)
    return np.asarray(1.0 / count[row.ravel()])
