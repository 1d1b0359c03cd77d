"""Every feature in the order of the matrix: name, unit, minimum number of points, meaning, source."""

from __future__ import annotations

import hashlib
import json

from features import colour, context, detections, parametric, process, shape, statistics, timescales, variability
from features.definition import Feature

__all__ = ["CATALOGUE", "NAMES", "VERSION", "Feature", "fingerprint"]

VERSION = 2
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

NAMES: tuple[str, ...] = tuple(feature.name for feature in CATALOGUE)


def fingerprint() -> str:
    """SHA-256 over names, units and version, hexadecimal: two matrices with one fingerprint mean the same."""
    content = [VERSION, [[feature.name, feature.unit] for feature in CATALOGUE]]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()
