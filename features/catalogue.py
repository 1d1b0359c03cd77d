"""Every feature in the order of the matrix: name, unit, minimum number of points, meaning, source."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from features import colour, context, detections, parametric, process, shape, statistics, timescales, variability
from features.definition import Feature

__all__ = ["CATALOGUE", "NAMES", "VERSION", "Feature", "columns_of", "fingerprint"]

VERSION = 3
"""Raised whenever the same light curve gets another value in any feature."""

CATALOGUE: tuple[Feature, ...] = (
    *detections.FEATURES,
    *process.FEATURES,
    *shape.FEATURES,
    *colour.FEATURES,
    *parametric.FEATURES,
    *variability.FEATURES,
    *statistics.FEATURES,
    *timescales.FEATURES,
    *context.FEATURES,
)
"""The columns of the feature matrix, block by block."""

BLOCK_COST_US: dict[str, float] = {
    "detections": 1.2,
    "process": 0.7,
    "shape": 2.4,
    "colour": 1.8,
    "parametric": 30.7,
    "variability": 3.0,
    "statistics": 5.3,
    "timescales": 14.2,
    "context": 0.4,
}
"""CPU time of each block, µs an alert: ``python docs/features/cost.py`` on one core of an Intel Xeon. Fitting
and predicting the Gaussian process comes before and is not counted."""

NAMES: tuple[str, ...] = tuple(feature.name for feature in CATALOGUE)


def columns_of(features: NDArray[np.float64], names: Sequence[str]) -> NDArray[np.float64]:
    """The columns of these names, (n, len(names)), of features (n, f) in the catalogue's order."""
    return features[:, [NAMES.index(name) for name in names]]


def fingerprint() -> str:
    """SHA-256 over names, units and version, hexadecimal: two matrices with one fingerprint mean the same."""
    content = [VERSION, [[feature.name, feature.unit] for feature in CATALOGUE]]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()
