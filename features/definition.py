"""The definition of a feature."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

FLUX_SOFTENING_NJY = 100.0
"""Fluxes are given as asinh(flux / 100 nJy): linear within the noise of one deep exposure (a 5σ limit of 24.6
mag), a logarithm far above it, and defined for negative flux (Lupton, Gunn & Szalay 1999, doi:10.1086/301004)."""

ASINH_FLUX = "asinh(100 nJy)"
LOG_FLUX = "log10 nJy"
DAYS = "d"
LOG_DAYS = "log10 d"
PER_DAY = "1/d"
PER_DAY_SQUARED = "1/d²"
MAGNITUDES = "mag"
MAGNITUDES_PER_DAY = "mag/d"
DEGREES = "deg"
NUMBER = "1"
UNITS = (
    ASINH_FLUX,
    LOG_FLUX,
    DAYS,
    LOG_DAYS,
    PER_DAY,
    PER_DAY_SQUARED,
    MAGNITUDES,
    MAGNITUDES_PER_DAY,
    DEGREES,
    NUMBER,
)

INFINITY = float("inf")
ANY = (-INFINITY, INFINITY)
POSITIVE = (0.0, INFINITY)
FRACTION = (0.0, 1.0)
SIGNED_FRACTION = (-1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Feature:
    """One column of the feature matrix.

    - ``unit``: one of :data:`UNITS`; ``block``: the module that measures the feature.
    - ``min_points``: with fewer points the feature is missing (NaN). Its description gives other cases.
    - ``source``: a DOI, an arXiv number or empty.
    - ``range``: the least and the greatest possible value, in its unit.
    - ``bands``: the letters of the bands that must all have a point.
    """

    name: str
    unit: str
    block: str
    min_points: int
    description: str
    source: str = ""
    range: tuple[float, float] = ANY
    bands: str = ""


def columns_by_name(features: Sequence[Feature]) -> Any:
    """The column of each feature of a block, by name: with ``COLUMN = columns_by_name(FEATURES)`` the feature "period"
    is written to ``row[COLUMN.period]``. The order of ``features`` alone decides the columns.

    The result is a named tuple of integers. Compiled functions use them as constants, and do not compile with a name
    that is not a feature. Raises ValueError if a name occurs twice.
    """
    return namedtuple("Columns", [feature.name for feature in features])(*range(len(features)))


def finite_or_missing(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """``values``, with NaN (missing) for each that is not finite or is too large for float32.

    Features are published and used for training as float32, whose largest number is 3.4e38.
    """
    with np.errstate(over="ignore"):
        as_published = values.astype(np.float32)
    return np.where(np.isfinite(as_published), values, np.nan)
