"""Where one night ends and the next begins."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.time import Time
from hypothesis import given
from hypothesis import strategies as st

from schemas.night import date_of, night_of, night_of_unix_ms

MOMENTS = [
    ("2026-03-01T16:40:00", "2026-02-28"),  # local noon at the site is 16:43 UTC
    ("2026-03-01T16:46:00", "2026-03-01"),
    ("2026-03-02T03:00:00", "2026-03-01"),
    ("2026-03-02T10:00:00", "2026-03-01"),
    ("2026-12-22T02:00:00", "2026-12-21"),  # evening in California
    ("2026-12-22T14:00:00", "2026-12-21"),  # dawn there
]


@pytest.mark.parametrize(("utc", "date"), MOMENTS)
def test_nights_part_at_local_noon(utc: str, date: str) -> None:
    night = int(night_of(Time(utc, scale="utc").tai.mjd))
    assert date_of(night) == date
    assert date_of(night) == Time(float(night), format="mjd").strftime("%Y-%m-%d")


@pytest.mark.parametrize(("utc", "date"), MOMENTS)
def test_a_clock_in_milliseconds_has_the_same_nights(utc: str, date: str) -> None:
    assert date_of(int(night_of_unix_ms(1_000 * Time(utc, scale="utc").unix))) == date


@given(st.floats(40_000, 80_000))
def test_a_night_lasts_a_day(time_mjd: float) -> None:
    night = int(night_of(time_mjd))
    assert night <= time_mjd <= night + 1.7
    assert int(night_of(time_mjd + 1)) == night + 1


def test_shapes_are_kept() -> None:
    assert night_of(61_000.0).shape == ()
    assert night_of(np.full((2, 3), 61_000.0)).shape == (2, 3)
    assert night_of_unix_ms([]).dtype == np.int64
