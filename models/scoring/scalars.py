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
- ``common_distance``: to all classes as one Gaussian; ``relative_distance``: the least distance less that one
  (arXiv:2106.09022).
- ``log_detections``: natural logarithm of the number of detections.
"""

Z_LIMITS = (-5.0, 10.0)
"""Limits of a z in a mean over classes: one far class must not decide."""


def scalars(evidence: Evidence, normal_scale: ClassScale, latent_scale: ClassScale) -> Array:
    """The columns of :data:`SCALARS`, shape (n, scalars), finite."""
    z = evidence.logits
    p = softmax(z)
    largest = _least(-z, 3)
    peak = z.max(axis=1)
    leader = z.argmax(axis=1)
    columns = [
        -largest[:, 0],
        largest[:, 1] - largest[:, 0],
        largest[:, 2] - largest[:, 0],
        -(p * np.log(np.maximum(p, 1e-12))).sum(axis=1),
        -(peak + np.log(np.exp(z - peak[:, None]).sum(axis=1))),
        np.sqrt((z**2).sum(axis=1)),
        evidence.disagreement,
    ]
    for distances, scale in ((evidence.normal_distances, normal_scale), (evidence.latent_distances, latent_scale)):
        columns += _of_distances(distances, scale.apply(distances, evidence.detections), p, leader)
    columns += [
        evidence.common_distance,
        evidence.normal_distances.min(axis=1) - evidence.common_distance,
        np.log(np.maximum(evidence.detections, 1)),
    ]
    return np.stack(columns, axis=1)


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
