"""Features of light curves whose answer is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

import features
from features import shape
from features.context import GALACTIC_POLE_DEC_DEG, GALACTIC_POLE_RA_DEG
from features.grid import GridFlux
from schemas.light_curves import LightCurves
from tests.unit.features.made_curves import START_MJD, ZTF, curves


def measured(light_curves: LightCurves) -> dict[str, float]:
    matrix = features.extract(light_curves)
    return dict(zip(matrix.names, matrix.values[0], strict=True))


def every_night(flux_njy: np.ndarray, bands: str = "griz", error_njy: float = 50.0, **more: object) -> LightCurves:
    """A point per night and band; ``flux_njy`` (nights,) or (nights, bands)."""
    nights = len(flux_njy)
    flux = np.broadcast_to(np.asarray(flux_njy, float).reshape(nights, -1), (nights, len(bands)))
    night = np.repeat(np.arange(nights), len(bands))
    band = np.tile(["ugrizy".index(b) for b in bands], nights)
    time = START_MJD + night + 0.01 * np.tile(np.arange(len(bands)), nights)
    return curves(np.zeros(len(night)), time, flux.ravel(), np.full(len(night), error_njy), band, **more)  # type: ignore[arg-type]


def supernova(
    nights: int, *, peak_night: float = 25.0, sigma_days: float = 8.0, flux_njy: float = 20_000.0
) -> np.ndarray:
    return flux_njy * np.exp(-0.5 * ((np.arange(nights) - peak_night) / sigma_days) ** 2)


def test_a_gaussian_pulse() -> None:
    features = measured(every_night(supernova(60)))
    half_width = 8.0 * math.sqrt(2 * math.log(2))
    assert features["rise_days"] == pytest.approx(half_width, rel=0.1)
    assert features["decline_days"] == pytest.approx(half_width, rel=0.1)
    assert features["width_days"] == pytest.approx(2 * half_width, rel=0.1)
    assert features["days_since_peak"] == pytest.approx(34.0, abs=1.5)
    assert math.sinh(features["peak_flux"]) * 100 == pytest.approx(20_000, rel=0.03)
    assert features["balance"] == pytest.approx(1.0, abs=0.1)
    assert abs(features["now_over_peak"]) < 0.05
    assert features["level_crossings"] == 2
    assert features["peak_lag"] == pytest.approx(0.0, abs=1.0)
    assert features["width_ratio"] == pytest.approx(0.0, abs=0.05)


def test_a_rising_transient_has_no_decline_yet() -> None:
    features = measured(every_night(supernova(20)))
    assert math.isnan(features["decline_days"])
    assert features["rise_days"] > 0
    assert features["slope_now"] > 0
    assert features["days_since_peak"] == 0.0
    assert features["now_over_peak"] == pytest.approx(1.0, abs=0.01)
    assert measured(every_night(supernova(40)))["slope_now"] < 0


def test_colours_are_differences_of_magnitudes() -> None:
    spectrum = np.array([1.0, 2.0, 3.0, 3.0])
    features = measured(every_night(supernova(40)[:, None] * spectrum))
    assert features["g_r_peak"] == pytest.approx(2.5 * math.log10(2.0), abs=0.05)
    assert features["r_i_peak"] == pytest.approx(2.5 * math.log10(1.5), abs=0.05)
    assert features["i_z_peak"] == pytest.approx(0.0, abs=0.05)
    assert math.isnan(features["u_g_peak"])
    assert math.isnan(features["z_y_now"])


def test_a_band_without_flux_gives_a_limit() -> None:
    features = measured(every_night(supernova(40)[:, None] * np.array([0.0, 1.0]), "gr"))
    assert 2.0 < features["g_r_peak"] < 8.0


def test_a_transient_that_reddens() -> None:
    blue, red = supernova(45, peak_night=15), supernova(45, peak_night=25)
    features = measured(every_night(np.stack([blue, 0.5 * (blue + red), red], axis=1), "gri"))
    assert features["g_r_change"] > 0.3
    assert features["peak_lag"] > 5.0


def test_detections_and_limits() -> None:
    flux = np.array([0.0, 0.0, 0.0, 900.0, 0.0, 2500.0])
    features = measured(every_night(flux, "r"))
    assert features["n_points"] == 6
    assert features["n_detections"] == 2
    assert features["duration"] == pytest.approx(5.0)
    assert features["days_since_first_detection"] == pytest.approx(2.0)
    assert features["days_since_non_detection"] == pytest.approx(1.0)
    assert features["days_limit_to_detection"] == pytest.approx(1.0)
    assert features["latest_flux"] == pytest.approx(math.asinh(25.0))
    assert features["latest_snr"] == pytest.approx(math.asinh(50.0))
    assert features["max_snr_r"] == pytest.approx(math.asinh(50.0))
    assert math.isnan(features["max_snr_g"])


def test_noise_and_a_sinusoid_are_told_apart() -> None:
    rng = np.random.default_rng(4)
    night = np.arange(120)
    noise = measured(every_night(50.0 * rng.normal(size=(120, 4))))
    wave = measured(every_night(3000.0 * np.sin(night / 5.0) + 50.0 * rng.normal(size=120)))
    assert noise["log_chi2"] == pytest.approx(0.0, abs=0.1)
    assert wave["log_chi2"] > 2.5
    assert noise["von_neumann_eta"] == pytest.approx(2.0, abs=0.3)
    assert wave["von_neumann_eta"] < 0.1
    assert noise["stetson_k"] == pytest.approx(math.sqrt(2 / math.pi), abs=0.04)  # mean |z| of a Gaussian
    assert wave["stetson_k"] == pytest.approx(2 * math.sqrt(2) / math.pi, abs=0.04)  # mean over rms of |sin|
    assert abs(noise["stetson_j"]) < 0.3
    assert wave["stetson_j"] > 2.0
    assert abs(noise["skewness"]) < 0.4
    assert noise["mean_crossings"] == pytest.approx(0.5, abs=0.1)
    assert wave["level_crossings"] >= 5
    assert wave["balance"] == pytest.approx(0.0, abs=0.1)
    assert noise["signal_per_point"] < 0.1 < wave["signal_per_point"]
    assert wave["misfit"] < 2.0


def test_outbursts_and_eclipses_are_told_apart() -> None:
    rng = np.random.default_rng(6)
    flux = 20.0 * rng.normal(size=80)
    flare, eclipse = flux.copy(), flux.copy()
    flare[[20, 50]] += 5000.0
    eclipse[[20, 50]] -= 5000.0
    up, down = measured(every_night(flare)), measured(every_night(eclipse))
    assert up["skewness"] > 3 > -3 > down["skewness"]
    assert up["median_level"] < 0.1
    assert down["median_level"] > 0.9
    assert down["fraction_negative"] == pytest.approx(2 / 80)
    assert up["fraction_positive"] == pytest.approx(2 / 80, abs=0.01)


def test_amplitude_ratio_between_bands() -> None:
    wave = 5000.0 * np.sin(np.arange(50) / 3.0)[:, None] * np.array([4.0, 2.0, 1.0, 1.0])
    features = measured(every_night(wave))
    assert features["amplitude_ratio_g_r"] == pytest.approx(math.log10(2.0), abs=0.01)
    assert features["amplitude_ratio_r_i"] == pytest.approx(math.log10(2.0), abs=0.01)
    assert features["amplitude_ratio_i_z"] == pytest.approx(0.0, abs=0.01)


def test_galactic_latitude() -> None:
    pole = every_night(supernova(5))
    pole.ra_deg[:], pole.dec_deg[:] = GALACTIC_POLE_RA_DEG, GALACTIC_POLE_DEC_DEG
    assert measured(pole)["galactic_latitude"] == pytest.approx(90.0, abs=1e-4)
    centre = every_night(supernova(5))
    centre.ra_deg[:], centre.dec_deg[:] = 266.40499, -28.93617
    assert measured(centre)["galactic_latitude"] == pytest.approx(0.0, abs=1e-3)
    centre.ra_deg[:] = math.nan
    assert math.isnan(measured(centre)["galactic_latitude"])


def test_uncertainty_grows_with_silence() -> None:
    seen = every_night(supernova(40))
    silent = every_night(supernova(40), alert_mjd=[START_MJD + 140.0])
    assert measured(silent)["uncertainty_now"] > 5 * measured(seen)["uncertainty_now"]


def test_two_band_survey() -> None:
    features = measured(every_night(supernova(40), "gr", survey=ZTF))
    assert math.isfinite(features["g_r_now"])
    assert math.isnan(features["i_z_now"])
    assert features["rise_days"] == pytest.approx(8.0 * math.sqrt(2 * math.log(2)), rel=0.1)


def test_shape_of_a_triangle() -> None:
    time = np.linspace(0.0, 30.0, 301)[None, :] + START_MJD
    flux = np.interp(time[0] - START_MJD, [0.0, 10.0, 30.0], [0.0, 600.0, 0.0])
    grid = GridFlux(time, np.broadcast_to(flux, (1, 6, 301)).copy(), np.zeros((1, 6)))
    names = [feature.name for feature in shape.FEATURES]
    features = dict(zip(names, shape.columns(every_night(supernova(3)), grid)[0], strict=True))
    assert features["rise_days"] == pytest.approx(5.0)
    assert features["decline_days"] == pytest.approx(10.0)
    assert features["width_days"] == pytest.approx(15.0)
    assert features["days_since_peak"] == pytest.approx(20.0)
    assert features["slope_now"] == pytest.approx(-1 / 20)
    assert math.sinh(features["max_rise_rate"]) == pytest.approx(1 / 10)
    assert math.sinh(features["max_decline_rate"]) == pytest.approx(1 / 20)
    assert features["mean_level"] == pytest.approx(0.5)


def test_what_rounding_leaves_of_a_process_in_a_gap_is_no_peak() -> None:
    time = START_MJD + np.concatenate([0.1 * np.arange(8), 1500 + 0.1 * np.arange(7)])
    flux = [-6.2, -19.4, -22.8, 14.1, -10.1, -9.0, 8.0, -2.9, -33.6, -50.2, -17.9, -20.3, -13.8, -23.0, -5.1]
    features = measured(curves(np.zeros(15), time, flux, np.full(15, 12.0), np.zeros(15)))
    assert np.isnan(features["flux_20_days_before_peak"])
    assert np.isnan(features["log_decline_over_rise"])
    assert not any(np.isinf(value) for value in features.values())
