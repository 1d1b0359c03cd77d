"""An object that lies in two sets is one object, and never on both sides of a split."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from models.datasets.labelled import Labelled, concatenate
from models.datasets.same_objects import SAME_OBJECT_ARCSEC
from models.datasets.truth import Truth
from schemas.light_curves import LightCurves

ARCSEC = 1 / 3600


def made(ids: list[int], ra: list[float], dec: list[float], **truth: Any) -> Labelled:
    n = len(ids)
    alerts: dict[str, Any] = {
        "alert_id": ids, "object_id": ids, "alert_mjd": np.full(n, 6e4), "ra_deg": ra, "dec_deg": dec,
        "survey": np.zeros(n), "schema_id": np.zeros(n), "is_solar_system": np.zeros(n, bool),
        "reliability": np.ones(n),
    }  # fmt: skip
    points: dict[str, Any] = {
        "time_mjd": np.full(n, 6e4), "flux_njy": np.full(n, 900.0), "flux_err_njy": np.full(n, 9.0),
        "band": np.full(n, 2), "is_detection": np.ones(n, bool),
    }  # fmt: skip
    curves = LightCurves.from_points(alert=np.arange(n), columns=points, alerts=alerts)
    return Labelled(curves, np.full(n, 2222), "made up", "0" * 64, Truth.of(n, **truth))


def kept(*parts: Labelled) -> list[int]:
    return [int(i) for i in concatenate(parts).light_curves.object_id]


@pytest.mark.parametrize("name", ["SN 2021rhu", "AT2021rhu", "2021rhu", "sn2021RHU"])
def test_by_name_in_either_column(name: str) -> None:
    one = made([1, 2], [10.0, 20.0], [0.0, 0.0], name=["a", "b"], other_name=["SN2021rhu", ""], on_sky=[True, True])
    two = made([3, 4], [30.0, 40.0], [0.0, 0.0], name=[name, "c"], on_sky=[True, True])
    assert kept(one, two) == [1, 2, 4]
    assert kept(two, one) == [3, 4, 2]


@pytest.mark.parametrize("dec", [0.0, 60.0, -89.9])
def test_by_position_on_the_sky_also_across_the_zero_meridian(dec: float) -> None:
    inside, outside = (factor * SAME_OBJECT_ARCSEC * ARCSEC / np.cos(np.radians(dec)) for factor in (0.9, 1.2))
    one = made([1, 2], [0.0, 90.0], [dec, dec], name=["a", "b"], on_sky=[True, True])
    two = made([3, 4], [360.0 - inside, 90.0 + outside], [dec, dec], name=["c", "d"], on_sky=[True, True])
    assert kept(one, two) == [1, 2, 4]


def test_neighbours_of_one_set_are_two_objects() -> None:
    one = made([1, 2], [10.0, 10.0], [0.0, 0.5 * ARCSEC], name=["a", "b"], on_sky=[True, True])
    assert kept(one, made([3], [50.0], [0.0], name=["c"], on_sky=[True])) == [1, 2, 3]


def test_simulations_are_never_compared_by_place_or_name() -> None:
    one = made([1], [10.0], [0.0], name=["615"])
    two = made([2], [10.0], [0.0], name=["615"])
    assert kept(one, two) == [1, 2]
    assert kept(one, made([1], [10.0], [0.0], name=["another"])) == [1], "the same id is the same object"
    assert kept(one, made([1], [80.0], [0.0], name=["615"])) == [1, 1], "but not at another place"


def test_what_is_joined_by_a_neighbour_is_one() -> None:
    one = made([1], [10.0], [0.0], name=["a"], on_sky=[True])
    two = made([2], [10.0], [1.2 * ARCSEC], name=["b"], on_sky=[True])
    three = made([3], [10.0], [2.4 * ARCSEC], name=["c"], on_sky=[True])
    assert kept(one, two, three) == [1]
    assert kept(one, three) == [1, 3]


def test_simulations_that_count_alike_have_objects_of_their_own() -> None:
    one = made([11, 12, 13], [10.0, 11.0, 12.0], [-30.0] * 3, peak_mjd=[6e4, np.nan, 6e4])
    other = made([11, 12, 13], [10.0, 11.0, np.nan], [-30.0] * 3, peak_mjd=[6.1e4, 6e4, 6e4])
    assert kept(one, other) == [11, 12, 13, 11]
    assert kept(one, other, other) == [11, 12, 13, 11]
    assert kept(one, one) == [11, 12, 13], "a set that is given twice"
