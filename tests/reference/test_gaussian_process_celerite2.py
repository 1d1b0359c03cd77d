"""The Gaussian process against celerite2, the peer of linear cost in ``gueststar bench gp``."""

from __future__ import annotations

import math
from dataclasses import replace

import celerite2
import numpy as np
import pytest
from celerite2 import terms
from hypothesis import given, settings
from hypothesis import strategies as st

from broker.bench.celerite_peer import Process, fit_and_predict
from features import gaussian_process
from features.grid import predict_grid
from features.points import curve_of
from schemas.light_curves import LightCurves
from tests.reference.test_gaussian_process import (
    TIMESCALES_DAYS,
    amplitude_within_bounds,
    as_stated,
    fits_at,
    george_log_likelihood,
)
from tests.unit.features.made_curves import light_curve, simulated

SMALL_EPS = 1e-4
"""celerite2's Matérn-3/2 is the kernel's up to the square of this, times √3 days / timescale."""


@settings(max_examples=60, deadline=None)
@given(light_curve(), st.floats(0, 1), st.sampled_from(TIMESCALES_DAYS))
def test_the_peer_has_the_same_kernel(light_curves: LightCurves, place: float, timescale_days: float) -> None:
    x, y = amplitude_within_bounds(light_curves, place), 2 * math.log(timescale_days)
    peer = Process(curve_of(as_stated(light_curves), 0))
    expected = george_log_likelihood(light_curves, x, y)
    assert peer.log_likelihood(x, y) == pytest.approx(expected, rel=1e-7, abs=1e-7)


@pytest.mark.parametrize("timescale_days", [2.0, 20.0])
def test_celerite2s_own_matern_in_one_band(timescale_days: float) -> None:
    """With the kernel that celerite2 itself offers, and its own Gaussian process, where the kernels coincide."""
    several = simulated(1)
    light_curves = replace(several, band=np.full(len(several.band), 2, np.int8))
    x, y = amplitude_within_bounds(light_curves, 0.7), 2 * math.log(timescale_days)
    curve = curve_of(as_stated(light_curves), 0)
    term = terms.Matern32Term(sigma=math.exp(0.5 * x), rho=timescale_days, eps=SMALL_EPS)
    gp = celerite2.GaussianProcess(term)
    gp.compute(curve.time - curve.time[0], diag=curve.variance)
    assert Process(curve).log_likelihood(x, y) == pytest.approx(gp.log_likelihood(curve.flux), rel=1e-5)
    fits = fits_at(light_curves, "state_space", x, y)
    wanted = np.linspace(curve.time[0], light_curves.alert_mjd[0], 40)
    mean, variance = gp.predict(curve.flux, wanted - curve.time[0], return_var=True)
    amplitude = math.exp(0.5 * x)
    ours, std = fits.predict(wanted[None])
    assert np.abs(ours[0, 2] - mean).max() < 1e-5 * amplitude
    assert np.abs(std[0, 2] ** 2 - variance).max() < 1e-5 * amplitude**2


def test_the_peer_predicts_the_same_and_ends_nowhere_higher() -> None:
    light_curves = simulated(12)
    fits = gaussian_process.fit(light_curves)
    grid, points = predict_grid(fits), fits.points
    for i in range(12):
        x, y = 2 * math.log(fits.amplitude_njy[i]), 2 * math.log(fits.timescale_days[i])
        mean, std = Process(curve_of(points, i)).predict(x, y, grid.time_mjd[i])
        assert np.abs(mean - grid.mean_njy[i]).max() < 1e-8 * fits.amplitude_njy[i]
        assert np.abs(std - grid.std_now_njy[i]).max() < 1e-8 * fits.amplitude_njy[i]
    ended = fit_and_predict(light_curves, grid.time_mjd)
    assert (fits.log_posterior > ended - 0.01).all()
    assert np.median(np.abs(ended - fits.log_posterior)) < 0.01
