"""Light curves that are constant, to the last digit or within their errors: what is measured, and what is missing."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import features
from features.catalogue import CATALOGUE, NAMES
from features.definition import ASINH_FLUX, LOG_FLUX, finite_or_missing
from schemas.light_curves import LightCurves
from tests.unit.features.made_curves import START_MJD, curves, simulated

MISSING = math.nan
LEVELS_NJY = (500.0, 512.0, 500.1, 1 / 3, 1e8 + 0.1, -123.456, 7e-5, 0.0)
FLOORS = {
    "log_chi2": -3.0,
    "log_range": -3.0,
    "log_max_slope": -3.0,
    "mean_crossings": 0.0,
    "walk_timescale": 3.0,
    "structure_slope": 0.0,
}
NOTHING_TO_COMPARE = (
    "excess_over_range", "stetson_k", "von_neumann_eta", "skewness", "median_level", "kurtosis", "beyond_one_std",
    "cusum", "log_eta_e", "excess_variance", "anderson_darling", "median_deviation", "percentile_ratio_20",
    "percentile_ratio_60", "near_median", "otsu_separation", "otsu_lower_fraction", "trend", "trend_noise",
    "weighted_trend_snr", "log_trend_chi2", "band_correlation", "period", "period_power", "period_snr",
)  # fmt: skip


def measured(light_curves: LightCurves) -> dict[str, float]:
    matrix = features.extract(light_curves)
    return dict(zip(matrix.names, matrix.values[0].tolist(), strict=True))


def constant(
    flux_njy: float, n: int, *, bands: int = 1, rounding: bool = False, error_njy: float = 10.0
) -> LightCurves:
    """A point every second day, in one band after the other; with ``rounding`` each off by its last digit or none."""
    flux = np.full(n, flux_njy)
    if rounding:
        flux = flux * (1.0 + np.finfo(float).eps * np.random.default_rng(n).integers(-1, 2, n))
    return curves(np.zeros(n), START_MJD + 2.0 * np.arange(n), flux, np.full(n, error_njy), np.arange(n) % bands + 1)


@pytest.mark.parametrize("rounding", [False, True])
@pytest.mark.parametrize(("n", "bands"), [(30, 1), (30, 2), (301, 2)])
@pytest.mark.parametrize("flux_njy", LEVELS_NJY)
def test_statistics_of_a_constant(flux_njy: float, n: int, bands: int, rounding: bool) -> None:
    values = measured(constant(flux_njy, n, bands=bands, rounding=rounding))
    assert {name: values[name] for name in FLOORS} == pytest.approx(FLOORS, abs=1e-12)
    assert {name: values[name] for name in NOTHING_TO_COMPARE if not math.isnan(values[name])} == {}
    in_each = np.bincount(np.arange(n) % bands)
    scale = math.sqrt((in_each * 100.0 * in_each / (in_each - 1)).sum() / n)  # error 10 nJy, m - 1 degrees of freedom
    assert values["walk_amplitude"] == pytest.approx(math.log10(scale) - 0.75)
    assert values["structure_amplitude"] == pytest.approx(math.log10(scale) - 1.5)
    assert -0.1 < values["walk_gain"] < 0.0


def test_points_of_one_night_that_are_constant() -> None:
    light_curves = curves(np.zeros(4), START_MJD + 0.01 * np.arange(4), np.full(4, 500.1), np.full(4, 10.0), np.ones(4))
    values = measured(light_curves)
    assert (values["stetson_j"], values["log_night_scatter"]) == (0.0, -3.0)


@pytest.mark.parametrize("n", [2, 3, 8, 30])
def test_no_feature_depends_on_which_constant_it_is(n: int) -> None:
    """Flux and error times a factor change the features in flux alone, whatever the rounding of their sums."""
    exact = measured(constant(512.0, n, error_njy=10.24))
    for factor in (0.7, 1 / 3, 1234.5):
        scaled = measured(constant(512.0 * factor, n, error_njy=10.24 * factor))
        for feature in CATALOGUE:
            if feature.unit not in (ASINH_FLUX, LOG_FLUX):
                same = pytest.approx(exact[feature.name], rel=1e-4, abs=1e-4, nan_ok=True)
                assert scaled[feature.name] == same, feature.name


def test_constant_within_its_errors() -> None:
    """Alternately 1 above and below the mean with errors of 10: all is measured."""
    n = 30
    flux = 500.0 + np.where(np.arange(n) % 2, 1.0, -1.0)
    values = measured(curves(np.zeros(n), START_MJD + 2.0 * np.arange(n), flux, np.full(n, 10.0), np.ones(n)))
    assert values["excess_variance"] == pytest.approx(1 - 100.0 * (n - 1) / n)
    assert values["log_chi2"] == pytest.approx(math.log10(0.01 * n / (n - 1)))
    assert values["excess_over_range"] == 0.0
    assert values["von_neumann_eta"] == pytest.approx(4.0)
    assert values["kurtosis"] == pytest.approx(
        (n + 1) * (n - 1) / ((n - 2) * (n - 3)) - 3 * (n - 1) ** 2 / ((n - 2) * (n - 3))
    )


def test_a_constant_band_beside_one_that_varies() -> None:
    n = 40
    band = np.arange(n) % 2 + 1
    flux = np.where(band == 1, 500.1, 2000.0 * np.sin(np.arange(n) / 3.0))
    values = measured(curves(np.zeros(n), START_MJD + np.arange(n), flux, np.full(n, 10.0), band))
    alone = band == 2
    other = measured(
        curves(np.zeros(n // 2), START_MJD + np.arange(n)[alone], flux[alone], np.full(n // 2, 10.0), band[alone])
    )
    as_stated = values["log_range"] + values["noise_factor"], other["log_range"] + other["noise_factor"]
    assert as_stated[0] == pytest.approx(as_stated[1])
    assert math.isfinite(values["excess_variance"])
    assert values["amplitude_ratio_g_r"] < -1.0


def test_lags_that_differ_by_rounding_give_no_slope() -> None:
    """Two points in each of six bands, a day apart but for 10⁻¹⁰ d: two bins of lags at one place."""
    first = START_MJD + 0.001 * np.arange(6)
    apart = 1.0 + np.where(np.arange(6) % 2, 1e-10, -1e-10)
    flux = np.concatenate([np.zeros(6), 1000.0 * (1 + np.arange(6))])
    values = measured(
        curves(np.zeros(12), np.concatenate([first, first + apart]), flux, np.full(12, 10.0), np.tile(np.arange(6), 2))
    )
    assert math.isnan(values["structure_slope"])
    assert math.isnan(values["structure_amplitude"])


@pytest.mark.parametrize("seconds", [1e-5, 0.01, 1.0])
def test_a_process_that_is_flat_but_for_rounding(seconds: float) -> None:
    values = measured(
        curves(
            np.zeros(3), START_MJD + seconds / 86_400 * np.arange(3), [900.0, 880.0, 910.0], np.full(3, 20.0), [1, 2, 3]
        )
    )
    for name in ("balance", "level_crossings", "mean_level", "days_since_steepest_rise"):
        assert math.isnan(values[name]), name
    assert (values["n_peaks"], values["slope_now"], values["max_rise_rate"], values["peak_lag"]) == (1.0, 0.0, 0.0, 0.0)


@st.composite
def hostile(draw: st.DrawFn) -> LightCurves:
    """Any valid light curve: constant, huge, tiny, at one time or over a century, with sentinels for errors and
    surroundings."""
    n = draw(st.integers(1, 25))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    step = draw(st.sampled_from([0.0, 1e-11, 1e-6, 0.01, 2.0, 1e4]))
    time = START_MJD + step * np.sort(rng.integers(0, n, n))
    level = draw(st.sampled_from([0.0, 1e-320, 1e-170, 1e-30, 1e-3, 500.1, 1e6 / 3, 9.99e8])) * draw(
        st.sampled_from([-1.0, 1.0])
    )
    scatter = draw(st.sampled_from([0.0, 2e-16, 1e-9, 0.1, 1.0]))
    flux = level * (1.0 + scatter * rng.normal(size=n))
    flux[rng.random(n) < draw(st.sampled_from([0.0, 0.2]))] = draw(st.sampled_from([0.0, -99.0, 9.9e8, 1e-300]))
    error = np.full(n, draw(st.sampled_from([1e-6, 1e-3, 10.0, 9e8, 1e-320, 1e30])))
    error[rng.random(n) < draw(st.sampled_from([0.0, 0.2]))] = draw(st.sampled_from([1e-6, 99.0, 9.9e8]))
    band = rng.integers(0, draw(st.integers(1, 6)), n)
    light_curves = curves(np.zeros(n), time, flux, np.ones(n), band, is_detection=rng.random(n) < 0.5, n=1)
    if draw(st.booleans()):  # errors beyond those that from_points lets pass
        error = np.where(rng.random(n) < 0.5, error, draw(st.sampled_from([5e-324, 1e-160, 1e170, 1e300])))
    light_curves.flux_err_njy[:] = error[: len(light_curves.flux_err_njy)]
    value = draw(st.sampled_from([math.nan, 0.0, 1e-38, -99.0, 1e30, 3e38]))
    surroundings = ("host_separation_arcsec", "host2_separation_arcsec", "host_radius_arcsec", "template_flux_njy")
    for name in surroundings:
        getattr(light_curves, name)[:] = draw(st.sampled_from([value, math.nan, 1.0, 1e-38]))
    return light_curves


@settings(max_examples=150, deadline=None)
@given(hostile())
@example(constant(500.0, 30))
def test_every_published_feature_is_finite_or_missing(light_curves: LightCurves) -> None:
    values = features.extract(light_curves).values
    with np.errstate(over="raise"):
        published = values.astype(np.float32)
    np.testing.assert_array_equal(np.isfinite(published), np.isfinite(values))
    assert not np.isinf(published).any(), [NAMES[k] for k in np.flatnonzero(np.isinf(published[0]))]


def test_what_float32_cannot_hold_is_missing() -> None:
    largest = float(np.finfo(np.float32).max)
    values = np.array([[1.5, largest, -largest, 2 * largest, -1e58, math.inf, -math.inf, math.nan]])
    np.testing.assert_array_equal(finite_or_missing(values), [[1.5, largest, -largest] + 5 * [math.nan]])
    ordinary = features.extract(simulated(5)).values
    np.testing.assert_array_equal(finite_or_missing(ordinary), ordinary)
