"""Fit the novelty score: distances from the training objects, and trees fitted by hiding classes in turn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from models.class_weights import balanced
from models.hashing import uniform
from models.scoring.class_scale import ClassScale
from models.scoring.classifier import Boosting, Classifier
from models.scoring.embedding import Embedding
from models.scoring.evidence import Evidence, EvidenceGaussians
from models.scoring.fusion import Fusion, Scale
from models.scoring.network import Network
from models.scoring.novelty import Novelty
from models.scoring.scalars import scalars
from models.training.fusion_training import Scene
from models.training.training_rows import TrainingRows

Array = NDArray[np.float64]

REHEARSAL = Boosting(learning_rate=0.25, max_iterations=15, max_leaves=8, max_bins=31)
"""Trees that are trained without one class: a few seconds each."""

REHEARSAL_SNAPSHOTS = 20_000
"""Most snapshots with which classes are hidden: half of the objects train the models, the others are scored."""

LEAST_SNAPSHOTS = 5_000
"""With fewer training snapshots no class is hidden: the trees would learn noise."""

GROUPS = 5
"""Classes are hidden in this many groups, to train fewer models. Neighbours in the order of ids, which are alike, are
in different groups."""

MIN_HIDDEN_SNAPSHOTS = 20
"""A class with fewer snapshots is not hidden, because it would add mostly noise."""


def fit(train: TrainingRows, apart: TrainingRows, classifier: Classifier, network: Network, fusion: Fusion) -> Novelty:
    """The novelty score of a bundle: from the training rows of its models (``train``), rows of other objects
    (``apart``) that set the scales, and the ``fusion`` of :func:`models.training.fusion_training.fused`."""
    gaussians, scales = _distances(train, apart, classifier, network)
    of_apart = evidence(apart, classifier, network, gaussians)
    columns = scalars(of_apart, *scales)
    scale = Scale.fit(columns, apart.detections)
    score = fusion.score(scale.apply(columns, apart.detections))
    typical = float(np.median(score))
    normal = network.normal_scores.transform(train.features)
    embedding = Embedding.fit(normal, of_apart, columns, score - typical)
    centred_fusion = replace(fusion, offset=fusion.offset - typical)
    return Novelty(network.normal_scores, gaussians, *scales, scale, centred_fusion, embedding)


def evidence(rows: TrainingRows, classifier: Classifier, network: Network, gaussians: EvidenceGaussians) -> Evidence:
    """What speaks for each class in the rows."""
    normal = network.normal_scores.transform(rows.features)
    output = network.output(normal, rows.features)
    return gaussians.evidence(normal, output, classifier.raw_scores(rows.features), rows.detections)


def _distances(
    train: TrainingRows, apart: TrainingRows, classifier: Classifier, network: Network
) -> tuple[EvidenceGaussians, tuple[ClassScale, ClassScale]]:
    """Class Gaussians of the training rows, and the usual distances to each class in normal scores and networks."""
    index, index_apart = (np.searchsorted(classifier.class_ids, rows.class_id) for rows in (train, apart))
    normal = network.normal_scores.transform(train.features)
    output = network.output(normal, train.features)
    gaussians = EvidenceGaussians.fit(normal, output, index, train.weight, len(classifier.class_ids))
    of_train, of_apart = (evidence(rows, classifier, network, gaussians) for rows in (train, apart))

    def usual(distances: Array, distances_apart: Array) -> ClassScale:
        return ClassScale.fit(distances, index, train.detections, (distances_apart, index_apart, apart.detections))

    return gaussians, (
        usual(of_train.normal_distances, of_apart.normal_distances),
        usual(of_train.latent_distances, of_apart.latent_distances),
    )


def rehearsal_rows(train: TrainingRows, seed: int) -> TrainingRows:
    """A random part of the training rows, small enough to train on it once for each hidden class."""
    luck = uniform(np.arange(len(train)), seed + 3)
    return train.select(luck < REHEARSAL_SNAPSHOTS / max(len(luck), 1))


def hideable(rows: TrainingRows) -> list[list[int]]:
    """Groups of classes; each group is hidden once. Of fewer than ten classes each is a group of its own; with few
    snapshots, or fewer than four classes, there is none."""
    classes, snapshots = np.unique(rows.class_id, return_counts=True)
    if len(rows) < LEAST_SNAPSHOTS or len(classes) < 4:
        return []
    hidden = [int(c) for c in classes[snapshots >= MIN_HIDDEN_SNAPSHOTS]]
    groups = GROUPS if len(classes) >= 2 * GROUPS else len(hidden)
    return [hidden[first::groups] for first in range(groups)]


def rehearse(rows: TrainingRows, group: list[int], seed: int) -> list[Scene]:
    """How alerts look to trees and networks that were trained on half of the objects, without the classes of the
    ``group``: one scene for each of them."""
    is_hidden = np.isin(rows.class_id, group)
    studied = ~is_hidden & (uniform(rows.object_id, seed + 2) < 0.5)
    train = rows.select(studied)
    classifier = Classifier.fit(train.features, train.class_id, train.weight, seed=seed, boosting=REHEARSAL)
    label = np.searchsorted(classifier.class_ids, train.class_id)
    network = Network.fit(train.features, label, train.weight, len(classifier.class_ids), seed=seed)
    other = rows.select(~studied & (is_hidden | np.isin(rows.class_id, classifier.class_ids)))
    strange = np.isin(other.class_id, group)
    gaussians, scales = _distances(train, other.select(~strange), classifier, network)
    columns = scalars(evidence(other, classifier, network, gaussians), *scales)
    scaled = Scale.fit(columns[~strange], other.detections[~strange]).apply(columns, other.detections)
    scenes = []
    for class_id in group:
        shown = ~strange | (other.class_id == class_id)
        # half of an object's weight is that of its last alert, where most is known
        weight = balanced(strange[shown], (other.weight + other.is_last)[shown]) / shown.sum()
        scenes.append(Scene(scaled[shown].astype(np.float32), strange[shown], weight))
    return scenes
