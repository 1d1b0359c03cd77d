"""Novelty: simple scores, combined with weights that were fitted by hiding each known class in turn."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.scoring.calibration import EPOCH_EDGES, epoch_bin
from models.scoring.classifier import softmax
from models.scoring.normal_scores import NormalScores

COMPONENTS = ("feature_distance", "score_distance", "entropy", "energy", "margin")
"""The scores that are combined; larger means more novel.

- ``feature_distance``: logarithm of the smallest Mahalanobis distance to a class in Gaussianised features
  (arXiv:1807.03888, with a covariance for each class, shrunk towards the common one).
- ``score_distance``: the same in the classifier's centred logits.
- ``entropy``: of the uncalibrated probabilities, nat.
- ``energy``: minus the log-sum-exp of the centred logits (arXiv:2010.03759).
- ``margin``: minus the difference of the two largest logits.
"""

SHRINKAGE = 200.0
"""Weight, in snapshots, of the common covariance in the covariance of each class."""

RIDGE = 0.05
"""Added to the variance of each Gaussianised feature, so that no direction has zero variance."""


@dataclass(frozen=True)
class ClassGaussians:
    """A normal distribution for each class: means (k, d), and whitening matrices (k, d, d)."""

    mean: NDArray[np.float64]
    whitening: NDArray[np.float64]

    @classmethod
    def fit(
        cls,
        x: NDArray[np.float64],
        class_index: NDArray[np.int64],
        weight: NDArray[np.float64],
        k: int,
        shrinkage: float = SHRINKAGE,
    ) -> ClassGaussians:
        """Means and covariances of ``k`` classes; the rows of each weighted by ``weight``. ``shrinkage``: the weight of
        the common covariance, in rows."""
        d = x.shape[1]
        mean, scatter, size = np.zeros((k, d)), np.zeros((k, d, d)), np.zeros(k)
        for c in range(k):
            mine, w = x[class_index == c], weight[class_index == c]
            size[c] = len(mine)
            mean[c] = np.average(mine, axis=0, weights=w)
            centred = mine - mean[c]
            scatter[c] = (centred * w[:, None]).T @ centred / w.sum()
        common = scatter.mean(axis=0)
        share = (size / (size + shrinkage))[:, None, None]
        covariance = share * scatter + (1 - share) * common + RIDGE * np.eye(d)
        return cls(mean, np.linalg.inv(np.linalg.cholesky(covariance)))

    def distances(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Mahalanobis distance to each class, shape (n, k)."""
        short = np.asarray(x, np.float32)
        columns = [np.square((short - m) @ w).sum(axis=1) for m, w in zip(*self._short, strict=True)]
        return np.sqrt(np.stack(columns, axis=1).astype(np.float64))

    def log_densities(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Logarithm of each class's density, less a constant common to all, shape (n, k)."""
        log_volume = np.log(np.diagonal(self.whitening, axis1=1, axis2=2)).sum(axis=1)
        return np.asarray(log_volume - 0.5 * np.square(self.distances(x)))

    @cached_property
    def _short(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Means and transposed whitening matrices in 32 bits. Most of the time of a score is spent here; a distance is
        of order 10 and needs no more than four digits."""
        turned = np.ascontiguousarray(self.whitening.transpose(0, 2, 1))
        return self.mean.astype(np.float32), turned.astype(np.float32)


@dataclass(frozen=True, slots=True)
class Scale:
    """Centre and spread of each component among known objects, per epoch bin: shapes (bins, components)."""

    centre: NDArray[np.float64]
    spread: NDArray[np.float64]

    @classmethod
    def fit(cls, components: NDArray[np.float64], n_detections: ArrayLike) -> Scale:
        """Medians, and distances from the median to the 90th percentile; a bin with few rows uses those of all rows."""
        bins, bin_of_row = len(EPOCH_EDGES) + 1, epoch_bin(n_detections)
        centre = np.zeros((bins, components.shape[1]))
        spread = np.ones_like(centre)
        for b in range(bins):
            mine = components[bin_of_row == b] if (bin_of_row == b).sum() >= 50 else components
            centre[b] = np.median(mine, axis=0)
            spread[b] = np.maximum(np.quantile(mine, 0.9, axis=0) - centre[b], 1e-6)
        return cls(centre, spread)

    def apply(self, components: NDArray[np.float64], n_detections: ArrayLike) -> NDArray[np.float64]:
        """Components in units of their spread, clipped at 10."""
        bin_of_row = epoch_bin(n_detections)
        return np.clip((components - self.centre[bin_of_row]) / self.spread[bin_of_row], -10, 10)


@dataclass(frozen=True, slots=True)
class Novelty:
    """The combined novelty score of features and logits.

    ``fusion``: the weight of each scaled component, shape (components,).
    """

    normal_scores: NormalScores
    features: ClassGaussians
    logits: ClassGaussians
    scale: Scale
    fusion: NDArray[np.float64]

    def score(
        self, normal: NDArray[np.float64], raw: NDArray[np.float64], n_detections: ArrayLike
    ) -> NDArray[np.float64]:
        """The score of each row, shape (n,), finite; larger means more novel, 0 is typical.

        ``normal``: the features' normal scores (n, f); ``raw``: the trees' logits (n, k).
        """
        distances = self.features.distances(normal)
        components = fuse_inputs(distances, self.logits.distances(centred(raw)), raw)
        return np.nan_to_num(self.scale.apply(components, n_detections) @ self.fusion)

    def save(self, file: Path) -> None:
        """Write all arrays into one npz file, without pickles."""
        np.savez_compressed(
            file,
            quantiles=self.normal_scores.quantiles,
            normal=self.normal_scores.normal,
            feature_mean=self.features.mean,
            feature_whitening=self.features.whitening,
            logit_mean=self.logits.mean,
            logit_whitening=self.logits.whitening,
            scale_centre=self.scale.centre,
            scale_spread=self.scale.spread,
            fusion=self.fusion,
        )

    @classmethod
    def load(cls, file: Path) -> Novelty:
        """Read what :meth:`save` wrote."""
        with np.load(file, allow_pickle=False) as stored:
            return cls(
                NormalScores(stored["quantiles"], stored["normal"]),
                ClassGaussians(stored["feature_mean"], stored["feature_whitening"]),
                ClassGaussians(stored["logit_mean"], stored["logit_whitening"]),
                Scale(stored["scale_centre"], stored["scale_spread"]),
                stored["fusion"],
            )


def centred(raw: NDArray[np.float64]) -> NDArray[np.float64]:
    """Logits less their mean, which does not change the softmax."""
    return raw - raw.mean(axis=1, keepdims=True)


def fuse_inputs(
    feature_distances: NDArray[np.float64], score_distances: NDArray[np.float64], raw: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The columns of :data:`COMPONENTS`, shape (n, components), from distances to classes (n, k) and logits (n, k)."""
    p = softmax(raw)
    z = centred(raw)
    largest = np.partition(raw, -2, axis=1)[:, -2:]
    peak = z.max(axis=1)
    energy = -(peak + np.log(np.exp(z - peak[:, None]).sum(axis=1)))
    return np.stack(
        [
            np.log(feature_distances.min(axis=1) + 1e-6),
            np.log(score_distances.min(axis=1) + 1e-6),
            -(p * np.log(np.maximum(p, 1e-300))).sum(axis=1),
            energy,
            -(largest[:, 1] - largest[:, 0]),
        ],
        axis=1,
    )
