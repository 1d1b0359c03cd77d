"""Spectrum and decline in the rest frame, from the colours and phases of the catalogue.

This is a K-correction by interpolation: a rest-frame wavelength falls into one band for a near source and into another
for a distant one (Hogg et al. 2002, arXiv:astro-ph/0210394). Straight lines between the bands suffice, because the
Gaussian process has connected the bands already.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from features.catalogue import columns_of
from features.shape import PHASES_DAYS, phase_name
from schemas.light_curves import BANDS
from schemas.passbands import wavelength_nm

Array = NDArray[np.float64]

REST_NM = (330.0, 400.0, 480.0, 560.0, 640.0)
"""Rest-frame wavelengths of the spectrum, nm: from the region of iron line blanketing to the red continuum."""

REST_DAYS = (-10.0, -5.0, 5.0, 10.0, 15.0, 25.0)
"""Phases of the decline, rest-frame days from the peak. The decline in 15 days is the classic measure of the
luminosity of a type Ia (Phillips 1993, doi:10.1086/186970)."""

SLACK = 0.3
"""How far the line is extrapolated beyond the outermost bands, in units of the step between two bands."""

_R = BANDS.index("r")
_LOG_BAND_NM = np.log(wavelength_nm(0, np.arange(len(BANDS))))
_DAYS = np.array(sorted([0.0, *PHASES_DAYS]))


def magnitudes_at_rest(features: Array, redshift: Array, when: str) -> Array:
    """Magnitudes at :data:`REST_NM` less that in the observer's r, of features (m, f): (m, 5).

    ``when``: ``"peak"`` (that of r) or ``"now"``. NaN where the redshift is missing or the observed bands do not
    reach. All surveys are taken to have the band wavelengths of the first.
    """
    steps = columns_of(features, [f"{a}_{b}_{when}" for a, b in pairwise(BANDS)])
    bluer = np.cumsum(steps[:, :_R][:, ::-1], axis=1)[:, ::-1]
    redder = -np.cumsum(steps[:, _R:], axis=1)
    in_band = np.concatenate([bluer, np.zeros((len(features), 1)), redder], axis=1)
    return _between(_LOG_BAND_NM, in_band, np.log(REST_NM) + np.log1p(redshift)[:, None], SLACK)


def faded(features: Array, redshift: Array) -> Array:
    """Flux in observed r over its peak, :data:`REST_DAYS` rest-frame days from it, of features (m, f): (m, 6)."""
    phases = columns_of(features, [phase_name(days) for days in _DAYS if days])
    with_peak = np.insert(phases, int(np.searchsorted(_DAYS, 0.0)), 1.0, axis=1)
    return _between(_DAYS, with_peak, np.array(REST_DAYS) * (1 + redshift)[:, None], 0.0)


def _between(x: Array, y: Array, asked: Array, slack: float) -> Array:
    """Linear interpolation of ``y`` (m, p), given at ``x`` (p,), at the places ``asked`` (m, q): (m, q).

    ``slack``: number of steps beyond either end that are still extrapolated; NaN farther out, and where a neighbour is
    NaN.
    """
    left = np.clip(np.searchsorted(x, asked) - 1, 0, len(x) - 2)
    part = (asked - x[left]) / (x[left + 1] - x[left])
    row = np.arange(len(y))[:, None]
    value = y[row, left] * (1 - part) + y[row, left + 1] * part
    return np.where((part >= -slack) & (part <= 1 + slack), value, np.nan)
