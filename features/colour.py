"""Colours from the Gaussian process: at the peak, now, and how they have changed.

A colour is the difference of two asinh magnitudes (Lupton, Gunn & Szalay 1999, doi:10.1086/301004), softened by
the typical error of the light curve, so that a band without flux gives a limit and not an infinity.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from features.definition import MAGNITUDES, Feature
from features.grid import GridFlux
from schemas.light_curves import BANDS, LightCurves

_BLOCK = "colour"
_LUPTON = "doi:10.1086/301004"
_PAIRS = tuple(pairwise(BANDS))
_R = BANDS.index("r")
_MAGNITUDES_PER_E_FOLD = 2.5 / np.log(10.0)
_MISSING = "missing unless both bands have a point"
FEATURES = (
    *(
        Feature(f"{a}_{b}_peak", MAGNITUDES, _BLOCK, 2, f"Colour {a}-{b} at the peak in r; {_MISSING}.", _LUPTON)
        for a, b in _PAIRS
    ),
    *(
        Feature(f"{a}_{b}_now", MAGNITUDES, _BLOCK, 2, f"Colour {a}-{b} at the alert; {_MISSING}.", _LUPTON)
        for a, b in _PAIRS
    ),
    Feature("g_r_change", MAGNITUDES, _BLOCK, 2, f"g-r at the alert less g-r at the peak; {_MISSING}.", _LUPTON),
)


def columns(curves: LightCurves, grid: GridFlux) -> NDArray[np.float64]:
    """Measure the block: (n, features)."""
    n = len(curves)
    seen = np.zeros((n, len(BANDS)), np.bool_)
    seen[curves.alert_of_point, curves.band] = True
    known = np.isfinite(grid.mean_njy[:, _R, -1])
    peak = np.argmax(np.where(known[:, None], grid.mean_njy[:, _R], 0.0), axis=1)
    both = seen[:, :-1] & seen[:, 1:]
    softening = 2.0 * typical_error(curves)[:, None]
    at_peak = _colours(grid.mean_njy[np.arange(n), :, peak], softening, both)
    now = _colours(grid.mean_njy[:, :, -1], softening, both)
    return np.concatenate([at_peak, now, (now - at_peak)[:, 1:2]], axis=1)


def typical_error(curves: LightCurves) -> NDArray[np.float64]:
    """Harmonic mean of the errors of each light curve, nJy, (n,): the deep points count most; NaN without points."""
    total = np.bincount(curves.alert_of_point, 1.0 / curves.flux_err_njy, minlength=len(curves))
    return curves.n_points / np.where(total > 0, total, np.nan)


def _colours(
    flux_njy: NDArray[np.float64], softening_njy: NDArray[np.float64], both: NDArray[np.bool_]
) -> NDArray[np.float64]:
    magnitude = -_MAGNITUDES_PER_E_FOLD * np.arcsinh(flux_njy / softening_njy)
    return np.where(both, magnitude[:, :-1] - magnitude[:, 1:], np.nan)
