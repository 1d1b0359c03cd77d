"""Novelty: cheap scores of strangeness, fused so that each known class in turn, hidden, stands out."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from models.calibration import EPOCH_EDGES, epoch_bin
from models.classifier import softmax

COMPONENTS = ("feature_distance", "score_distance", "entropy", "energy", "margin")
"""The scores that are fused; larger is stranger.

- ``feature_distance``: logarithm of the smallest Mahalanobis distance to a class in Gaussianised features
  (arXiv:1807.03888, with a covariance of each class's own, shrunk to the common one).
- ``score_distance``: the same in the classifier's centred logits.
- ``entropy``: of the uncalibrated probabilities, nat.
- ``energy``: minus the log-sum-exp of the centred logits (arXiv:2010.03759).
- ``margin``: minus the difference of the two largest logits.
"""

KNOTS = 101
"""Quantiles kept of each feature."""

SHRINKAGE = 200.0
"""Weight, in snapshots, of the common covariance in each class's own."""

TINY = float(np.finfo(np.float64).tiny)

RIDGE = 0.05
"""Added to the variance of each Gaussianised feature, so that no direction has none."""


@dataclass(frozen=True, slots=True)
class ClassGaussians:
    """A normal distribution for each class: means (k, d), and whitening matrices (k, d, d)."""

    mean: NDArray[np.float64]
    whitening: NDArray[np.float64]

    @classmethod
    def fit(
        cls, x: NDArray[np.float64], class_index: NDArray[np.int64], weight: NDArray[np.float64], k: int
    ) -> ClassGaussians:
        """Means and shrunk covariances of ``k`` classes; the rows of each weighted by ``weight``."""
        d = x.shape[1]
        mean, scatter, size = np.zeros((k, d)), np.zeros((k, d, d)), np.zeros(k)
        for c in range(k):
            mine, w = x[class_index == c], weight[class_index == c]
            size[c] = len(mine)
            mean[c] = np.average(mine, axis=0, weights=w)
            centred = mine - mean[c]
            scatter[c] = (centred * w[:, None]).T @ centred / w.sum()
        common = scatter.mean(axis=0)
        share = (size / (size + SHRINKAGE))[:, None, None]
        covariance = share * scatter + (1 - share) * common + RIDGE * np.eye(d)
        return cls(mean, np.linalg.inv(np.linalg.cholesky(covariance)))

    def distances(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Mahalanobis distance to each class, shape (n, k)."""
        columns = [np.square((x - m) @ w.T).sum(axis=1) for m, w in zip(self.mean, self.whitening, strict=True)]
        return np.sqrt(np.stack(columns, axis=1))


@dataclass(frozen=True, slots=True)
class Gaussianiser:
    """Feature values to normal scores, by the quantiles of the training snapshots; missing ones to 0.

    ``quantiles``: shape (f, knots), rising. ``normal``: the normal scores of the knots.
    """

    quantiles: NDArray[np.float64]
    normal: NDArray[np.float64]

    @classmethod
    def fit(cls, features: NDArray[np.float64]) -> Gaussianiser:
        """Quantiles of each column, missing values left out; a column without any is constant."""
        from scipy.stats import norm

        levels = np.linspace(0, 1, KNOTS)
        finite = np.where(np.isfinite(features), features, np.nan)
        quantiles = np.zeros((features.shape[1], KNOTS))
        for j, column in enumerate(finite.T):
            known = column[~np.isnan(column)]
            if len(known):
                quantiles[j] = np.quantile(known, levels)
        return cls(quantiles, norm.ppf(np.clip(levels, 0.5 / KNOTS, 1 - 0.5 / KNOTS)))

    def transform(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """Normal scores, shape (n, f); beyond the outer quantiles they go on straight, up to 4 more."""
        out = np.empty(features.shape)
        _gaussianise(np.ascontiguousarray(features, np.float64), self.quantiles, self.normal, out)
        return out


@njit(cache=True, nogil=True, error_model="numpy")
def _gaussianise(
    features: NDArray[np.float64], quantiles: NDArray[np.float64], normal: NDArray[np.float64], out: NDArray[np.float64]
) -> None:
    last = quantiles.shape[1] - 1
    for i in range(features.shape[0]):
        for j in range(features.shape[1]):
            x, knots = features[i, j], quantiles[j]
            if not math.isfinite(x) or not knots[last] > knots[0]:
                out[i, j] = 0.0
                continue
            low, size = 0, last  # the last knot before the last that is not above x
            while size > 1:
                half = size // 2
                low = low + half if knots[low + half] <= x else low
                size -= half
            step = knots[low + 1] - knots[low]
            part = min(max((x - knots[low]) / step, 0.0), 1.0) if step > 0.0 else 1.0
            spread = max((knots[last - 1] - knots[1]) / (normal[last - 1] - normal[1]), TINY)
            beyond = (max(x - knots[last], 0.0) + min(x - knots[0], 0.0)) / spread
            out[i, j] = normal[low] + part * (normal[low + 1] - normal[low]) + min(max(beyond, -4.0), 4.0)


@dataclass(frozen=True, slots=True)
class Scale:
    """Centre and spread of each component among known objects, per epoch bin: shapes (bins, components)."""

    centre: NDArray[np.float64]
    spread: NDArray[np.float64]

    @classmethod
    def fit(cls, components: NDArray[np.float64], n_detections: ArrayLike) -> Scale:
        """Medians, and distances from the median to the 90th percentile; a bin of few rows takes those of all."""
        bins, which = len(EPOCH_EDGES) + 1, epoch_bin(n_detections)
        centre = np.zeros((bins, components.shape[1]))
        spread = np.ones_like(centre)
        for b in range(bins):
            mine = components[which == b] if (which == b).sum() >= 50 else components
            centre[b] = np.median(mine, axis=0)
            spread[b] = np.maximum(np.quantile(mine, 0.9, axis=0) - centre[b], 1e-6)
        return cls(centre, spread)

    def apply(self, components: NDArray[np.float64], n_detections: ArrayLike) -> NDArray[np.float64]:
        """Components in units of their spread, clipped to 10 of them."""
        which = epoch_bin(n_detections)
        return np.clip((components - self.centre[which]) / self.spread[which], -10, 10)


@dataclass(frozen=True, slots=True)
class Novelty:
    """The fused novelty score of features and logits.

    ``fusion``: the weight of each scaled component, shape (components,).
    """

    gaussianiser: Gaussianiser
    features: ClassGaussians
    logits: ClassGaussians
    scale: Scale
    fusion: NDArray[np.float64]

    def score(
        self, features: NDArray[np.float64], raw: NDArray[np.float64], n_detections: ArrayLike
    ) -> NDArray[np.float64]:
        """The score of each row, shape (n,); larger is stranger, 0 is common, finite."""
        distances = self.features.distances(self.gaussianiser.transform(features))
        components = fuse_inputs(distances, self.logits.distances(centred(raw)), raw)
        return np.nan_to_num(self.scale.apply(components, n_detections) @ self.fusion)

    def save(self, file: Path) -> None:
        """Write all arrays into one npz file, without pickles."""
        np.savez_compressed(
            file,
            quantiles=self.gaussianiser.quantiles,
            normal=self.gaussianiser.normal,
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
                Gaussianiser(stored["quantiles"], stored["normal"]),
                ClassGaussians(stored["feature_mean"], stored["feature_whitening"]),
                ClassGaussians(stored["logit_mean"], stored["logit_whitening"]),
                Scale(stored["scale_centre"], stored["scale_spread"]),
                stored["fusion"],
            )


def centred(raw: NDArray[np.float64]) -> NDArray[np.float64]:
    """Logits without their mean, which the softmax doesn't see."""
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
