"""How the flux changes with time, without a model of the source: periodogram, damped random walk and structure
function of the common series of all bands."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from features import periodogram, random_walk, structure_function
from features.common_series import CommonSeries

_PARTS = (
    (periodogram.FEATURES, periodogram.strongest),
    (random_walk.FEATURES, random_walk.fit),
    (structure_function.FEATURES, structure_function.fit),
)
FEATURES = tuple(feature for features, _ in _PARTS for feature in features)


def columns(series: CommonSeries) -> NDArray[np.float64]:
    """Measure the block: (n, features)."""
    out = np.full((len(series.scale_njy), len(FEATURES)), np.nan)
    begin = 0
    for features, measure in _PARTS:
        measure(series, out[:, begin : begin + len(features)])
        begin += len(features)
    return out
