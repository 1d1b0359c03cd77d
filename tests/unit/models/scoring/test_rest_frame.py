"""Colours and fading at the source, against spectra and light curves whose answer is known."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.catalogue import NAMES
from models.scoring.redshift_features import redshift_features
from models.scoring.rest_frame import REST_DAYS, REST_NM, faded, magnitudes_at_rest
from schemas.light_curves import BANDS
from schemas.passbands import wavelength_nm

BAND_NM = wavelength_nm(0, np.arange(len(BANDS)))


def features_of(magnitude: np.ndarray, **others: float) -> np.ndarray:
    """One row with the colours of magnitudes in ugrizy, at the peak and now; NaN in all features not named."""
    row = np.full((1, len(NAMES)), np.nan)
    for k, (a, b) in enumerate(pairwise(BANDS)):
        for when in ("peak", "now"):
            row[0, NAMES.index(f"{a}_{b}_{when}")] = magnitude[k] - magnitude[k + 1]
    for name, value in others.items():
        row[0, NAMES.index(name)] = value
    return row


@given(slope=st.floats(-4, 4), redshift=st.floats(0.15, 0.4))
def test_a_power_law_keeps_its_slope_at_every_redshift(slope: float, redshift: float) -> None:
    """Flux per frequency as the wavelength to a power is a straight line of magnitudes in its logarithm."""
    z = np.array([redshift])
    features = features_of(-2.5 * slope * np.log10(BAND_NM))
    asked = np.array(REST_NM) * (1 + redshift)
    expected = -2.5 * slope * np.log10(asked / BAND_NM[BANDS.index("r")])
    for when in ("peak", "now"):
        at_rest = magnitudes_at_rest(features, z, when)[0]
        assert at_rest == pytest.approx(expected, abs=1e-9)


def test_a_band_is_read_where_the_source_is_shifted_into_it() -> None:
    """At the redshift that moves 480 nm to the i band, its magnitude is that of i; no line reaches past the bands."""
    magnitude = np.array([3.0, 1.0, 0.0, -0.5, 0.25, 2.0])
    z = BAND_NM[BANDS.index("i")] / REST_NM[2] - 1
    at_rest = magnitudes_at_rest(features_of(magnitude), np.array([z]), "peak")[0]
    assert at_rest[2] == pytest.approx(magnitude[BANDS.index("i")] - magnitude[BANDS.index("r")])
    far = magnitudes_at_rest(features_of(magnitude), np.array([1.5]), "peak")[0]
    assert np.isnan(far).tolist() == [1.0 * nm * 2.5 > 1010 for nm in REST_NM]
    unseen = magnitudes_at_rest(features_of(np.array([np.nan, 1.0, 0.0, -0.5, np.nan, np.nan])), np.array([0.0]), "now")
    assert np.isnan(unseen[0]).tolist() == [True, True, True, False, False]


@given(redshift=st.floats(0, 1.0))
def test_a_straight_decline_is_stretched_by_the_redshift(redshift: float) -> None:
    """Where the flux falls by 1 % of its peak a day on either side of it, 15 days at the source are 15 (1 + z) here."""
    days = {f"flux_{d}_days_{side}_peak": 1 - 0.01 * d for d in (5, 10, 20) for side in ("before", "after")}
    days |= {"flux_40_days_after_peak": 0.6, "flux_80_days_after_peak": 0.2}
    fading = faded(features_of(np.zeros(6), **days), np.array([redshift]))[0]
    observed = np.array(REST_DAYS) * (1 + redshift)
    expected = np.where(observed < -20, np.nan, 1 - 0.01 * np.abs(observed))
    assert fading == pytest.approx(expected, nan_ok=True)


def test_the_luminosity_of_a_source_does_not_depend_on_where_it_is() -> None:
    """A flat spectrum per frequency, moved from redshift 0.2 to 0.5, is dimmed by (1 + z) / d²: its columns of
    luminosity agree, as the distances of astropy say."""
    from astropy.cosmology import FlatLambdaCDM

    z = np.array([0.2, 0.5])
    distance = FlatLambdaCDM(H0=70, Om0=0.3).luminosity_distance(z).value
    flux = 1e9 * (1 + z) / distance**2
    rows = [features_of(np.zeros(6), peak_flux=float(np.arcsinh(f / 100))) for f in flux]
    columns = redshift_features(np.concatenate(rows), z, np.full(2, 0.01))
    start = columns.shape[1] - len(REST_DAYS) - len(REST_NM)
    luminosity = columns[:, start : start + len(REST_NM)]
    assert luminosity[0] == pytest.approx(luminosity[1], abs=2e-4)
    assert luminosity[0, 2] == pytest.approx(np.log10(1e9) - 4, abs=2e-4)
