"""Features as normal scores: the input of the networks and of the distances to classes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numba import njit
from numpy.typing import NDArray

KNOTS = 101
"""Number of quantiles stored for each feature."""

TINY = float(np.finfo(np.float64).tiny)


@dataclass(frozen=True)
class NormalScores:
    """Maps feature values to normal scores by the quantiles of the training snapshots, and missing values to 0.

    ``quantiles``: shape (f, knots), rising. ``normal``: the normal scores of the knots.
    """

    quantiles: NDArray[np.float64]
    normal: NDArray[np.float64]

    @classmethod
    def fit(cls, features: NDArray[np.float64]) -> NormalScores:
        """Quantiles of each column without its missing values; a column without any value counts as constant."""
        from scipy.stats import norm

        levels = np.linspace(0, 1, KNOTS)
        finite = np.where(np.isfinite(features), features, np.nan)
        quantiles = np.zeros((features.shape[1], KNOTS))
        for j, column in enumerate(finite.T):
            present = column[~np.isnan(column)]
            if len(present):
                quantiles[j] = np.quantile(present, levels)
        return cls(quantiles, norm.ppf(np.clip(levels, 0.5 / KNOTS, 1 - 0.5 / KNOTS)))

    def transform(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """Normal scores, shape (n, f); extrapolated linearly beyond the outer quantiles, by 4 at most."""
        out = np.empty(features.shape)
        _transform(np.ascontiguousarray(features, np.float64), self.quantiles, self.normal, self._spread, out)
        return out

    def beside(self, other: NormalScores) -> NormalScores:
        """Normal scores of these features followed by those of ``other``."""
        return NormalScores(np.concatenate([self.quantiles, other.quantiles]), self.normal)

    @cached_property
    def _spread(self) -> NDArray[np.float64]:
        """The change of each feature per normal score beyond its outer quantiles."""
        worth = (self.quantiles[:, -2] - self.quantiles[:, 1]) / (self.normal[-2] - self.normal[1])
        return np.maximum(worth, TINY)


@njit(cache=True, nogil=True, error_model="numpy")
def _transform(
    features: NDArray[np.float64],
    quantiles: NDArray[np.float64],
    normal: NDArray[np.float64],
    spread: NDArray[np.float64],
    out: NDArray[np.float64],
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
            beyond = (max(x - knots[last], 0.0) + min(x - knots[0], 0.0)) / spread[j]
            out[i, j] = normal[low] + part * (normal[low + 1] - normal[low]) + min(max(beyond, -4.0), 4.0)
