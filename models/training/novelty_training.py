"""Fit the novelty score: distances from the training objects, and weights fitted by hiding each class in turn."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.class_weights import balanced
from models.hashing import uniform
from models.scoring.classifier import Boosting, Classifier
from models.scoring.normal_scores import NormalScores
from models.scoring.novelty import COMPONENTS, ClassGaussians, Novelty, Scale, centred, fuse_inputs
from models.training.training_rows import TrainingRows

REHEARSAL = Boosting(learning_rate=0.25, max_iterations=15, max_leaves=8, max_bins=31)
REHEARSAL_SNAPSHOTS = 5_000
"""Most snapshots on which a small classifier without one class is trained: enough to rank the scores, and only a
second or two each."""

MIN_HIDDEN_SNAPSHOTS = 20
"""A class with fewer snapshots is not hidden, because it would add mostly noise."""


def fit(
    train: TrainingRows,
    tune: TrainingRows,
    classifier: Classifier,
    normal_scores: NormalScores,
    fusion: NDArray[np.float64],
) -> Novelty:
    """The novelty score of a classifier, from its training rows (``train``) and other rows (``tune``).

    ``normal_scores``: those of the features of the training rows; ``fusion``: the weight of each component, from
    :func:`rehearse`.
    """
    index = np.searchsorted(classifier.class_ids, train.class_id)
    k = len(classifier.class_ids)
    gaussians = ClassGaussians.fit(normal_scores.transform(train.features), index, train.weight, k)
    logits = ClassGaussians.fit(centred(classifier.raw_scores(train.features)), index, train.weight, k)
    raw = classifier.raw_scores(tune.features)
    distances = gaussians.distances(normal_scores.transform(tune.features))
    components = fuse_inputs(distances, logits.distances(centred(raw)), raw)
    return Novelty(normal_scores, gaussians, logits, Scale.fit(components, tune.detections), fusion)


def rehearse(train: TrainingRows, seed: int) -> NDArray[np.float64]:
    """Weights of the components, shape (components,), none below 0, fitted with each class hidden in turn.

    For each hidden class, a small classifier is trained on half of the objects of the other classes. A logistic
    regression on the scaled components then separates the hidden class from the other half. All hidden classes have
    the same weight.
    """
    luck = uniform(np.arange(len(train)), seed + 3)
    train = train.select(
        luck < 2 * REHEARSAL_SNAPSHOTS / max(len(luck), 1)
    )  # half of the objects train, the other half test
    _, index = np.unique(train.class_id, return_inverse=True)
    studied = uniform(train.object_id, seed + 2) < 0.5
    studied_classes = np.unique(index[studied])
    hidden = [c for c in np.unique(index) if (index == c).sum() >= MIN_HIDDEN_SNAPSHOTS and len(studied_classes) > 3]
    if not hidden:
        return np.full(len(COMPONENTS), 1.0 / len(COMPONENTS))
    x = NormalScores.fit(train.features).transform(train.features)
    row = np.searchsorted(studied_classes, index[studied])
    gaussians = ClassGaussians.fit(x[studied], row, train.weight[studied], len(studied_classes))
    distances = gaussians.distances(x)
    scenes = [_rehearse(train, index, studied, distances[:, studied_classes != c], c, seed) for c in hidden]
    x, y, weight = (np.concatenate(parts) for parts in zip(*scenes, strict=True))
    return _logistic(x, y, weight)


def _rehearse(
    train: TrainingRows,
    index: NDArray[np.int64],
    studied: NDArray[np.bool_],
    distances: NDArray[np.float64],
    c: int,
    seed: int,
) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.float64]]:
    """Scaled components, whether hidden, and weights, of objects that a classifier without ``c`` is not trained on."""
    learn = studied & (index != c)
    small = Classifier.fit(train.features[learn], index[learn], train.weight[learn], seed=seed, boosting=REHEARSAL)
    raw = small.raw_scores(train.features)
    z = centred(raw)
    row = np.searchsorted(small.class_ids, index[learn])
    logits = ClassGaussians.fit(z[learn], row, train.weight[learn], len(small.class_ids))
    components = fuse_inputs(distances, logits.distances(z), raw)
    shown = (index == c) | (~studied & np.isin(index, small.class_ids))
    is_hidden = index[shown] == c
    scale = Scale.fit(components[shown][~is_hidden], train.detections[shown][~is_hidden])
    scaled = scale.apply(components[shown], train.detections[shown])
    return scaled, is_hidden, balanced(is_hidden, train.weight[shown]) / shown.sum()


def _logistic(x: NDArray[np.float64], y: NDArray[np.bool_], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Non-negative weights of a logistic regression: a higher component never lowers the novelty score."""
    from scipy.optimize import minimize

    total = weight.sum()

    def loss(theta: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        z = x @ theta[:-1] + theta[-1]
        value = (weight * (np.logaddexp(0, z) - y * z)).sum() / total + 1e-3 * theta[:-1] @ theta[:-1]
        residual = weight * (1 / (1 + np.exp(-z)) - y) / total
        return float(value), np.concatenate([x.T @ residual + 2e-3 * theta[:-1], [residual.sum()]])

    start = np.append(np.full(x.shape[1], 0.2), 0.0)
    minimum = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[(0, None)] * x.shape[1] + [(None, None)])
    return np.asarray(minimum.x[:-1], np.float64)
