"""Light curves written as wire messages come back, and are packets by the published schema."""

from __future__ import annotations

import io
import struct
from dataclasses import replace

import fastavro
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import packets
from schemas.light_curves import BANDS, LightCurves
from schemas.lsst import FLAGS, known_ids, schema_folder
from schemas.wire_writer import zigzag

ID = st.integers(1, 2**63 - 1)
FLUX = st.floats(-1e8, 1e8, width=32)
POINT = st.tuples(
    st.floats(60000, 60999), FLUX, st.floats(0.001953125, 1e6, width=32), st.integers(0, 5), st.booleans()
)
ALERT = st.fixed_dictionaries(
    {
        "alert_id": ID,
        "object_id": st.just(0) | ID,
        "ra_deg": st.floats(0, 359.999),
        "dec_deg": st.floats(-90, 90),
        "is_solar_system": st.booleans(),
        "reliability": st.just(float("nan")) | st.floats(0, 1, width=32),
        "points": st.lists(POINT, min_size=0, max_size=12),
        "trigger": st.tuples(st.just(61000.5), FLUX, st.just(1.5), st.integers(0, 5), st.just(True)),
    }
)


def built(alerts: list[dict]) -> LightCurves:
    owner, points = [], []
    for row, alert in enumerate(alerts):
        listed = [*alert["points"], alert["trigger"]]
        owner += [row] * len(listed)
        points += listed
    names = ("time_mjd", "flux_njy", "flux_err_njy", "band", "is_detection")
    rows = {key: [alert[key] for alert in alerts] for key in alerts[0] if key not in ("points", "trigger")}
    rows |= {"alert_mjd": [61000.5] * len(alerts), "schema_id": [known_ids()[-1]] * len(alerts)}
    columns = dict(zip(names, zip(*points, strict=True), strict=True))
    return LightCurves.from_points(alert=owner, columns=columns, alerts=rows)


def raw(message: bytes) -> dict:
    schema_id = struct.unpack(">I", message[1:5])[0]
    major, minor = divmod(schema_id, 100)
    file = schema_folder() / str(major) / str(minor) / f"lsst.v{major}_{minor}.alert.avsc"
    stream = io.BytesIO(message[5:])
    record = fastavro.schemaless_reader(stream, fastavro.schema.load_schema(str(file)), None)
    assert stream.read() == b""
    return record


@settings(deadline=None, max_examples=60)
@given(st.lists(ALERT, min_size=1, max_size=4), st.booleans(), st.binary(max_size=200))
def test_what_is_written_is_read_back(alerts: list[dict], full: bool, cutout: bytes) -> None:
    curves = built(alerts)
    read, dead = packets.read(packets.write(curves, full=full, cutout=cutout))
    assert dead == []
    for name in LightCurves.__dataclass_fields__:
        first, second = getattr(curves, name), getattr(read, name)
        assert first.dtype == second.dtype
        assert np.array_equal(first, second, equal_nan=first.dtype.kind == "f"), name


ONE = {
    "alert_id": 11, "object_id": 2**62 + 3, "ra_deg": 10.0, "dec_deg": -20.0, "is_solar_system": False,
    "reliability": 0.75, "points": [(60990.0, 5.0, 1.0, 1, False), (60991.0, 7.0, 1.0, 2, True)],
    "trigger": (61000.5, -9.0, 2.0, 3, True),
}  # fmt: skip


def test_it_is_a_packet_of_the_newest_schema() -> None:
    (message,) = packets.write(built([ONE]))
    assert struct.unpack(">I", message[1:5])[0] == known_ids()[-1]
    record = raw(message)
    source = record["diaSource"]
    assert record["diaSourceId"] == source["diaSourceId"] == 11
    assert source["diaObjectId"] == record["diaObject"]["diaObjectId"] == 2**62 + 3
    assert (source["psfFlux"], source["psfFluxErr"], source["band"], source["midpointMjdTai"]) == (
        -9.0,
        2.0,
        "i",
        61000.5,
    )
    assert source["reliability"] == 0.75
    assert [item["midpointMjdTai"] for item in record["prvDiaSources"]] == [60991.0]
    assert [item["midpointMjdTai"] for item in record["prvDiaForcedSources"]] == [60990.0]
    assert record["diaObject"]["nDiaSources"] == 2
    assert [record["diaObject"][f"{band}_psfFluxNdata"] for band in BANDS] == [0, 0, 1, 1, 0, 0]
    assert (record["diaObject"]["firstDiaSourceMjdTai"], record["diaObject"]["lastDiaSourceMjdTai"]) == (
        60991.0,
        61000.5,
    )


def test_what_is_not_known_is_null_or_nan() -> None:
    source = raw(packets.write(built([ONE]))[0])["diaSource"]
    assert source["snr"] is source["apFlux"] is source["timeWithdrawnMjdTai"] is source["isNegative"] is None
    assert np.isnan([source["x"], source["y"], source["timeProcessedMjdTai"]]).all()


def test_a_full_packet_leaves_no_measured_field_empty() -> None:
    record = raw(packets.write(built([ONE]), full=True, cutout=b"pixels")[0])
    empty = {name for name, value in record["diaSource"].items() if value is None}
    assert empty == {"ssObjectId", "timeWithdrawnMjdTai", "extendedness", "templateFlux", *FLAGS.values()}
    assert record["cutoutTemplate"] == b"pixels"


def test_a_solar_system_alert_has_no_object() -> None:
    assert raw(packets.write(built([{**ONE, "is_solar_system": True}]))[0])["diaObject"] is None


def test_fluxes_become_single_precision() -> None:
    curves = built([ONE])
    third = replace(curves, flux_njy=curves.flux_njy / 3)
    read, _ = packets.read(packets.write(third))
    assert np.array_equal(read.flux_njy, third.flux_njy.astype(np.float32).astype(float))


def test_nothing_later_than_the_trigger_is_written() -> None:
    later = {**ONE, "points": [(60999.0, 1.0, 1.0, 0, False)], "trigger": (60990.0, 2.0, 1.0, 0, True)}
    record = raw(packets.write(built([later]))[0])
    assert record["prvDiaForcedSources"] is None
    assert record["diaSource"]["midpointMjdTai"] == 60990.0


def test_without_a_detection_there_is_no_alert() -> None:
    forced = {**ONE, "points": [], "trigger": (61000.5, 1.0, 1.0, 0, False)}
    with pytest.raises(ValueError, match="alert 11 has no detection"):
        packets.write(built([forced]))


def test_no_alerts_are_no_messages() -> None:
    assert packets.write(LightCurves.empty()) == []


@given(st.integers(-(2**63), 2**63 - 1))
def test_integers_are_avros(value: int) -> None:
    assert fastavro.schemaless_reader(io.BytesIO(zigzag(value)), fastavro.parse_schema("long"), None) == value
