"""Columns as callers have them: what is masked is missing, what cannot be exact is an error."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from astropy.units import Quantity
from astropy.utils.masked import Masked

from schemas.light_curves import LightCurves


def three_points(rows: dict | None = None, **changed: object) -> LightCurves:
    """Three points of one alert, some columns of points changed, and some of the alert."""
    columns = {
        "time_mjd": [60000.0, 60001.0, 60002.0], "flux_njy": [10.0, 20.0, 30.0], "flux_err_njy": [1.0, 2.0, 3.0],
        "band": [1, 2, 3], "is_detection": [True, False, True],
    } | changed  # fmt: skip
    alerts = {name: [1] for name in ("alert_id", "object_id", "ra_deg", "dec_deg")} | {"alert_mjd": [60002.0]}
    return LightCurves.from_points(alert=[0, 0, 0], columns=columns, alerts=alerts | (rows or {}))


MASK = [False, True, False]


@pytest.mark.parametrize("name", ["time_mjd", "flux_njy", "flux_err_njy", "band"])
@pytest.mark.parametrize("masked", [np.ma.masked_array, lambda data, mask: Masked(np.array(data), mask)])
def test_a_masked_measurement_is_dropped_and_counted(name: str, masked: Callable) -> None:
    data = {"time_mjd": [60000.0, 60001.0, 60002.0], "band": [1, 2, 3]}.get(name, [10.0, 20.0, 30.0])
    curves = three_points(**{name: masked(data, MASK)})
    assert curves.time_mjd.tolist() == [60000.0, 60002.0]
    assert curves.n_points_dropped.tolist() == [1]
    none_masked = three_points(**{name: masked(data, [False] * 3)})
    assert none_masked.n_points.tolist() == [3]
    assert none_masked.n_points_dropped.tolist() == [0]


def test_a_masked_number_of_an_alert_is_missing_and_a_masked_id_an_error() -> None:
    assert np.isnan(three_points({"host_photoz": np.ma.masked_array([0.5], [True])}).host_photoz[0])
    with pytest.raises(ValueError, match="'object_id' must have a value in every row, found a masked one in row 0"):
        three_points({"object_id": np.ma.masked_array([5], [True])})
    with pytest.raises(ValueError, match="'is_detection' must have a value in every row, found a masked one in row 1"):
        three_points(is_detection=np.ma.masked_array([True, True, True], MASK))


@pytest.mark.parametrize("band", [[1, 256, 3], [1, -255, 3], [1.0, 2.5, 3.0], [1, np.nan, 3]])
def test_a_number_that_is_no_band_is_none_however_large(band: list) -> None:
    assert three_points(band=np.array(band)).band.tolist() == [1, 3]


@pytest.mark.parametrize(
    ("rows", "columns", "reason"),
    [
        ({"alert_id": [2.0**60]}, {}, "'alert_id' must be whole numbers, exact to the last digit"),
        ({"object_id": [np.nan]}, {}, "'object_id' must be whole numbers"),
        ({"object_id": np.array([2**63], np.uint64)}, {}, "'object_id' must be from -9223372036854775808 to"),
        ({"survey": [300]}, {}, "'survey' must be from -128 to 127, found 300"),
        ({"alert_id": ["a"]}, {}, "alert_id|invalid literal"),
        ({"alert_id": [None]}, {}, "'alert_id' must be numbers"),
        ({}, {"band": ["g", "r", "i"]}, "'band' must be numbers from 0 to 5"),
        ({}, {"flux_njy": Quantity([1.0, 2.0, 3.0], "mJy")}, "'flux_njy' must be plain numbers .* the unit mJy"),
    ],
)
def test_no_value_changes_on_the_way(rows: dict, columns: dict, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        three_points(rows, **columns)
