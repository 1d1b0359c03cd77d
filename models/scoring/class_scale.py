"""The usual distance of a class' own objects to the class, by number of detections."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.scoring.calibration import EPOCH_EDGES, epoch_bin

Array = NDArray[np.float64]

LEAST_ROWS = 40
"""Fewer rows do not give a quantile; those of all detections, then of all classes, take their place."""

LEAST_SPREAD = 1e-3


@dataclass(frozen=True, slots=True)
class ClassScale:
    """``centre`` and ``spread`` (bins, k) of the logarithmic distance to a class among its own objects: the median, and
    what lies between it and the 90th percentile."""

    centre: Array
    spread: Array

    @classmethod
    def fit(
        cls,
        distances: Array,
        class_index: NDArray[np.int64],
        detections: NDArray[np.int64],
        apart: tuple[Array, NDArray[np.int64], NDArray[np.int64]],
    ) -> ClassScale:
        """From training rows (``distances`` (n, k), ``class_index``, ``detections``) and rows of objects ``apart``.

        Training rows lie too close to their class, because the distances were fitted to them. Other objects are too
        few for each class. So the training rows give the differences between classes, and the objects apart one shift
        and one factor for each bin of detections.
        """
        bins, k = len(EPOCH_EDGES) + 1, distances.shape[1]
        to_its_class = distances[np.arange(len(distances)), class_index]
        bin_of_row = epoch_bin(detections)
        everyone = _quantiles(to_its_class)
        centre, spread = np.zeros((bins, k)), np.ones((bins, k))
        for c in range(k):
            mine = class_index == c
            of_class = _quantiles(to_its_class[mine]) if mine.sum() >= LEAST_ROWS else everyone
            for b in range(bins):
                rows = mine & (bin_of_row == b)
                enough = rows.sum() >= LEAST_ROWS
                centre[b, c], spread[b, c] = _quantiles(to_its_class[rows]) if enough else of_class
        return cls(centre, spread)._corrected(*apart)

    def _corrected(self, distances: Array, class_index: NDArray[np.int64], detections: NDArray[np.int64]) -> ClassScale:
        bin_of_row = epoch_bin(detections)
        z = self.apply(distances, detections)[np.arange(len(distances)), class_index]
        centre, spread = self.centre.copy(), self.spread.copy()
        for b in range(len(centre)):
            rows = bin_of_row == b
            shift, factor = _quantiles(z[rows] if rows.sum() >= LEAST_ROWS else z)
            centre[b] += shift * self.spread[b]
            spread[b] *= factor
        return ClassScale(centre, np.maximum(spread, LEAST_SPREAD))

    def apply(self, distances: Array, detections: NDArray[np.int64]) -> Array:
        """How unusual each distance would be for an object of that class, (n, k): 0 is the median, 1 the 90th
        percentile."""
        bin_of_row = epoch_bin(detections)
        return (distances - self.centre[bin_of_row]) / self.spread[bin_of_row]


def _quantiles(values: Array) -> tuple[float, float]:
    median, high = np.quantile(values, (0.5, 0.9))
    return float(median), max(float(high - median), LEAST_SPREAD)
