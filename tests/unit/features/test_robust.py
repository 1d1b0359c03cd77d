"""Which points the process is fitted to, in the end."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

from features.gaussian_process import fit
from features.points import points_of
from features.robust import believed
from schemas.light_curves import LightCurves
from tests.unit.features.made_curves import START_MJD, curves, light_curve


def slow(n: int = 60) -> LightCurves:
    """A smooth rise and fall in g and r, noise as stated."""
    luck = np.random.default_rng(11)
    time = START_MJD + 1.5 * np.arange(n)
    flux = 3_000.0 * np.exp(-0.5 * ((np.arange(n) - 0.6 * n) / 12.0) ** 2) + 40.0 * luck.normal(size=n)
    return curves(np.zeros(n, int), time, flux, np.full(n, 40.0), np.resize([1, 2], n))


def spoiled(light_curves: LightCurves, place: int, errors: float) -> LightCurves:
    flux = light_curves.flux_njy.copy()
    flux[place] += errors * light_curves.flux_err_njy[place]
    return replace(light_curves, flux_njy=flux)


def test_the_fit_is_that_without_the_point() -> None:
    fits = fit(spoiled(slow(), 30, 30.0))
    assert fits.n_points_set_aside.tolist() == [1]
    assert np.flatnonzero(np.isfinite(fits.set_aside)).tolist() == [30]
    assert fits.set_aside[30] > 15
    whole, keep = slow(), np.arange(60) != 30
    kept = (getattr(whole, name)[keep] for name in ("time_mjd", "flux_njy", "flux_err_njy", "band"))
    without = curves(np.zeros(59, int), *kept)
    expected = fit(without)
    assert fits.timescale_days == pytest.approx(expected.timescale_days, rel=1e-6)
    assert fits.light_curves.flux_err_njy == pytest.approx(expected.light_curves.flux_err_njy)
    now = whole.alert_mjd[:, None] - np.array([[0.0, 20.0, 44.7]])
    assert fits.predict_mean(now) == pytest.approx(expected.predict_mean(now), rel=1e-6)


def test_what_the_process_expects_is_put_back() -> None:
    """The only g point of the peak stands alone in g, and r says little on that night: the process of r expects it."""
    n = 40
    time = START_MJD + 4.0 * np.arange(n)
    shape = 2_000.0 * np.exp(-0.5 * ((np.arange(n) - 20) / 2.0) ** 2)
    band = np.full(n, 2)
    band[[2, 6, 10, 14, 20, 26, 30, 34]] = 1
    flux = shape + 10.0 * np.random.default_rng(5).normal(size=n)
    fits = fit(curves(np.zeros(n, int), time, flux, np.full(n, 20.0), band))
    assert fits.n_points_set_aside.tolist() == [0]


def test_the_last_point_is_never_set_aside() -> None:
    light_curves = slow()
    fits = fit(spoiled(light_curves, 59, 50.0))
    assert np.isnan(fits.set_aside[59])


def test_understated_errors_are_multiplied() -> None:
    luck = np.random.default_rng(2)
    light_curves = LightCurves.concatenate([slow(200), slow(100)])
    noise = np.sqrt(8) * light_curves.flux_err_njy * luck.normal(size=len(light_curves.flux_njy))
    noisy = replace(light_curves, flux_njy=light_curves.flux_njy + noise)
    fits = fit(noisy)
    assert fits.noise_factor == pytest.approx([3.0, 3.0], rel=0.15)
    factor = np.repeat(fits.noise_factor, fits.light_curves.n_points)
    kept = np.isnan(fits.set_aside)
    assert fits.light_curves.flux_err_njy == pytest.approx(noisy.flux_err_njy[kept] * factor)
    assert fits.variance_njy2 == pytest.approx(points_of(noisy, fits.error_floor).variance[kept] * factor**2)


@settings(max_examples=50, deadline=None)
@given(light_curve())
def test_believed_points_are_those_not_out(light_curves: LightCurves) -> None:
    points = points_of(light_curves)
    is_out = np.arange(len(points.time)) % 3 == 1
    fewer, places = believed(points, is_out, np.array([0]))
    assert places.tolist() == np.flatnonzero(~is_out).tolist()
    assert fewer.time.tolist() == points.time[~is_out].tolist()
    assert fewer.offsets.tolist() == [0, len(places)]


def test_a_chosen_fit_has_its_own_points() -> None:
    both = LightCurves.concatenate([spoiled(slow(), 30, 30.0), slow(), spoiled(slow(), 21, -25.0)])
    fits = fit(both)
    chosen = fits.select([2, 0])
    assert chosen.n_points_set_aside.tolist() == [1, 1]
    assert np.flatnonzero(np.isfinite(chosen.set_aside)).tolist() == [21, 60 + 30]
    assert chosen.given.flux_njy.tolist() == both.select([2, 0]).flux_njy.tolist()
