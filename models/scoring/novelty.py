"""Novelty: how strange an alert is, and the vector of its object, from what speaks for each known class."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.bundle import BundleError
from models.scoring.arrays import flat, rebuilt
from models.scoring.class_scale import ClassScale
from models.scoring.embedding import Embedding, ObjectVectors
from models.scoring.evidence import Evidence, EvidenceGaussians
from models.scoring.fusion import Fusion, Scale
from models.scoring.network import NetworkOutput
from models.scoring.normal_scores import NormalScores
from models.scoring.scalars import scalars

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Novelty:
    """The novelty of a bundle: normal scores and networks of the classifier turn into evidence for each class, this
    into scalars of strangeness, and these into one score.

    ``normal_scale``, ``latent_scale``: usual distances to each class; ``scale``, ``fusion``: of the scalars;
    ``embedding``: the constants of the vectors of objects.
    """

    normal_scores: NormalScores
    gaussians: EvidenceGaussians
    normal_scale: ClassScale
    latent_scale: ClassScale
    scale: Scale
    fusion: Fusion
    embedding: Embedding

    def evidence(self, normal: Array, output: NetworkOutput, trees: Array, detections: NDArray[np.int64]) -> Evidence:
        """Logits and distances of n alerts, from their normal scores (n, f), the networks' output and the trees' logits
        (n, k)."""
        return self.gaussians.evidence(normal, output, trees, detections)

    def scalars(self, evidence: Evidence) -> Array:
        """The numbers of strangeness, (n, scalars), in the order of :data:`~models.scoring.scalars.SCALARS`."""
        return scalars(evidence, self.normal_scale, self.latent_scale)

    def score(self, evidence: Evidence) -> Array:
        """The score of each alert, (n,), finite; larger is stranger, 0 is typical."""
        return self._score(evidence, self.scalars(evidence))

    def vectors(self, evidence: Evidence) -> ObjectVectors:
        """The vectors of the alerts' objects, with their scores."""
        columns = self.scalars(evidence)
        return self.embedding.vectors(evidence, columns, self._score(evidence, columns))

    def _score(self, evidence: Evidence, columns: Array) -> Array:
        return np.nan_to_num(self.fusion.score(self.scale.apply(columns, evidence.detections)))

    def save(self, file: Path) -> None:
        """Write all arrays into one npz file, without pickles."""
        np.savez_compressed(file, **flat(self))  # type: ignore[arg-type]

    @classmethod
    def load(cls, file: Path) -> Novelty:
        """Read what :meth:`save` wrote; raises BundleError if arrays are missing."""
        try:
            with np.load(file, allow_pickle=False) as stored:
                return rebuilt(cls, dict(stored))
        except KeyError as error:
            raise BundleError(
                f"{file}: no novelty score (the array {error} is missing): train a new bundle with `gueststar train`"
            ) from error
