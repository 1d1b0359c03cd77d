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

VERSION = 4
"""Increased whenever any feature of the same light curve changes its value."""

CATALOGUE: tuple[Feature, ...] = tuple(feature for block in BLOCKS for feature in block.features)
"""The columns of the feature matrix, block by block."""

NAMES: tuple[str, ...] = tuple(feature.name for feature in CATALOGUE)


def columns_of(features: NDArray[np.float64], names: Sequence[str]) -> NDArray[np.float64]:
    """The columns of these names, (n, len(names)), of features (n, f) in the catalogue's order."""
    return features[:, [NAMES.index(name) for name in names]]


def fingerprint() -> str:
    """SHA-256 over names, units and version, hexadecimal: matrices with the same fingerprint have the same columns."""
    content = [VERSION, [[feature.name, feature.unit] for feature in CATALOGUE]]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()
