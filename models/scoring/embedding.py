"""A vector for each object in which objects of one class lie together, also those of a class that nobody knows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.scoring.evidence import Evidence, centred

Array = NDArray[np.float64]

COMPONENTS = 20
"""Number of principal components of the normal scores."""

LIMIT = 4.0
"""Normal scores and standardised scalars are clipped at plus and minus this."""

BLOCK_WEIGHTS = (1.0, 1.0, 1.0, 0.7)
"""Of logits, latent distances, principal components and scalars in a distance between objects."""

RANGE = 3.3
"""The 95th less the 5th percentile of a normal distribution, in standard deviations."""


@dataclass(frozen=True, slots=True)
class ObjectVectors:
    """Of n alerts, one for each object as a rule.

    - ``near`` (n, d) float32: for neighbours; Euclidean distances between rows say how alike objects are. Blocks of k
      logits, k latent distances, 20 principal components and the scalars of strangeness.
    - ``wide`` (n, r) float32: the same columns and the static score, each with a robust scale and clipped at 4: for
      Gaussians of classes and of a new class.
    - ``score`` (n,): the static novelty score; larger is stranger.
    """

    near: NDArray[np.float32]
    wide: NDArray[np.float32]
    score: Array

    def __len__(self) -> int:
        return len(self.score)


@dataclass(frozen=True, slots=True)
class Embedding:
    """Constants of the vectors, from known objects; r columns: k, k, 20, scalars, 1.

    - ``components`` (f, 20), ``component_centre`` (f,): whitened principal components of the normal scores.
    - ``mean``, ``deviation``, ``median``, ``spread``: (r,).
    """

    components: Array
    component_centre: Array
    mean: Array
    deviation: Array
    median: Array
    spread: Array

    @classmethod
    def fit(cls, normal: Array, evidence: Evidence, scalars: Array, score: Array) -> Embedding:
        """Principal components of the ``normal`` scores (m, f) of training rows; scales from ``evidence``, ``scalars``
        (n, s) and ``score`` (n,) of rows that the networks were not trained on: training rows look too typical."""
        clipped = np.clip(normal, -LIMIT, LIMIT)
        centre = clipped.mean(axis=0)
        variance, direction = np.linalg.eigh(np.cov(clipped - centre, rowvar=False))
        largest = np.argsort(-variance)[:COMPONENTS]
        turned = direction[:, largest] * np.sign(direction[np.abs(direction[:, largest]).argmax(axis=0), largest])
        components = turned / np.sqrt(np.maximum(variance[largest], 1e-6))
        raw = _columns(evidence, components, centre, scalars, score)
        low, median, high = np.quantile(raw, (0.05, 0.5, 0.95), axis=0)
        return cls(components, centre, raw.mean(axis=0), raw.std(axis=0) + 1e-6, median, (high - low + 1e-3) / RANGE)

    def vectors(self, evidence: Evidence, scalars: Array, score: Array) -> ObjectVectors:
        """The vectors of alerts, from their evidence, scalars (n, s) and static scores (n,)."""
        raw = _columns(evidence, self.components, self.component_centre, scalars, score)
        standard = (raw - self.mean) / self.deviation
        k, first_scalar = evidence.logits.shape[1], raw.shape[1] - 1 - scalars.shape[1]
        standard[:, first_scalar:] = np.clip(standard[:, first_scalar:], -LIMIT, LIMIT)
        sizes = (k, k, self.components.shape[1], scalars.shape[1])
        weight = np.concatenate([np.full(n, w / np.sqrt(n)) for n, w in zip(sizes, BLOCK_WEIGHTS, strict=True)])
        wide = np.clip((raw - self.median) / self.spread, -LIMIT, LIMIT)
        return ObjectVectors((standard[:, :-1] * weight).astype(np.float32), wide.astype(np.float32), score)


def _columns(evidence: Evidence, components: Array, centre: Array, scalars: Array, score: Array) -> Array:
    principal = (np.clip(evidence.normal, -LIMIT, LIMIT) - centre) @ components
    distances = centred(evidence.latent_distances)
    return np.concatenate([evidence.logits, distances, principal, scalars, score[:, None]], axis=1)
