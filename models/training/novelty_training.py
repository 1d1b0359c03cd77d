"""Fit the novelty score: distances from the training objects, and weights fitted by hiding each class in turn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.class_weights import balanced
from models.hashing import uniform
from models.scoring.class_scale import ClassScale
from models.scoring.embedding import Embedding
from models.scoring.evidence import EvidenceGaussians
from models.scoring.fusion import Fusion, Scale
from models.scoring.network import Network
from models.scoring.novelty import Novelty
from models.scoring.scalars import SCALARS, scalars
from models.training.training_rows import TrainingRows

Array = NDArray[np.float64]

REHEARSAL_SNAPSHOTS = 24_000
"""Most snapshots with which classes are hidden: half of the objects train the networks, the others are scored."""

LEAST_SNAPSHOTS = 5_000
"""With fewer training snapshots no class is hidden: the weights would be noise."""

MIN_HIDDEN_SNAPSHOTS = 20
"""A class with fewer snapshots is not hidden, because it would add mostly noise."""

PENALTY = 1e-3
"""Strength of the shrinkage of the fusion's weights."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Scaled scalars (n, scalars) of alerts that the networks did not learn from, whether their class was hidden from
    the networks too, and weights, of which known and hidden alerts have the same sum."""

    scaled: Array
    is_hidden: NDArray[np.bool_]
    weight: Array


def fit(train: TrainingRows, apart: TrainingRows, network: Network, class_ids: NDArray, fusion: Fusion) -> Novelty:
    """The novelty score of a bundle: from the training rows of the network (``train``), rows of other objects
    (``apart``) that set the scales, and the ``fusion`` from :func:`fused`."""
    normal, normal_apart = (network.normal_scores.transform(rows.features) for rows in (train, apart))
    parts = _parts(train, apart, normal, normal_apart, network, class_ids)
    gaussians, normal_scale, latent_scale = parts
    evidence = gaussians.evidence(normal_apart, network.output(normal_apart, apart.features), apart.detections)
    columns = scalars(evidence, normal_scale, latent_scale)
    scale = Scale.fit(columns, apart.detections)
    score = fusion.score(scale.apply(columns, apart.detections))
    embedding = Embedding.fit(normal, evidence, columns, score)
    return Novelty(network.normal_scores, *parts, scale, fusion, embedding)


def _parts(
    train: TrainingRows, apart: TrainingRows, normal: Array, normal_apart: Array, network: Network, class_ids: NDArray
) -> tuple[EvidenceGaussians, ClassScale, ClassScale]:
    """Class Gaussians of the training rows, and the usual distances to each class in normal scores and networks."""
    index, index_apart = (np.searchsorted(class_ids, rows.class_id) for rows in (train, apart))
    output = network.output(normal, train.features)
    gaussians = EvidenceGaussians.fit(normal, output, index, train.weight, len(class_ids))
    one = gaussians.evidence(normal, output, train.detections)
    other = gaussians.evidence(normal_apart, network.output(normal_apart, apart.features), apart.detections)
    scales = [
        ClassScale.fit(
            getattr(one, name), index, train.detections, (getattr(other, name), index_apart, apart.detections)
        )
        for name in ("normal_distances", "latent_distances")
    ]
    return gaussians, scales[0], scales[1]


def rehearsal_rows(train: TrainingRows, seed: int) -> TrainingRows:
    """A random part of the training rows, small enough to train networks on it once for each hidden class."""
    luck = uniform(np.arange(len(train)), seed + 3)
    return train.select(luck < REHEARSAL_SNAPSHOTS / max(len(luck), 1))


def hideable(rows: TrainingRows) -> list[int]:
    """The classes that are hidden in turn; none if there are few snapshots, or fewer than four classes."""
    classes, snapshots = np.unique(rows.class_id, return_counts=True)
    if len(rows) < LEAST_SNAPSHOTS or len(classes) < 4:
        return []
    return [int(c) for c in classes[snapshots >= MIN_HIDDEN_SNAPSHOTS]]


def rehearse(rows: TrainingRows, hidden: int, seed: int) -> Scene:
    """How alerts look to networks that were trained on half of the objects, without the class ``hidden``."""
    is_hidden = rows.class_id == hidden
    studied = ~is_hidden & (uniform(rows.object_id, seed + 2) < 0.5)
    learnt = np.unique(rows.class_id[studied])
    train = rows.select(studied)
    other = rows.select(~studied & (is_hidden | np.isin(rows.class_id, learnt)))
    label = np.searchsorted(learnt, train.class_id)
    network = Network.fit(train.features, label, train.weight, len(learnt), seed=seed)
    strange = other.class_id == hidden
    apart = other.select(~strange)
    normal, normal_apart = (network.normal_scores.transform(part.features) for part in (train, apart))
    gaussians, *scales = _parts(train, apart, normal, normal_apart, network, learnt)
    normal_other = network.normal_scores.transform(other.features)
    evidence = gaussians.evidence(normal_other, network.output(normal_other, other.features), other.detections)
    columns = scalars(evidence, scales[0], scales[1])
    scaled = Scale.fit(columns[~strange], other.detections[~strange]).apply(columns, other.detections)
    return Scene(scaled, strange, balanced(strange, other.weight) / len(other))


def fused(scenes: Sequence[Scene]) -> Fusion:
    """The weights that tell hidden from known alerts best in all ``scenes`` together; every scene counts the same.
    Without any scene only the distance to the most probable class counts."""
    if not scenes:
        weight = np.zeros(2 * len(SCALARS))
        weight[SCALARS.index("latent_z_leader")] = 1.0
        return Fusion(weight)
    scaled, is_hidden, weight = (np.concatenate([getattr(scene, name) for scene in scenes]) for name in Scene.__slots__)
    return Fusion(_logistic(np.concatenate([scaled, scaled**2], axis=1), is_hidden, weight))


def _logistic(x: Array, y: NDArray[np.bool_], weight: Array) -> Array:
    """Weights (columns,) of a logistic regression with a constant."""
    from scipy.optimize import minimize

    total, deviation = weight.sum(), x.std(axis=0) + 1e-6
    x = x / deviation

    def loss(theta: Array) -> tuple[float, Array]:
        z = x @ theta[:-1] + theta[-1]
        value = (weight * (np.logaddexp(0, z) - y * z)).sum() / total + PENALTY * theta[:-1] @ theta[:-1]
        residual = weight * (1 / (1 + np.exp(-np.clip(z, -500, 500))) - y) / total
        gradient = np.concatenate([x.T @ residual + 2 * PENALTY * theta[:-1], [residual.sum()]])
        return float(value), gradient

    minimum = minimize(loss, np.zeros(x.shape[1] + 1), jac=True, method="L-BFGS-B")
    return np.asarray(minimum.x[:-1] / deviation, np.float64)
