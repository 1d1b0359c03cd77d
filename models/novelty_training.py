"""Fit the novelty score: distances from the training objects, and a fusion learnt by hiding each class in turn."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from models.classifier import Classifier, balanced
from models.hashing import uniform
from models.novelty import COMPONENTS, ClassGaussians, Gaussianiser, Novelty, Scale, centred, fuse_inputs
from models.training_rows import Rows

REHEARSAL_ITERATIONS = 30
REHEARSAL_LEAVES = 10
REHEARSAL_FEATURES_A_SPLIT = 0.3
"""Boosting of the small classifiers that are fitted without one class: enough for the ranking of scores."""

MIN_HIDDEN_SNAPSHOTS = 20
"""A class with fewer snapshots is not hidden in a rehearsal: it would teach only its own noise."""


def fit(
    train: Rows,
    tune: Rows,
    classifier: Classifier,
    *,
    seed: int,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> Novelty:
    """The fused score for a classifier, from the rows it learnt from (``train``) and others (``tune``).

    For each class in turn, a small classifier learns from half of the other classes' objects; the hidden
    class is then told from the other half by a logistic regression on the scaled components, all
    rehearsals weighing the same. Its weights, none below 0, fuse the components of the full classifier.
    """
    classes = classifier.class_ids
    index = np.searchsorted(classes, train.class_id)
    gaussianiser = Gaussianiser.fit(train.features)
    x = gaussianiser.transform(train.features)
    fusion = _fusion(train, x, index, len(classes), seed, progress)
    raw, raw_tune = classifier.raw_scores(train.features), classifier.raw_scores(tune.features)
    gaussians = ClassGaussians.fit(x, index, train.weight, len(classes))
    logits = ClassGaussians.fit(centred(raw), index, train.weight, len(classes))
    known = fuse_inputs(
        gaussians.distances(gaussianiser.transform(tune.features)), logits.distances(centred(raw_tune)), raw_tune
    )
    return Novelty(gaussianiser, gaussians, logits, Scale.fit(known, tune.detections), fusion)


def _fusion(
    train: Rows,
    x: NDArray[np.float64],
    index: NDArray[np.int64],
    k: int,
    seed: int,
    progress: Callable[[int, int], None],
) -> NDArray[np.float64]:
    """Weights of the components, shape (components,), from rehearsals with each class hidden."""
    studied = uniform(train.object_id, seed + 2) < 0.5
    studied_classes = np.unique(index[studied])
    gaussians = ClassGaussians.fit(
        x[studied], np.searchsorted(studied_classes, index[studied]), train.weight[studied], len(studied_classes)
    )
    distances = gaussians.distances(x)
    scenes = []
    hidden = [c for c in range(k) if (index == c).sum() >= MIN_HIDDEN_SNAPSHOTS and len(studied_classes) > 2]
    for done, c in enumerate(hidden):
        progress(done, len(hidden))
        others = distances[:, studied_classes != c]
        scenes.append(_rehearse(train, index, studied, others, c, seed))
    progress(len(hidden), len(hidden))
    if not scenes:
        return np.full(len(COMPONENTS), 1.0 / len(COMPONENTS))
    return _logistic(
        np.concatenate([s[0] for s in scenes]),
        np.concatenate([s[1] for s in scenes]),
        np.concatenate([s[2] for s in scenes]),
    )


def _rehearse(
    train: Rows, index: NDArray[np.int64], studied: NDArray[np.bool_], distances: NDArray[np.float64], c: int, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.float64]]:
    """Scaled components, whether hidden, and weights, of objects a classifier without class ``c`` has not seen."""
    learn = studied & (index != c)
    small = Classifier.fit(
        train.features[learn],
        index[learn],
        train.weight[learn],
        seed=seed,
        max_iterations=REHEARSAL_ITERATIONS,
        max_leaves=REHEARSAL_LEAVES,
        features_a_split=REHEARSAL_FEATURES_A_SPLIT,
    )
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
    """Non-negative weights of a logistic regression: more of any strangeness never means less novel."""
    from scipy.optimize import minimize

    total = weight.sum()

    def loss(theta: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        z = x @ theta[:-1] + theta[-1]
        value = (weight * (np.logaddexp(0, z) - y * z)).sum() / total + 1e-3 * theta[:-1] @ theta[:-1]
        residual = weight * (1 / (1 + np.exp(-z)) - y) / total
        return float(value), np.concatenate([x.T @ residual + 2e-3 * theta[:-1], [residual.sum()]])

    start = np.append(np.full(x.shape[1], 0.2), 0.0)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[(0, None)] * x.shape[1] + [(None, None)])
    return np.asarray(found.x[:-1], np.float64)
