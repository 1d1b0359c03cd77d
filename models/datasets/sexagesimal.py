"""Angles as catalogues write them: degrees, or hours and minutes."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.datasets import table_values
from models.datasets.checked import Place
from models.datasets.reading import UnreadableError


def degrees(texts: Sequence[str], name: str, place: Place, *, in_hours: bool) -> NDArray[np.float64]:
    """Angles in degrees, (n,): a number is degrees; ``08:41:22.68``, ``8 41 22.68`` and ``08h41m22.68s`` are hours
    where ``in_hours``, else degrees, as ``+02d53m23s`` is. NaN where a cell is empty, or says that nothing is there.

    ``name`` is the column's. Raises UnreadableError for the first text that is none of these.
    """
    form = "degrees or hours as hh:mm:ss or 08h41m22.68s" if in_hours else "degrees, or ±dd:mm:ss"
    angles_deg = np.empty(len(texts))
    for row, text in enumerate(texts):
        is_missing = text.strip() in table_values.NO_NUMBER
        angle = math.nan if is_missing else _degrees(text.strip(), in_hours)
        if not (is_missing or math.isfinite(angle)):
            raise UnreadableError(f"{place(row)}: {name} must be {form}, found {text[:80]!r}")
        angles_deg[row] = angle
    return angles_deg


def _degrees(text: str, in_hours: bool) -> float:
    """NaN where it is no angle."""
    from astropy.coordinates import Angle

    try:
        return float(text)
    except ValueError:
        pass
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # of 60 minutes the library only warns
            return float(Angle(text, unit="hourangle" if in_hours else "deg").deg)
    except Exception:  # the library's parser raises many kinds
        return math.nan
