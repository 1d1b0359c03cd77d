"""Exposure times against the equation they solve, and against limits known by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from active_learning.exposure import Spectrograph, cost_s, exposure_s, photon_rates

TELESCOPE = Spectrograph()


@settings(deadline=None)
@given(st.floats(10, 25), st.integers(0, 5))
def test_the_time_reaches_the_signal_to_noise_ratio_asked_for(magnitude: float, band: int) -> None:
    seconds = exposure_s([magnitude], [band])[0]
    source, sky = (float(rate[0]) for rate in photon_rates([magnitude], [band], TELESCOPE))
    noise2 = (source + sky + TELESCOPE.pixels * TELESCOPE.dark_electrons_s) * seconds
    noise2 += TELESCOPE.pixels * TELESCOPE.read_noise_electrons**2
    assert source * seconds / np.sqrt(noise2) == pytest.approx(TELESCOPE.signal_to_noise, rel=1e-9)


@settings(deadline=None)
@given(st.floats(12, 24), st.floats(0.01, 2))
def test_fainter_takes_longer(magnitude: float, fainter: float) -> None:
    assert exposure_s(magnitude + fainter, 2) > exposure_s(magnitude, 2)


def test_bright_objects_are_limited_by_their_own_photons_and_faint_ones_by_the_sky() -> None:
    quiet = replace(TELESCOPE, read_noise_electrons=0.0, dark_electrons_s=0.0)
    assert exposure_s(12.0, 2, quiet) / exposure_s(11.0, 2, quiet) == pytest.approx(10**0.4, rel=0.01)
    assert exposure_s(26.0, 2, quiet) / exposure_s(25.0, 2, quiet) == pytest.approx(10**0.8, rel=0.02)


def test_a_larger_mirror_and_a_darker_sky_take_less() -> None:
    base = exposure_s(20.5, 2)
    assert exposure_s(20.5, 2, replace(TELESCOPE, aperture_m=4.0)) > base * 3.8
    assert exposure_s(20.5, 2, replace(TELESCOPE, sky_brightening_mag=0.0)) < base
    assert exposure_s(20.5, 5) > base, "the sky is brighter in y"


def test_the_size_is_that_of_telescopes_in_use() -> None:
    four_metres = replace(TELESCOPE, aperture_m=4.0)
    assert 50 < exposure_s(20.0, 2, four_metres) < 300
    assert 500 < exposure_s(22.0, 2, four_metres) < 2500
    assert 120 < exposure_s(22.0, 2) < 600


def test_what_cannot_be_observed_says_why() -> None:
    magnitude, seconds, reason = cost_s(30_000.0, "r")
    assert magnitude == pytest.approx(20.2, abs=0.1)
    assert 0 < seconds < 3600
    assert reason == ""
    magnitude, seconds, reason = cost_s(200.0, "r")
    assert seconds > 3600
    assert reason.startswith("too faint: r = 25.6 mag needs")
    assert "not above 0" in cost_s(-20.0, "g")[2]
    assert "found 'H'" in cost_s(2000.0, "H")[2]
