"""How the flux changes with time, without a model of what it is: periodogram, damped random walk, structure
function, each of the common series of all bands."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from features import periodogram, random_walk, structure_function
from features.common_series import CommonSeries
from features.definition import ANY, FRACTION, LOG_DAYS, LOG_FLUX, NUMBER, Feature

_BLOCK = "timescales"
_PERIODOGRAM = "arXiv:0901.2573"
_WALK = "arXiv:0903.5315"
_STRUCTURE = "arXiv:1002.2642"
_PERIODIC, _WALKING = 3, 6
FEATURES = (
    Feature(
        "period",
        LOG_DAYS,
        _BLOCK,
        periodogram.MIN_POINTS,
        "Period at the highest peak of the periodogram, from the light curve's length to an 80th of it.",
        _PERIODOGRAM,
        ANY,
    ),
    Feature(
        "period_power",
        NUMBER,
        _BLOCK,
        periodogram.MIN_POINTS,
        "Part of the weighted variance that a sinusoid of that period takes away.",
        _PERIODOGRAM,
        FRACTION,
    ),
    Feature(
        "period_snr",
        NUMBER,
        _BLOCK,
        periodogram.MIN_POINTS,
        "Height of that peak over the mean power, in standard deviations of the power over all frequencies.",
        _PERIODOGRAM,
        (0.0, 13.0),
    ),
    Feature(
        "walk_timescale",
        LOG_DAYS,
        _BLOCK,
        random_walk.MIN_POINTS,
        "Damping time tau of a damped random walk.",
        _WALK,
        (-0.5, 3.0),
    ),
    Feature(
        "walk_amplitude",
        LOG_FLUX,
        _BLOCK,
        random_walk.MIN_POINTS,
        "Standard deviation sigma of the damped random walk.",
        _WALK,
    ),
    Feature(
        "walk_gain",
        NUMBER,
        _BLOCK,
        random_walk.MIN_POINTS,
        "asinh of the gain in log-likelihood a point of the damped random walk over white noise.",
        _WALK,
    ),
    Feature(
        "structure_amplitude",
        LOG_FLUX,
        _BLOCK,
        structure_function.MIN_POINTS,
        "Root mean square change of flux over 30 days, by a power law through the structure function.",
        _STRUCTURE,
    ),
    Feature(
        "structure_slope",
        NUMBER,
        _BLOCK,
        structure_function.MIN_POINTS,
        "Exponent of that power law: 0 for noise, 0.5 for a random walk, 1 for a steady trend.",
        _STRUCTURE,
    ),
)


def columns(series: CommonSeries) -> NDArray[np.float64]:
    """Measure the block: (n, features)."""
    out = np.full((len(series.scale_njy), len(FEATURES)), np.nan)
    periodogram.strongest(series, out[:, :_PERIODIC])
    random_walk.fit(series, out[:, _PERIODIC:_WALKING])
    structure_function.fit(series, out[:, _WALKING:])
    return out
