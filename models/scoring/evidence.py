"""What speaks for and against each known class: logits and distances, the raw material of novelty."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.scoring.class_gaussians import ClassGaussians
from models.scoring.network import NetworkOutput

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Evidence:
    """Of n alerts, for k known classes and f features.

    - ``logits`` (n, k): of the networks, mean over them, class rates taken out, less the mean over the classes.
    - ``tree_logits`` (n, k): of the boosted trees, less the mean over the classes.
    - ``latent_distances`` (n, k): natural logarithm of the Mahalanobis distance to each class in the last hidden layer
      of a network, mean over the networks.
    - ``normal_distances`` (n, k): the same in the features' normal scores (arXiv:1807.03888, with a covariance for each
      class); ``common_distance`` (n,): the same to one Gaussian for all classes.
    - ``normal`` (n, f): the normal scores, 0 where a feature is missing.
    - ``disagreement`` (n,): mutual information of the class and the choice of network, nat (arXiv:1112.5745).
    - ``detections`` (n,): the number of detections of each alert.
    """

    logits: Array
    tree_logits: Array
    latent_distances: Array
    normal_distances: Array
    common_distance: Array
    normal: Array
    disagreement: Array
    detections: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.logits)


@dataclass(frozen=True, slots=True)
class EvidenceGaussians:
    """The class Gaussians behind the distances: ``latent`` of each network, ``normal`` of the normal scores, ``common``
    of all classes as one."""

    latent: tuple[ClassGaussians, ...]
    normal: ClassGaussians
    common: ClassGaussians

    @classmethod
    def fit(
        cls, normal: Array, output: NetworkOutput, class_index: NDArray[np.int64], weight: Array, k: int
    ) -> EvidenceGaussians:
        """From training rows: their normal scores (n, f), what the networks make of them, and classes from 0 to k."""
        return cls(
            tuple(ClassGaussians.fit(hidden, class_index, weight, k) for hidden in output.hidden),
            ClassGaussians.fit(normal, class_index, weight, k),
            ClassGaussians.fit(normal, np.zeros(len(normal), np.int64), weight, 1),
        )

    def evidence(self, normal: Array, output: NetworkOutput, trees: Array, detections: NDArray[np.int64]) -> Evidence:
        """The evidence of alerts from their normal scores (n, f), the networks' output and the trees' logits (n, k)."""
        latent = [g.log_distances(hidden) for g, hidden in zip(self.latent, output.hidden, strict=True)]
        return Evidence(
            logits=centred(output.logits),
            tree_logits=centred(trees),
            latent_distances=np.asarray(np.mean(latent, axis=0)),
            normal_distances=self.normal.log_distances(normal),
            common_distance=self.common.log_distances(normal)[:, 0],
            normal=normal,
            disagreement=output.disagreement,
            detections=np.asarray(detections, np.int64),
        )


def centred(raw: Array) -> Array:
    """Rows less their mean; of logits this does not change the softmax."""
    return raw - raw.mean(axis=1, keepdims=True)
