"""Portraits: the process's own shape at the phases named, of the points known at the alert, and of nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

from features.gaussian_process import fit
from features.portrait import PHASES_DAYS, PORTRAIT_SIZE, SLACK_DAYS, portraits
from schemas.light_curves import BANDS, LightCurves
from tests.unit.features.made_curves import START_MJD, curves, light_curve, simulated

PHASES = np.array(PHASES_DAYS, float)
N_FLUX = len(BANDS) * len(PHASES)


def parts(of: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Shape (n, bands, phases), whether after the alert, whether before the first point."""
    n = len(of)
    after, before = of[:, N_FLUX:].reshape(n, 2, len(PHASES)).transpose(1, 0, 2)
    return of[:, :N_FLUX].reshape(n, len(BANDS), len(PHASES)), after, before


def bump(days: float = 200.0, peak_day: float = 80.0) -> LightCurves:
    """A transient in all bands, three times as bright in r, seen for so many days in steps of two."""
    day = np.repeat(np.arange(0.0, days, 2.0), len(BANDS))
    band = np.tile(np.arange(len(BANDS)), len(day) // len(BANDS))
    flux = 20_000.0 * np.where(band == 2, 3.0, 1.0) * np.exp(-0.5 * ((day - peak_day) / 20.0) ** 2)
    return curves(np.zeros(len(day)), START_MJD + day, flux, np.full(len(day), 50.0), band)


def test_a_well_seen_transient_has_its_own_shape() -> None:
    shape, after, before = parts(portraits(fit(bump())))
    inside = (PHASES >= -80) & (PHASES <= 118)
    expected = np.exp(-0.5 * (PHASES / 20.0) ** 2)
    assert shape[0, 2, inside] == pytest.approx(expected[inside], abs=0.03)
    assert shape[0, 1, inside] == pytest.approx(expected[inside] / 3, abs=0.03)
    assert after[0].tolist() == (PHASES > 118 + SLACK_DAYS).tolist()
    assert not before.any()


def test_it_is_what_the_process_predicts() -> None:
    many = simulated(12)
    fits = fit(many)
    shape, after, before = parts(portraits(fits))
    for i in range(len(many)):
        of_alert = slice(many.offsets[i], many.offsets[i + 1])
        peak = many.time_mjd[of_alert][(many.flux_njy / many.flux_err_njy)[of_alert].argmax()]
        mean = fits.predict(np.tile(peak + PHASES, (len(many), 1)))[0][i]
        mean[:, (after[i] + before[i]) > 0] = 0.0
        assert shape[i] == pytest.approx(mean / np.abs(mean).max(), abs=1e-5)


@settings(max_examples=30, deadline=None)
@given(light_curve())
def test_any_curve_has_a_bounded_one(one: LightCurves) -> None:
    drawn = portraits(fit(one))
    assert drawn.shape == (1, PORTRAIT_SIZE)
    shape, after, before = parts(drawn)
    assert np.abs(shape).max() <= 1.0
    assert set(np.unique([after, before])) <= {0.0, 1.0}
    assert (np.diff(after) >= 0).all()
    assert (np.diff(before) <= 0).all()
    assert not shape[0][:, (after + before)[0] > 0].any()


@pytest.mark.parametrize("factor", [1 / 16, 1024.0])
def test_brightness_changes_nothing(factor: float) -> None:
    one = simulated(12).select(np.arange(0, 12, 4))  # transients: of noise the process's amplitude is arbitrary
    scaled = replace(one, flux_njy=one.flux_njy * factor, flux_err_njy=one.flux_err_njy * factor)
    assert portraits(fit(scaled)) == pytest.approx(portraits(fit(one)), abs=0.01)


def test_what_is_later_than_the_alert_is_not_in_it() -> None:
    early = bump().before([START_MJD + 90.0])
    shape, after, _ = parts(portraits(fit(early)))
    assert after[0].tolist() == (PHASES > 10 + SLACK_DAYS).tolist()
    assert shape[0, 2, PHASES == 0] == pytest.approx(1.0, abs=0.03)


def test_without_points_nothing_is_drawn() -> None:
    empty = bump().before([START_MJD - 1.0])
    assert not empty.n_points.any()
    shape, _, _ = parts(portraits(fit(empty)))
    assert not shape.any()
