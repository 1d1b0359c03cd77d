"""Every feature in the order of the matrix: name, unit, minimum number of points, meaning, source."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from features.blocks import BLOCKS
from features.definition import Feature

__all__ = ["CATALOGUE", "NAMES", "VERSION", "Feature", "columns_of", "fingerprint"]

VERSION = 3
"""Raised whenever the same light curve gets another value in any feature."""

CATALOGUE: tuple[Feature, ...] = tuple(feature for block in BLOCKS for feature in block.features)
"""The columns of the feature matrix, block by block."""

NAMES: tuple[str, ...] = tuple(feature.name for feature in CATALOGUE)


def columns_of(features: NDArray[np.float64], names: Sequence[str]) -> NDArray[np.float64]:
    """The columns of these names, (n, len(names)), of features (n, f) in the catalogue's order."""
    return features[:, [NAMES.index(name) for name in names]]


def fingerprint() -> str:
    """SHA-256 over names, units and version, hexadecimal: two matrices with one fingerprint mean the same."""
    content = [VERSION, [[feature.name, feature.unit] for feature in CATALOGUE]]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()
