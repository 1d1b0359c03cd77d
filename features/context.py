"""Where on the sky the alert is, as far as it bears on what it can be."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from features.definition import DEGREES, Feature
from features.grid import GridFlux
from schemas.light_curves import LightCurves

_BLOCK = "context"
GALACTIC_POLE_RA_DEG, GALACTIC_POLE_DEC_DEG = 192.85948, 27.12825
"""North Galactic pole, ICRS, degrees (ESA 1997, The Hipparcos and Tycho Catalogues, vol. 1, section 1.5.3)."""
FEATURES = (
    Feature(
        "galactic_latitude", DEGREES, _BLOCK, 0, "Absolute galactic latitude, 0 to 90; missing where the position is."
    ),
)


def columns(curves: LightCurves, grid: GridFlux) -> NDArray[np.float64]:
    """Measure the block: (n, 1)."""
    dec, pole = np.radians(curves.dec_deg), np.radians(GALACTIC_POLE_DEC_DEG)
    along = np.cos(np.radians(curves.ra_deg - GALACTIC_POLE_RA_DEG))
    sine = np.sin(dec) * np.sin(pole) + np.cos(dec) * np.cos(pole) * along
    return np.abs(np.degrees(np.arcsin(np.clip(sine, -1.0, 1.0))))[:, None]
