"""Numbers that tell how strange an alert is and do not depend on which classes are known."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.scoring.class_scale import ClassScale
from models.scoring.classifier import softmax
from models.scoring.evidence import Evidence

Array = NDArray[np.float64]

OF_DISTANCES = ("least", "gap", "leader", "z_least", "z_leader", "z_mean")
SCALARS = (
    *("logit_largest", "logit_gap", "logit_gap_to_third", "entropy", "energy", "logit_norm", "disagreement"),
    *(f"normal_{name}" for name in OF_DISTANCES),
    *(f"latent_{name}" for name in OF_DISTANCES),
    *("both_z_least", "both_z_mean"),
    *("tree_largest", "tree_gap", "tree_entropy", "tree_energy", "tree_divergence", "tree_z_leader"),
    *("common_distance", "relative_distance", "log_detections"),
)
"""The columns of :func:`scalars`.

- ``logit_largest``, ``logit_gap``, ``logit_gap_to_third``: the largest centred logit, and what it is above the second
  and the third; ``logit_norm``: the length of the vector of logits.
- ``entropy``: of their softmax, nat; ``energy``: minus their log-sum-exp (arXiv:2010.03759).
- ``disagreement``: of the networks (:class:`~models.scoring.evidence.Evidence`).
- ``normal_…``, ``latent_…``: of the logarithmic distances in normal scores and in the networks: ``least`` to any class,
  ``gap`` to the second, ``leader``: that to the most probable class less the least; ``z_…``: the same distances as
  :class:`~models.scoring.class_scale.ClassScale` sees them, least, to the most probable class, and mean over the
  classes by their probability.
- ``both_z_…``: the same of the sum of the z in normal scores and in the networks.
- ``tree_…``: of the trees' logits as of the networks'; ``tree_divergence``: Jensen and Shannon's, between the trees'
  and the networks' probabilities, nat; ``tree_z_leader``: the z in the networks to the trees' most probable class.
- ``common_distance``: to all classes as one Gaussian; ``relative_distance``: the least distance less that one
  (arXiv:2106.09022).
- ``log_detections``: natural logarithm of the number of detections.
"""

Z_LIMITS = (-5.0, 10.0)
"""Limits of a z in a mean over classes: one far class must not decide."""


def scalars(evidence: Evidence, normal_scale: ClassScale, latent_scale: ClassScale) -> Array:
    """The columns of :data:`SCALARS`, shape (n, scalars), finite."""
    logits, trees = evidence.logits, evidence.tree_logits
    p, p_trees = softmax(logits), softmax(trees)
    leader = logits.argmax(axis=1)
    largest, largest_of_trees = -_least(-logits, 3), -_least(-trees, 2)
    z_normal = normal_scale.apply(evidence.normal_distances, evidence.detections)
    z_latent = latent_scale.apply(evidence.latent_distances, evidence.detections)
    entropy, entropy_of_trees = _entropy(p), _entropy(p_trees)
    columns = [
        largest[:, 0],
        largest[:, 0] - largest[:, 1],
        largest[:, 0] - largest[:, 2],
        entropy,
        _energy(logits),
        np.sqrt((logits**2).sum(axis=1)),
        evidence.disagreement,
        *_of_distances(evidence.normal_distances, z_normal, p, leader),
        *_of_distances(evidence.latent_distances, z_latent, p, leader),
        (z_normal + z_latent).min(axis=1),
        (p * (np.clip(z_normal, *Z_LIMITS) + np.clip(z_latent, *Z_LIMITS))).sum(axis=1),
        largest_of_trees[:, 0],
        largest_of_trees[:, 0] - largest_of_trees[:, 1],
        entropy_of_trees,
        _energy(trees),
        _entropy((p + p_trees) / 2) - (entropy + entropy_of_trees) / 2,
        z_latent[np.arange(len(z_latent)), trees.argmax(axis=1)],
        evidence.common_distance,
        evidence.normal_distances.min(axis=1) - evidence.common_distance,
        np.log(np.maximum(evidence.detections, 1)),
    ]
    return np.stack(columns, axis=1)


def _entropy(p: Array) -> Array:
    return np.asarray(-(p * np.log(np.maximum(p, 1e-12))).sum(axis=1))


def _energy(logits: Array) -> Array:
    peak = logits.max(axis=1)
    return np.asarray(-(peak + np.log(np.exp(logits - peak[:, None]).sum(axis=1))))


def _of_distances(distances: Array, z: Array, p: Array, leader: NDArray[np.int64]) -> list[Array]:
    rows, least = np.arange(len(distances)), _least(distances, 2)
    return [
        least[:, 0],
        least[:, 1] - least[:, 0],
        distances[rows, leader] - least[:, 0],
        z.min(axis=1),
        z[rows, leader],
        (p * np.clip(z, *Z_LIMITS)).sum(axis=1),
    ]


def _least(values: Array, number: int) -> Array:
    """The smallest values of each row, rising, (n, number); the largest is repeated where there are fewer columns."""
    few = min(number, values.shape[1])
    smallest = np.sort(np.partition(values, few - 1, axis=1)[:, :few], axis=1)
    return np.concatenate([smallest, np.repeat(smallest[:, -1:], number - few, axis=1)], axis=1)
