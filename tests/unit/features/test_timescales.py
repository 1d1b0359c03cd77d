"""Periodogram, damped random walk and structure function where the answer is known, or computed by others."""

from __future__ import annotations

import math

import george
import numpy as np
import pytest
from astropy.timeseries import LombScargle
from george import kernels

from features import periodogram, random_walk, structure_function
from features.common_series import CommonSeries
from tests.unit.features.made_curves import START_MJD, curves
from tests.unit.features.test_blocks import measured


def series_of(time: np.ndarray, value: np.ndarray, error: np.ndarray) -> CommonSeries:
    """One band's series as it stands, in units of 1 nJy."""
    return CommonSeries(
        np.array([0, len(time)]), time - time[0], value, error, np.full(len(time), 2, np.int8), np.ones(1)
    )


def walk(time: np.ndarray, tau_days: float, sigma: float, rng: np.random.Generator) -> np.ndarray:
    """A damped random walk, drawn point by point from its exact transition."""
    value = np.empty(len(time))
    value[0] = sigma * rng.normal()
    for j in range(1, len(time)):
        decay = math.exp(-(time[j] - time[j - 1]) / tau_days)
        value[j] = decay * value[j - 1] + sigma * math.sqrt(1 - decay * decay) * rng.normal()
    return value


@pytest.mark.parametrize("period_days", [2.7, 7.3, 31.0])
def test_a_sinusoid_has_its_period(period_days: float) -> None:
    rng = np.random.default_rng(3)
    time = np.sort(rng.uniform(0, 100, 120))
    band = rng.integers(1, 4, 120)
    flux = np.array([0, 3e3, 2e3, 4e3])[band] * np.sin(2 * np.pi * time / period_days + 0.4)
    flux += 30 * rng.normal(size=120)
    features = measured(curves(np.zeros(120), START_MJD + time, flux, np.full(120, 30.0), band))
    assert 10 ** features["period"] == pytest.approx(period_days, rel=0.02)
    assert features["period_power"] > 0.9  # each band's mean and deviation come from 40 points
    assert features["period_snr"] > 5


def test_powers_are_astropys() -> None:
    rng = np.random.default_rng(5)
    phase = np.sort(rng.uniform(0, 1, 60))
    phase -= phase[0]
    value, error = rng.normal(size=60) + np.sin(40 * phase), rng.uniform(0.05, 0.5, 60)
    power = np.empty(periodogram.FREQUENCIES)
    assert periodogram.powers(phase, value, error, power)
    floored = np.sqrt(error**2 + periodogram.ERROR_FLOOR_SQUARED)
    frequency = periodogram.CYCLES_PER_STEP * np.arange(periodogram.LOWEST, periodogram.FREQUENCIES)
    expected = LombScargle(phase, value, floored).power(frequency, method="slow")
    np.testing.assert_allclose(power[periodogram.LOWEST :], expected, atol=1e-8)


def test_likelihood_of_a_walk_is_georges() -> None:
    rng = np.random.default_rng(2)
    time = np.sort(rng.uniform(0, 300, 50))
    error = rng.uniform(0.05, 0.3, 50)
    value = walk(time, 40.0, 1.0, rng) + error * rng.normal(size=50)
    for tau_days in (0.5, 12.0, 200.0):
        variance, values_out = np.array([0.1, 1.0, 4.0, 9.0]), np.empty(4)
        decay = random_walk.decays(time, np.full(4, 1 / tau_days))[:, 0]
        random_walk.log_likelihoods(decay, value, error, variance, values_out)
        for k in range(4):
            gp = george.GP(variance[k] * kernels.ExpKernel(tau_days**2))  # the metric is the squared length
            gp.compute(time, error)
            assert values_out[k] == pytest.approx(gp.log_likelihood(value), rel=1e-9)


def test_structure_of_a_trend_is_its_slope() -> None:
    time = np.arange(0.0, 60.0)
    values_out = np.full((1, 2), np.nan)
    structure_function.fit(series_of(time, 0.02 * time, np.full(60, 1e-6)), values_out)
    # the difference is 0.02 a day × lag; lags of half a decade are averaged
    assert values_out[0, 1] == pytest.approx(1.0, abs=0.05)
    assert values_out[0, 0] == pytest.approx(math.log10(0.02 * 30.0), abs=0.05)


def test_structure_of_a_walk_grows_as_the_root_of_time() -> None:
    rng = np.random.default_rng(1)
    values_out, rows = np.full((1, 2), np.nan), []
    for _ in range(60):
        time = np.arange(0.0, 400.0, 0.8)
        value = np.cumsum(rng.normal(size=500)) * math.sqrt(0.8) * 0.1  # variance 0.01 a day
        structure_function.fit(series_of(time, value, np.full(500, 1e-6)), values_out)
        rows.append(values_out[0].copy())
    amplitude, slope = np.median(rows, axis=0)
    assert slope == pytest.approx(0.5, abs=0.06)
    assert amplitude == pytest.approx(math.log10(0.1 * math.sqrt(30.0)), abs=0.08)
