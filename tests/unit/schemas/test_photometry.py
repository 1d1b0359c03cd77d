"""Magnitudes, zero points and times."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.time import Time

from schemas.photometry import flux_of_magnitude, mjd_tai_of_jd_utc, njy_per_unit, tai_ahead_of_utc_s


def test_ab_magnitudes() -> None:
    flux, error = flux_of_magnitude([31.4, 8.9, 23.9], [0.1, 0.01, 0.0])
    assert flux == pytest.approx([1.0, 1e9, 1e3], rel=1e-12)
    assert error == pytest.approx([0.0921034, 9.21034e6, 0.0], rel=1e-6)


def test_zero_points() -> None:
    assert njy_per_unit(27.5) == pytest.approx(36.307805, rel=1e-7)
    assert njy_per_unit([31.4, 26.4]) == pytest.approx([1.0, 100.0])


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
