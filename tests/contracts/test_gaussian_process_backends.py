"""What every backend of the Gaussian process must do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from george import kernels
from hypothesis import given, settings

from features import gaussian_process
from features.gaussian_process import BACKENDS, GaussianProcessFits
from features.kernel import TIMESCALE_BOUNDS_DAYS
from features.matrix import measure
from schemas.light_curves import LightCurves
from tests.unit.features.made_curves import START_MJD, curves, light_curve, simulated

FEW = 12
OTHER_KERNEL = "george with another kernel"


def fit(light_curves: LightCurves, *, backend: str = "state_space", **given: Any) -> GaussianProcessFits:
    """A fit by a backend, or by george with a rational quadratic in time and Matérn-5/2 in wavelength."""
    if backend == OTHER_KERNEL:
        in_time = kernels.RationalQuadraticKernel(log_alpha=0.5, metric=1.0, ndim=2, axes=0)
        kernel = in_time * kernels.Matern52Kernel(500.0**2, ndim=2, axes=1)
        return gaussian_process.fit(light_curves, backend="george", kernel=kernel, **given)
    return gaussian_process.fit(light_curves, backend=backend, **given)


@pytest.fixture(scope="module", params=[*BACKENDS, OTHER_KERNEL])
def backend(request: pytest.FixtureRequest) -> str:
    return request.param


def with_an_empty_one(light_curves: LightCurves) -> LightCurves:
    none = curves([], [], [], [], [], n=1)
    return LightCurves.concatenate([light_curves, none])


def test_shapes_and_ranges(backend: str) -> None:
    light_curves = simulated(FEW)
    fits = fit(light_curves, backend=backend)
    for values in (fits.amplitude_njy, fits.timescale_days, fits.log_likelihood, fits.converged):
        assert values.shape == (FEW,)
    assert fits.converged.dtype == np.bool_
    assert fits.converged.all()
    assert (fits.amplitude_njy > 0).all()
    low, high = TIMESCALE_BOUNDS_DAYS
    assert (fits.timescale_days >= low * (1 - 1e-9)).all()
    assert (fits.timescale_days <= high * (1 + 1e-9)).all()
    mean, std = fits.predict(light_curves.alert_mjd[:, None] + np.linspace(-50, 0, 7))
    assert mean.shape == std.shape == (FEW, 6, 7)
    assert np.isfinite(mean).all()
    assert (std >= 0).all()
    assert (std <= fits.amplitude_njy[:, None, None] * (1 + 1e-9)).all()


def test_no_points_is_not_converged_and_missing(backend: str) -> None:
    fits = fit(with_an_empty_one(simulated(3)), backend=backend)
    assert fits.converged.tolist() == [True, True, True, False]
    assert np.isnan([fits.amplitude_njy[3], fits.timescale_days[3], fits.log_likelihood[3]]).all()
    mean, std = fits.predict(np.full((4, 2), START_MJD))
    assert np.isnan(mean[3]).all()
    assert np.isnan(std[3]).all()
    assert np.isfinite(mean[:3]).all()


def test_no_light_curves(backend: str) -> None:
    fits = fit(LightCurves.empty(), backend=backend)
    assert len(fits) == 0
    assert fits.predict(np.empty((0, 5)))[0].shape == (0, 6, 5)


def test_a_batch_is_its_light_curves(backend: str) -> None:
    light_curves = simulated(4)
    together = fit(light_curves, backend=backend)
    for row in range(4):
        alone = fit(light_curves.select([row]), backend=backend)
        assert alone.log_likelihood[0] == together.log_likelihood[row]
        assert alone.amplitude_njy[0] == together.amplitude_njy[row]


def test_same_input_same_bits(backend: str) -> None:
    light_curves = simulated(4)
    one, two = fit(light_curves, backend=backend), fit(light_curves, backend=backend)
    assert (one.amplitude_njy == two.amplitude_njy).all()
    assert (one.timescale_days == two.timescale_days).all()


def test_order_of_wanted_times_does_not_matter(backend: str) -> None:
    light_curves = simulated(3)
    fits = fit(light_curves, backend=backend)
    wanted = light_curves.alert_mjd[:, None] - np.arange(20.0)
    shuffled = np.random.default_rng(3).permutation(20)
    for one, two in zip(fits.predict(wanted), fits.predict(wanted[:, shuffled]), strict=True):
        np.testing.assert_allclose(one[:, :, shuffled], two, rtol=1e-9, atol=1e-6)


def test_predicted_mean_is_the_mean_of_the_prediction(backend: str) -> None:
    light_curves = simulated(6)
    fits = fit(light_curves, backend=backend)
    wanted = light_curves.alert_mjd[:, None] - np.linspace(0, 90, 31)
    difference = fits.predict(wanted)[0] - fits.predict_mean(wanted)
    assert (np.abs(difference).max(axis=(1, 2)) < 1e-8 * fits.amplitude_njy).all()


def test_std_now_is_that_of_the_prediction(backend: str) -> None:
    light_curves = with_an_empty_one(simulated(6))
    fits = fit(light_curves, backend=backend)
    for later in (0.0, 0.4, 3.0, 100.0, -20.0):
        now = light_curves.alert_mjd + later
        expected = fits.predict(now[:, None])[1][:, :, 0]
        difference = np.abs(fits.predict_std_now(now) - expected)[:-1]
        assert (difference < 1e-10 * fits.amplitude_njy[:-1, None]).all()
        assert np.isnan(fits.predict_std_now(now)[-1]).all()
    rows = [4, 1]
    assert (fits.select(rows).predict_std_now(now[rows]) == fits.predict_std_now(now)[rows]).all()


def test_error_floor_is_carried_by_the_fits(backend: str) -> None:
    light_curves = simulated(3)
    fits = fit(light_curves, backend=backend, error_floor=0.2)
    assert fits.error_floor == fits.select([0]).error_floor == 0.2
    assert fit(light_curves, backend=backend).log_likelihood != pytest.approx(fits.log_likelihood)
    wanted = light_curves.alert_mjd[:, None] - np.arange(4.0)
    difference = fits.predict(wanted)[0] - fits.predict_mean(wanted)
    assert (np.abs(difference).max(axis=(1, 2)) < 1e-8 * fits.amplitude_njy).all()


def test_selected_fits_predict_as_before(backend: str) -> None:
    light_curves = simulated(5)
    fits = fit(light_curves, backend=backend)
    wanted = light_curves.alert_mjd[:, None] - np.arange(3.0)
    rows = [3, 0]
    assert (fits.select(rows).predict_mean(wanted[rows]) == fits.predict_mean(wanted)[rows]).all()
    assert fits.select(np.empty(0, int)).predict_mean(np.empty((0, 3))).shape == (0, 6, 3)


def test_a_warm_start_ends_at_the_same_maximum(backend: str) -> None:
    light_curves = simulated(FEW)
    cold = fit(light_curves, backend=backend)
    warm = fit(light_curves, backend=backend, start=cold.start)
    assert warm.converged.all()
    assert (warm.log_posterior > cold.log_posterior - 0.01).all()


def test_an_unusable_start_is_a_cold_start(backend: str) -> None:
    light_curves = simulated(3)
    cold = fit(light_curves, backend=backend)
    started = fit(light_curves, backend=backend, start=[[np.nan, 10.0, 1.0], [-1.0, 10.0, 1.0], [np.inf, 0.0, 1.0]])
    assert (started.log_likelihood == cold.log_likelihood).all()


@pytest.mark.parametrize("flux_njy", [0.0, -500.0, 1e9, 1e-3, 1e200])
@pytest.mark.parametrize("n", [1, 2, 7])
def test_never_raises(backend: str, flux_njy: float, n: int) -> None:
    sound = curves(np.zeros(n), START_MJD + np.arange(n), np.ones(n), np.full(n, 20.0), np.full(n, 2))
    fits = fit(replace(sound, flux_njy=np.full(n, flux_njy)), backend=backend)  # more than a curve may hold
    assert fits.converged[0] == (np.isfinite(fits.log_likelihood[0]) and np.isfinite(fits.amplitude_njy[0]))
    if abs(flux_njy) < 1e100:
        assert fits.converged[0]


@settings(max_examples=60, deadline=None)
@given(light_curve(min_points=1, max_points=25))
def test_compiled_backends_find_the_same_maximum(light_curves: LightCurves) -> None:
    linear, dense = fit(light_curves, backend="state_space"), fit(light_curves, backend="dense")
    assert linear.converged == dense.converged
    assert abs(linear.log_likelihood - dense.log_likelihood) < 0.05


def test_the_houses_kernel_may_be_given_as_georges() -> None:
    light_curves = simulated(5)
    kernel = kernels.Matern32Kernel(1.0, ndim=2, axes=0) * kernels.Matern32Kernel(600.0**2, ndim=2, axes=1)
    ours, theirs = (
        gaussian_process.fit(light_curves, backend="george", kernel=given, error_floor=0.02) for given in (None, kernel)
    )
    np.testing.assert_allclose(theirs.log_posterior, ours.log_posterior, atol=0.01)
    wanted = light_curves.alert_mjd[:, None] - np.linspace(0, 50, 7)
    for one, two in zip(ours.predict(wanted), theirs.predict(wanted), strict=True):
        assert (np.abs(one - two).max(axis=(1, 2)) < 0.03 * ours.amplitude_njy).all()
    assert np.isfinite(measure(theirs)).any(axis=1).all()


def test_wrong_arguments_are_named() -> None:
    light_curves = simulated(2)
    with pytest.raises(ValueError, match="state_space, dense, george, found 'magic'"):
        fit(light_curves, backend="magic")
    two, one = kernels.ExpKernel(1.0, ndim=2, axes=0), kernels.ExpKernel(1.0)
    for backend, kernel in (("state_space", two), ("george", one)):
        with pytest.raises(ValueError, match="george's with ndim=2"):
            fit(light_curves, backend=backend, kernel=kernel)
    with pytest.raises(ValueError, match=r"shape \(2, 3\)"):
        fit(light_curves, start=[1.0, 2.0])
    with pytest.raises(ValueError, match=r"0 to 1, found 1\.5"):
        fit(light_curves, error_floor=1.5)
    with pytest.raises(ValueError, match=r"\(2, m\)"):
        fit(light_curves).predict([START_MJD])
    with pytest.raises(ValueError, match=r"\(2,\), one time per"):
        fit(light_curves).predict_std_now([START_MJD])
