"""A normal distribution for each class, and the Mahalanobis distances of objects to them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SHRINKAGE = 200.0
"""Weight, in snapshots, of the common covariance in the covariance of each class."""

RIDGE = 0.05
"""Added to the variance of each coordinate, so that no direction has zero variance."""


@dataclass(frozen=True, slots=True)
class ClassGaussians:
    """``mean`` (k, d), and ``whitening`` (k, d, d): the inverse of the Cholesky factor of each covariance, transposed.

    Both are kept in 32 bits. Most of the time of a score is spent here; a distance is of order 10 and needs no more
    than four digits.
    """

    mean: NDArray[np.float32]
    whitening: NDArray[np.float32]

    @classmethod
    def fit(
        cls,
        x: NDArray[np.floating],
        class_index: NDArray[np.int64],
        weight: NDArray[np.float64],
        k: int,
        shrinkage: float = SHRINKAGE,
    ) -> ClassGaussians:
        """Means and covariances of ``k`` classes from rows ``x`` (n, d); the rows of each weighted by ``weight``.
        ``shrinkage``: the weight of the common covariance, in rows."""
        d = x.shape[1]
        mean, scatter, size = np.zeros((k, d)), np.zeros((k, d, d)), np.zeros(k)
        for c in range(k):
            mine, w = x[class_index == c].astype(np.float64), weight[class_index == c]
            size[c] = len(mine)
            mean[c] = np.average(mine, axis=0, weights=w)
            centred = mine - mean[c]
            scatter[c] = (centred * w[:, None]).T @ centred / w.sum()
        common = scatter.mean(axis=0)
        share = (size / (size + shrinkage))[:, None, None]
        covariance = share * scatter + (1 - share) * common + RIDGE * np.eye(d)
        whitening = np.linalg.inv(np.linalg.cholesky(covariance)).transpose(0, 2, 1)
        return cls(mean.astype(np.float32), np.ascontiguousarray(whitening, np.float32))

    def distances(self, x: NDArray[np.floating]) -> NDArray[np.float64]:
        """Mahalanobis distance to each class, shape (n, k)."""
        short = np.asarray(x, np.float32)
        columns = []
        for mean, whitening in zip(self.mean, self.whitening, strict=True):
            white = (short - mean) @ whitening
            columns.append(np.einsum("ij,ij->i", white, white))
        return np.sqrt(np.stack(columns, axis=1).astype(np.float64))

    def log_distances(self, x: NDArray[np.floating]) -> NDArray[np.float64]:
        """Natural logarithm of the distance to each class, (n, k), finite."""
        return np.log(self.distances(x) + 1e-6)

    def log_densities(self, x: NDArray[np.floating]) -> NDArray[np.float64]:
        """Logarithm of each class' density, less a constant common to all, shape (n, k)."""
        log_volume = np.log(np.diagonal(self.whitening, axis1=1, axis2=2).astype(np.float64)).sum(axis=1)
        return np.asarray(log_volume - 0.5 * np.square(self.distances(x)))
