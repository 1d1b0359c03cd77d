"""Surveys, their passbands, and how each band is drawn."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from schemas.light_curves import BANDS

SURVEYS: tuple[str, ...] = ("LSST", "ZTF", "ELAsTiCC")
"""Survey names; ``LightCurves.survey`` is an index into this tuple."""

LSST, ZTF, ELASTICC = range(len(SURVEYS))

LSST_WAVELENGTH_NM = (367.1, 482.7, 622.3, 754.6, 869.1, 971.0)
"""Effective wavelengths of the total throughput in ugrizy, nm: the values of Boone 2019 (arXiv:1907.04690,
DOI 10.3847/1538-3881/ab5182), from the baseline throughputs of https://github.com/lsst/throughputs."""

ZTF_WAVELENGTH_NM = {"g": 480.479, "r": 643.692, "i": 796.822}
"""Mean wavelengths, nm: SVO Filter Profile Service, Palomar/ZTF.g, .r and .i
(http://svo2.cab.inta-csic.es/theory/fps/; Rodrigo and Solano 2020)."""

_WAVELENGTH_NM = np.array([LSST_WAVELENGTH_NM] * len(SURVEYS))
for _band, _wavelength in ZTF_WAVELENGTH_NM.items():
    _WAVELENGTH_NM[ZTF, BANDS.index(_band)] = _wavelength
_WAVELENGTH_NM.flags.writeable = False


def wavelength_nm(survey: ArrayLike, band: ArrayLike) -> NDArray[np.float64]:
    """The effective wavelength of each point, nm.

    ``survey`` (index into :data:`SURVEYS`) and ``band`` (index into ``BANDS``) broadcast against each other.
    ELAsTiCC simulates the LSST's filters. For a band that a survey does not have, such as ZTF's u, z and y,
    the LSST's wavelength is given: every entry is finite.
    """
    return _WAVELENGTH_NM[np.asarray(survey, np.intp), np.asarray(band, np.intp)]


BAND_COLOURS: dict[str, str] = {
    "u": "#1600EA",
    "g": "#31DE1F",
    "r": "#B52626",
    "i": "#370201",
    "z": "#BA52FF",
    "y": "#61A2B3",
}
"""Rubin's colour-blind friendly colours on white, RTN-045: https://rtn-045.lsst.io/#colorblind-friendly-plots."""

BAND_MARKERS: dict[str, str] = {"u": "o", "g": "^", "r": "v", "i": "s", "z": "*", "y": "p"}
"""Matplotlib markers, RTN-045, so that colour is never the only cue."""

BAND_LINE_STYLES: dict[str, str | tuple[int, tuple[int, ...]]] = {
    "u": "--",
    "g": (0, (3, 1, 1, 1)),
    "r": "-.",
    "i": "-",
    "z": (0, (3, 1, 1, 1, 1, 1)),
    "y": ":",
}
"""Matplotlib line styles, RTN-045."""
