"""Magnitudes, zero points and times."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.time import Time

from schemas.photometry import (
    BRIGHTEST_MAG,
    FLUX_LIMIT_NJY,
    NJY_PER_FLUXCAL,
    flux_err_of_limit,
    flux_of_magnitude,
    is_detection,
    magnitude_of_flux,
    mjd_tai_of_jd_utc,
    njy_per_unit,
    tai_ahead_of_utc_s,
)

NO_MAGNITUDES = (
    -99999.0,
    -9999.0,
    -999.0,
    -99.0,
    -9.0,
    -1.0,
    0.0,
    8.8,
    35.1,
    99.0,
    99.99,
    999.0,
    9999.0,
    np.inf,
    np.nan,
)
"""What tables hold where they know no magnitude."""


def test_ab_magnitudes() -> None:
    flux, error = flux_of_magnitude([31.4, 8.9, 23.9], [0.1, 0.01, 0.0])
    assert flux == pytest.approx([1.0, 1e9, 1e3], rel=1e-12)
    assert error == pytest.approx([0.0921034, 9.21034e6, 0.0], rel=1e-6)


def test_zero_points() -> None:
    assert njy_per_unit(27.5) == pytest.approx(36.307805, rel=1e-7)
    assert njy_per_unit([31.4, 26.4]) == pytest.approx([1.0, 100.0])
    assert njy_per_unit(27.5) == pytest.approx(NJY_PER_FLUXCAL)


def test_the_brightest_magnitude_is_that_of_the_largest_flux() -> None:
    assert njy_per_unit(BRIGHTEST_MAG) == pytest.approx(FLUX_LIMIT_NJY)


@pytest.mark.parametrize("filler", NO_MAGNITUDES)
def test_what_can_be_no_magnitude_is_missing(filler: float) -> None:
    flux, error = flux_of_magnitude([filler, 20.0], 0.1)
    assert np.isnan(flux[0])
    assert np.isnan(error[0])
    assert (flux[1], error[1]) == pytest.approx((36307.805, 3344.0725))
    assert np.isnan(flux_err_of_limit(filler))
    assert np.isnan(njy_per_unit(filler))


@pytest.mark.parametrize("filler", [-99.0, -1.0, 5.1, 9.99, 99.0, 999.0, np.inf, np.nan])
def test_what_can_be_no_error_of_a_magnitude_is_missing(filler: float) -> None:
    flux, error = flux_of_magnitude(20.0, filler)
    assert flux == pytest.approx(36307.805)
    assert np.isnan(error)


def test_a_limit_is_five_errors() -> None:
    assert flux_err_of_limit([20.5, 31.4]) == pytest.approx([22908.677 / 5, 0.2])


def test_a_magnitude_of_a_flux() -> None:
    expected = [31.4, 0.0, np.nan, np.nan]
    assert magnitude_of_flux([1.0, 3.631e12, 0.0, -5.0]) == pytest.approx(expected, abs=1e-4, nan_ok=True)


def test_a_detection_is_five_errors() -> None:
    assert is_detection([50.0, 49.9, -50.0], [10.0, 10.0, 10.0]).tolist() == [True, False, False]


@pytest.mark.parametrize(("date", "ahead_s"), [("2016-12-31T12:00:00", 36), ("2018-06-01T04:07:23", 37)])
def test_tai_is_ahead_of_utc_by_the_leap_seconds(date: str, ahead_s: int) -> None:
    jd = Time(date, scale="utc").jd
    expected = Time(date, scale="utc").mjd + ahead_s / 86400
    assert mjd_tai_of_jd_utc([jd])[0] == pytest.approx(expected, abs=1e-9 * 86400)


def test_impossible_dates_are_nan() -> None:
    assert np.isnan(mjd_tai_of_jd_utc([np.nan, 0.0, np.inf, -1e300, 2_400_000.5, 2_480_001.0])).all()


def test_years_to_come_keep_the_last_leap_second() -> None:
    jd = 2_400_000.5 + 75_000.0
    assert (mjd_tai_of_jd_utc([jd])[0] - 75_000.0) * 86400 == pytest.approx(37, abs=1e-3)
    assert tai_ahead_of_utc_s(75_000.0) == tai_ahead_of_utc_s(1e9) == 37
    assert tai_ahead_of_utc_s(57_000.0) == 35
