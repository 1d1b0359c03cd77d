"""Values that stand for "not known" in a packet's magnitudes: the point is dropped and counted, whatever the value."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import fastavro
import numpy as np
import pytest

from schemas import packets
from schemas.light_curves import LightCurves
from tests.unit.schemas.test_photometry import NO_MAGNITUDES

FILE = Path(__file__).parents[2] / "data" / "faults" / "p6_limit_-99.avro"


def read_with(before: dict[str, Any] | None = None, trigger: dict[str, Any] | None = None) -> LightCurves:
    """The real alert with some fields of its first earlier measurement, and of its trigger, changed."""
    reader = fastavro.reader(io.BytesIO(FILE.read_bytes()))
    (record,) = reader
    record["prv_candidates"][0] |= before or {}
    record["candidate"] |= trigger or {}
    out = io.BytesIO()
    fastavro.writer(out, reader.writer_schema, [record])
    curves, dead = packets.read([out.getvalue()])
    assert dead == []
    return curves


def test_a_limit_of_minus_99_is_missing() -> None:
    curves, dead = packets.read([FILE.read_bytes()])
    assert dead == []
    assert curves.n_points.tolist() == [2]
    assert curves.n_points_dropped.tolist() == [1]
    assert curves.time_mjd == pytest.approx([60504.1910889, 60506.1910889], abs=1e-6)
    assert curves.flux_njy == pytest.approx([0.0, -856_394.4], rel=1e-4)
    assert curves.flux_err_njy == pytest.approx([4_581.7353, 71_606.8], rel=1e-4)


@pytest.mark.parametrize("filler", NO_MAGNITUDES)
def test_a_limit_that_can_be_none_is_missing(filler: float) -> None:
    curves = read_with({"diffmaglim": filler})
    assert curves.n_points.tolist() == [2]
    assert curves.n_points_dropped.tolist() == [1]
    assert curves.flux_err_njy.max() < 1e5


@pytest.mark.parametrize("filler", [value for value in NO_MAGNITUDES if np.isfinite(value)])
def test_a_magnitude_that_can_be_none_is_missing(filler: float) -> None:
    earlier = {"magpsf": filler, "sigmapsf": 0.1, "isdiffpos": "t", "diffmaglim": 20.5}
    curves = read_with(earlier)
    assert curves.n_points.tolist() == [2]
    assert curves.n_points_dropped.tolist() == [1]


@pytest.mark.parametrize("filler", [-99.0, -1.0, 0.0, 9.99, 99.0, 999.0, np.nan])
def test_an_error_that_can_be_none_is_missing(filler: float) -> None:
    curves = read_with({"magpsf": 19.0, "sigmapsf": filler, "isdiffpos": "t"})
    assert curves.n_points.tolist() == [2]
    assert curves.n_points_dropped.tolist() == [1]


@pytest.mark.parametrize("filler", [-999.0, 0.0, 99.0])
def test_a_template_magnitude_that_can_be_none_is_missing(filler: float) -> None:
    assert np.isnan(read_with(trigger={"magnr": filler, "distnr": 0.3}).template_flux_njy[0])
    assert read_with(trigger={"magnr": 21.4, "distnr": 0.3}).template_flux_njy[0] == pytest.approx(1e4, rel=1e-5)
