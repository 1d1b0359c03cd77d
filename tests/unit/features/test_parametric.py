"""The models of transients and the least squares that fit them, on curves whose parameters are known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features import least_squares, parametric, transient_models
from features.parametric import HIGH, LOW, MODELS, START, WIDTH
from features.transient_models import BAZIN, EXPONENTIAL, LINEAR, PARAMETERS, PLATEAU, SIGMOID
from schemas.light_curves import LightCurves
from tests.unit.features.made_curves import START_MJD, curves
from tests.unit.features.test_blocks import measured

TIME = np.linspace(-60.0, 160.0, 220)


def shape_of(model: int, theta: np.ndarray, time: np.ndarray = TIME) -> tuple[np.ndarray, np.ndarray]:
    shape, slopes = np.empty(len(time)), np.empty((len(theta), len(time)))
    transient_models.shapes(model, time, theta, shape, slopes)
    return shape, slopes


def search_of(model: int) -> least_squares.Search:
    p = PARAMETERS[model]
    return least_squares.Search(model, LOW[model, :p], HIGH[model, :p], START[model, :p], WIDTH[model, :p])


@st.composite
def model_and_theta(draw: st.DrawFn) -> tuple[int, np.ndarray]:
    model = draw(st.sampled_from(MODELS))
    place = [draw(st.floats(0.05, 0.95)) for _ in range(PARAMETERS[model])]
    low, high = LOW[model, : len(place)], HIGH[model, : len(place)]
    return model, low + np.array(place) * (high - low)


def plainly(model: int, theta: np.ndarray, t: np.ndarray) -> np.ndarray:
    """The published formulas as they stand."""
    if model == EXPONENTIAL:
        return np.exp(-theta[0] * t)
    if model == LINEAR:
        return 1 - theta[0] * t
    x, rise = t - theta[0], math.exp(theta[1])
    risen = 1 / (1 + np.exp(-x / rise))
    if model == SIGMOID:
        return risen
    fall = math.exp(theta[2])
    if model == BAZIN:
        return np.exp(-x / fall) * risen
    gamma, beta = math.exp(theta[3]), theta[4]
    g = 1 / (1 + np.exp(-(x - gamma) / 3))
    return risen * ((1 - beta * x / gamma) * (1 - g) + (1 - beta) * np.exp(-(x - gamma) / fall) * g)


@pytest.mark.parametrize("model", MODELS)
def test_models_are_the_published_ones(model: int) -> None:
    theta = START[model, : PARAMETERS[model]]
    np.testing.assert_allclose(shape_of(model, theta)[0], plainly(model, theta, TIME), rtol=1e-12, atol=1e-12)


@settings(max_examples=200, deadline=None)
@given(model_and_theta())
def test_slopes_are_the_derivatives(case: tuple[int, np.ndarray]) -> None:
    model, theta = case
    shape, slopes = shape_of(model, theta)
    assert np.isfinite(shape).all()
    assert np.isfinite(slopes).all()
    for a in range(len(theta)):
        step = np.zeros(len(theta))
        step[a] = 1e-5
        up, down = shape_of(model, theta + step)[0], shape_of(model, theta - step)[0]
        usable = np.maximum(np.abs(up), np.abs(down)) < 1e6  # the exponential overflows into its cap far before zero
        expected = (up - down)[usable] / 2e-5
        np.testing.assert_allclose(slopes[a][usable], expected, atol=1e-4 * (1 + np.abs(expected).max(initial=0.0)))


def observed(model: int, theta: np.ndarray, noise_njy: float = 1.0, seed: int = 3) -> LightCurves:
    """A point in g, r, i on every other day; the peak in r at START_MJD + 60."""
    fine = np.linspace(-60, 160, 22_001)
    peak = fine[np.argmax(plainly(model, theta, fine))]
    time = np.repeat(np.arange(0.0, 160.0, 2.0), 3) + np.tile([0.0, 0.01, 0.02], 80)
    band = np.tile([1, 2, 3], 80)
    flux = np.array([20_000.0, 30_000.0, 25_000.0])[band - 1] * plainly(model, theta, time - 60 + peak)
    flux += noise_njy * np.random.default_rng(seed).normal(size=len(time))
    shifted = theta.copy()
    shifted[0] -= peak
    return curves(np.zeros(len(time)), START_MJD + time, flux, np.full(len(time), 50.0), band), shifted


def test_bazin_gives_back_its_parameters() -> None:
    light_curves, theta = observed(BAZIN, np.array([0.0, math.log(4.0), math.log(30.0)]))
    features = measured(light_curves)
    assert features["bazin_rise"] == pytest.approx(math.log10(4.0), abs=0.02)
    assert features["bazin_fall"] == pytest.approx(math.log10(30.0), abs=0.02)
    assert features["bazin_t0"] == pytest.approx(theta[0], abs=1.5)  # the process puts its peak on a grid
    assert features["bazin_chi2"] < -1
    assert math.sinh(features["bazin_amplitude"]) * 100 == pytest.approx(30_000, rel=0.05)


def test_plateau_gives_back_its_parameters() -> None:
    theta = np.array([0.0, math.log(3.0), math.log(20.0), math.log(50.0), 0.3])
    light_curves, shifted = observed(PLATEAU, theta)
    features = measured(light_curves)
    assert features["spm_t0"] == pytest.approx(shifted[0], abs=1.5)
    assert math.sinh(features["spm_amplitude"]) * 100 == pytest.approx(30_000, rel=0.05)
    assert features["spm_rise"] == pytest.approx(math.log10(3.0), abs=0.03)
    assert features["spm_fall"] == pytest.approx(math.log10(20.0), abs=0.03)
    assert features["spm_gamma"] == pytest.approx(math.log10(50.0), abs=0.03)
    assert features["spm_beta"] == pytest.approx(0.3, abs=0.05)
    assert features["spm_chi2"] < -1
    assert features["bazin_over_spm"] > 1  # a plateau is what Bazin's model does not have


def test_declines_give_back_their_rates() -> None:
    time = np.arange(0.0, 60.0)
    for name, rate, flux in (
        ("decline_rate", 2.5 / math.log(10) / 20.0, 30_000 * np.exp(-time / 20.0)),
        ("linear_decline_rate", 1 / 90.0, 30_000 * (1 - time / 90.0)),
    ):
        features = measured(curves(np.zeros(60), START_MJD + time, flux, np.full(60, 50.0), np.full(60, 2)))
        assert features[name] == pytest.approx(rate, rel=0.03)
        assert features[name.replace("rate", "chi2")] < -1
        assert np.sign(features["exponential_over_linear"]) == (-1 if name == "decline_rate" else 1)


def test_a_rising_sigmoid_gives_back_its_timescale() -> None:
    time = np.arange(0.0, 60.0)
    flux = 30_000 / (1 + np.exp(-(time - 40.0) / 6.0))
    features = measured(curves(np.zeros(60), START_MJD + time, flux, np.full(60, 50.0), np.full(60, 2)))
    assert features["sigmoid_rise"] == pytest.approx(math.log10(6.0), abs=0.03)
    assert features["sigmoid_t0"] == pytest.approx(40.0 - 59.0, abs=1.0)
    assert features["sigmoid_chi2"] < -1
    assert math.sinh(features["sigmoid_amplitude"]) * 100 == pytest.approx(30_000, rel=0.05)


def test_each_band_has_its_own_amplitude_and_none_is_negative() -> None:
    rng = np.random.default_rng(1)
    theta = np.array([0.0, math.log(4.0), math.log(30.0)])
    time = np.repeat(np.arange(-30.0, 60.0, 3.0), 2)
    band = np.tile([1, 2], 30).astype(np.int8)
    flux = np.where(band == 1, -300.0, 900.0) * plainly(BAZIN, theta, time) + rng.normal(size=60)
    problem = least_squares.by_band(time, flux, np.ones(60), band)
    memory = least_squares.memory_for(60, 5)
    start = START[BAZIN, :3].copy()
    chi2, converged = least_squares.minimise(problem, search_of(BAZIN), start, memory, 30)
    assert converged
    assert memory.amplitude[2] == pytest.approx(900.0, rel=0.01)
    assert memory.amplitude[[0, 1, 3, 4, 5]].tolist() == [0.0] * 5
    assert chi2 == pytest.approx((flux[band == 1] ** 2).sum() + 30, rel=0.01)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(MODELS), st.integers(0, 2**32 - 1), st.integers(1, 40))
def test_what_is_minimised_is_the_chi_square_at_the_best_amplitudes(model: int, seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    time, band = rng.uniform(-60, 160, n), rng.integers(0, 6, n).astype(np.int8)
    flux, weight = rng.normal(10, 5, n), rng.uniform(0.1, 1, n)
    theta = START[model, : PARAMETERS[model]]
    shape, expected = plainly(model, theta, time), 0.0
    for k in range(6):
        s, f, w = shape[band == k], flux[band == k], weight[band == k]
        amplitude = max((w * s * f).sum() / (w * s * s).sum(), 0.0) if len(s) else 0.0
        expected += (w * (f - amplitude * s) ** 2).sum()
    problem, memory = least_squares.by_band(time, flux, weight, band), least_squares.memory_for(n, 5)
    # at the middle of the prior the prior adds nothing
    value = least_squares.objective(problem, search_of(model), theta, memory)
    assert value == pytest.approx(expected, rel=1e-9)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(MODELS), st.integers(0, 2**32 - 1), st.integers(1, 40), st.floats(-3, 6))
def test_never_raises_stays_within_bounds_and_never_gets_worse(model: int, seed: int, n: int, log_scale: float) -> None:
    rng = np.random.default_rng(seed)
    p = PARAMETERS[model]
    time = np.sort(rng.uniform(-1000, 1000, n))
    flux, weight = 10**log_scale * rng.normal(size=n), rng.uniform(1e-12, 1, n)
    band = rng.integers(0, 6, n).astype(np.int8)
    problem = least_squares.by_band(time, flux, weight, band)
    theta = START[model, :p].copy()
    chi2, _ = least_squares.minimise(problem, search_of(model), theta, least_squares.memory_for(n, 5), 20)
    assert (LOW[model, :p] <= theta).all()
    assert (theta <= HIGH[model, :p]).all()
    assert chi2 <= (weight * flux * flux).sum() * (1 + 1e-9) + 1e-12  # amplitude 0 is always allowed


def test_status_of_a_fit() -> None:
    negative = curves(np.zeros(9), START_MJD + np.arange(9), np.full(9, -4e4), np.full(9, 30.0), np.full(9, 2))
    few = curves(np.zeros(3), START_MJD + np.arange(3), [1e3, 2e3, 3e3], np.full(3, 30.0), np.full(3, 2))
    from features.gaussian_process import fit
    from features.grid import predict_grid

    for light_curves, expected in ((negative, parametric.NO_PEAK), (few, parametric.TOO_FEW)):
        status = parametric.statuses(light_curves, predict_grid(fit(light_curves)))
        assert (status[0, [BAZIN, PLATEAU]] == expected).all()
