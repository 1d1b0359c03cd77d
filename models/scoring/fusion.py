"""One score of strangeness from many scalars, with trees that were fitted by hiding known classes in turn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.scoring.calibration import EPOCH_EDGES, epoch_bin
from models.scoring.trees import Trees

Array = NDArray[np.float64]

LIMIT = 6.0
"""Scaled scalars are clipped at plus and minus this."""

LEAST_ROWS = 50


@dataclass(frozen=True, slots=True)
class Scale:
    """Centre and spread of each scalar among known objects, per bin of detections: shapes (bins, scalars)."""

    centre: Array
    spread: Array

    @classmethod
    def fit(cls, scalars: Array, detections: NDArray[np.int64]) -> Scale:
        """Medians, and half of what lies between the 10th and 90th percentiles; a bin with few rows uses those of all
        rows."""
        bin_of_row = epoch_bin(detections)
        centre = np.zeros((len(EPOCH_EDGES) + 1, scalars.shape[1]))
        spread = np.ones_like(centre)
        for b in range(len(centre)):
            mine = scalars[bin_of_row == b] if (bin_of_row == b).sum() >= LEAST_ROWS else scalars
            low, centre[b], high = np.quantile(mine, (0.1, 0.5, 0.9), axis=0)
            spread[b] = np.maximum((high - low) / 2, 1e-3)
        return cls(centre, spread)

    def apply(self, scalars: Array, detections: NDArray[np.int64]) -> Array:
        """Scalars in units of their spread, clipped."""
        bin_of_row = epoch_bin(detections)
        return np.clip((scalars - self.centre[bin_of_row]) / self.spread[bin_of_row], -LIMIT, LIMIT)


@dataclass(frozen=True, slots=True)
class Fusion:
    """Log-odds that an alert is of a hidden class: the sum of a linear score, of boosted trees, and of a constant.

    ``weight`` (scalars,): of the scaled scalars; ``trees``: one boosted model, or none; ``offset`` (): the constant.
    """

    weight: Array
    trees: tuple[Trees, ...]
    offset: Array

    def score(self, scaled: Array) -> Array:
        """The score (n,) of scaled scalars (n, scalars); larger is stranger."""
        total = scaled @ self.weight + self.offset
        for trees in self.trees:
            total = total + trees.raw_scores(scaled)[:, 0]
        return np.asarray(total)
