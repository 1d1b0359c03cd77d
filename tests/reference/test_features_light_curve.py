"""Statistics against the light-curve package (Malanchev et al. 2021, arXiv:2012.01419), on one band."""

from __future__ import annotations

import math

import light_curve
import numpy as np
import pytest

from tests.unit.features.made_curves import START_MJD, curves
from tests.unit.features.test_blocks import measured

N = 60


def sample(kind: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Time, flux and error of a sinusoid, an outburst, or noise; no two points closer than a hundredth of a day."""
    rng = np.random.default_rng(7)
    time = np.arange(N) + rng.uniform(0.0, 0.9, N)
    error = rng.uniform(40.0, 80.0, N)
    shape = {"wave": np.sin(time / 3.0), "burst": np.exp(-np.abs(time - 20.0) / 3.0), "noise": np.zeros(N)}[kind]
    return time, 3000.0 * shape + error * rng.normal(size=N), error


def package(name: str, time: np.ndarray, flux: np.ndarray, error: np.ndarray, *arguments: float) -> np.ndarray:
    return getattr(light_curve, name)(*arguments)(time, flux, error, sorted=True, check=True)


@pytest.mark.parametrize("kind", ["wave", "burst", "noise"])
def test_statistics_are_the_packages(kind: str) -> None:
    time, flux, error = series = sample(kind)
    features = measured(curves(np.zeros(N), START_MJD + time, flux, error, np.full(N, 2)))
    std = np.std(flux, ddof=1)
    weighted_mean = np.average(flux, weights=error**-2)
    spread = math.sqrt(((flux - weighted_mean) ** 2).sum() / (N - 1))  # of the common series
    (separation, _, _, lower) = package("OtsuSplit", *series)
    slope, slope_error, chi2 = package("LinearFit", *series)
    trend, _, noise = package("LinearTrend", *series)
    variance = package("ExcessVariance", *series)[0] * np.mean(flux) ** 2 / std**2
    unbiased = math.sqrt(N * (N - 1)) / (N - 2)
    expected = {
        "kurtosis": package("Kurtosis", *series)[0],
        "skewness": package("Skew", *series)[0] / unbiased,
        "stetson_k": package("StetsonK", *series)[0],
        "beyond_one_std": package("BeyondNStd", *series, 1.0)[0],
        "cusum": package("Cusum", *series)[0],
        "log_eta_e": math.log10(package("EtaE", *series)[0]),
        "excess_variance": variance,
        "anderson_darling": math.asinh(package("AndersonDarlingNormal", *series)[0]),
        "median_deviation": package("MedianAbsoluteDeviation", *series)[0] / std,
        "percentile_ratio_20": package("MagnitudePercentageRatio", *series, 0.4, 0.05)[0],
        "percentile_ratio_60": package("MagnitudePercentageRatio", *series, 0.2, 0.05)[0],
        "near_median": package("MedianBufferRangePercentage", *series, 0.1)[0],
        "otsu_separation": separation / std,
        "otsu_lower_fraction": lower,
        "trend": trend / spread,
        "trend_noise": noise / std,
        "weighted_trend_snr": math.asinh(slope / slope_error),
        "log_trend_chi2": math.log10(chi2),
        "log_chi2": math.log10(package("ReducedChi2", *series)[0]),
    }
    for name, value in expected.items():
        assert features[name] == pytest.approx(value, rel=1e-6, abs=1e-6), name


def test_eta_is_the_packages() -> None:
    time, flux, _ = sample("wave")
    error = np.full(N, 50.0)
    features = measured(curves(np.zeros(N), START_MJD + time, flux, error, np.full(N, 2)))
    assert features["von_neumann_eta"] == pytest.approx(package("Eta", time, flux, error)[0] * N / (N - 1), rel=1e-6)


def test_bazin_fit_is_as_good_as_the_packages() -> None:
    rng = np.random.default_rng(2)
    time = np.arange(0.0, 120.0, 1.5)
    x = time - 40.0
    error = np.full(len(time), 150.0)
    flux = 20_000 * np.exp(-x / 25.0) / (1 + np.exp(-x / 4.0)) + 150.0 * rng.normal(size=len(time))
    floored = np.hypot(error, 0.01 * flux)
    features = measured(curves(np.zeros(len(time)), START_MJD + time, flux, error, np.full(len(time), 2)))
    fit = light_curve.BazinFit(algorithm="mcmc-lmsder", mcmc_niter=2000, lmsder_niter=50)
    amplitude, _, _, rise, fall, chi2 = fit(time, flux, floored, sorted=True)
    assert 10 ** features["bazin_rise"] == pytest.approx(rise, rel=0.1)
    assert 10 ** features["bazin_fall"] == pytest.approx(
        fall, rel=0.15
    )  # theirs has a constant, which trades with the fall
    assert math.sinh(features["bazin_amplitude"]) * 100 == pytest.approx(amplitude, rel=0.1)
    assert 10 ** features["bazin_chi2"] == pytest.approx(chi2, rel=0.1)
