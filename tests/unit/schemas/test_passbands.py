"""Wavelengths and looks of the bands."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.markers import MarkerStyle

from schemas.light_curves import BANDS
from schemas.passbands import BAND_COLOURS, BAND_LINE_STYLES, BAND_MARKERS, SURVEYS, ZTF, wavelength_nm


def test_wavelengths_rise_from_u_to_y_in_every_survey() -> None:
    table = wavelength_nm(np.arange(len(SURVEYS))[:, None], np.arange(len(BANDS)))
    assert table.shape == (3, 6)
    assert (np.diff(table, axis=1) > 0).all()
    assert table.min() > 300
    assert table.max() < 1100


def test_wavelengths_follow_the_survey() -> None:
    g = BANDS.index("g")
    assert wavelength_nm([0, ZTF, 2], [g, g, g]) == pytest.approx([482.7, 480.479, 482.7])


def test_every_band_has_a_look_of_its_own() -> None:
    for looks in (BAND_COLOURS, BAND_MARKERS, BAND_LINE_STYLES):
        assert list(looks) == list(BANDS)
        assert len(set(looks.values())) == len(BANDS)
    for band in BANDS:
        to_rgb(BAND_COLOURS[band])
        MarkerStyle(BAND_MARKERS[band])
