"""Points that stand alone are taken out; what neighbours or other bands bear out stays."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings

from features import outliers
from features.points import points_of
from schemas.light_curves import LightCurves
from tests.unit.features.made_curves import START_MJD, curves, light_curve

G, R, I_BAND = 1, 2, 3


def out_of(light_curves: LightCurves) -> tuple[np.ndarray, np.ndarray]:
    points = points_of(light_curves)
    is_out = np.zeros(len(points.time), bool)
    outliers.take_out(points, is_out, points.factor_ceiling)
    return is_out, points.factor_ceiling


def quiet(n: int, *, bands: tuple[int, ...] = (G, R), every_days: float = 3.0) -> dict[str, np.ndarray]:
    """``n`` points in each band, noise as stated around zero."""
    luck = np.random.default_rng(7)
    time = np.repeat(START_MJD + every_days * np.arange(n), len(bands)) + np.tile(0.01 * np.arange(len(bands)), n)
    return {
        "owner": np.zeros(n * len(bands), int),
        "time_mjd": time,
        "flux_njy": 10.0 * luck.normal(size=len(time)),
        "flux_err_njy": np.full(len(time), 10.0),
        "band": np.tile(bands, n),
    }


def test_a_wild_point_is_taken_out_alone() -> None:
    points = quiet(30)
    points["flux_njy"][20] = 200.0
    is_out, ceiling = out_of(curves(**points))
    assert np.flatnonzero(is_out).tolist() == [20]
    assert 1.0 <= ceiling[0] < 2.5


def test_several_on_either_side_are_taken_out() -> None:
    points = quiet(60)
    points["flux_njy"][[20, 50, 81]] = 200.0, -180.0, 300.0
    assert np.flatnonzero(out_of(curves(**points))[0]).tolist() == [20, 50, 81]


def test_a_flare_in_two_bands_of_one_night_stays() -> None:
    points = quiet(30)
    points["flux_njy"][[20, 21]] = 250.0, 150.0
    assert not out_of(curves(**points))[0].any()


def test_an_event_seen_once_in_each_band_stays() -> None:
    """g, r and i take turns, every 8 days: three points in a row rise, each alone in its band."""
    n = 45
    luck = np.random.default_rng(3)
    flux = 10.0 * luck.normal(size=n)
    flux[21:24] = 150.0, 250.0, 180.0
    time, band = START_MJD + 8.0 * np.arange(n), np.resize([G, R, I_BAND], n)
    assert not out_of(curves(np.zeros(n, int), time, flux, np.full(n, 10.0), band))[0].any()


def test_a_change_that_goes_on_stays() -> None:
    points = quiet(30, bands=(R,))
    points["flux_njy"][15:] += 400.0
    assert not out_of(curves(**points))[0].any()


def test_noise_of_any_size_is_its_own_measure() -> None:
    points = quiet(100)
    points["flux_njy"] *= 4.0
    is_out, ceiling = out_of(curves(**points))
    assert not is_out.any()
    assert 4.0 < ceiling[0] < 10.0


@settings(max_examples=100, deadline=None)
@given(light_curve())
def test_only_points_between_two_others_of_their_band_and_a_tenth_at_most(light_curves: LightCurves) -> None:
    is_out, ceiling = out_of(light_curves)
    before, after = outliers.neighbours(light_curves.band)
    assert (before[is_out] >= 0).all()
    assert (after[is_out] >= 0).all()
    assert is_out.sum() <= 1 + outliers.MOST_OUT * len(is_out)
    assert (ceiling >= 1.0).all()
