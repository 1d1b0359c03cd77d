"""What was read before changes nothing: alike, unlike and damaged packets in any order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import packets
from schemas.avro_values import is_utf8
from schemas.light_curves import LightCurves
from schemas.wire_writer import zigzag
from tests.unit.schemas.hostile import candidate_bytes, candidate_schema, container


def light_curves(n_points: int, alert_id: int) -> LightCurves:
    points = np.arange(n_points)
    return LightCurves.from_points(
        alert=np.zeros(n_points, int),
        columns={
            "time_mjd": 60_000.0 + points, "flux_njy": 10.0 * points, "flux_err_njy": 1.0 + points,
            "band": points % 6, "is_detection": points % 3 == (n_points - 1) % 3,
        },
        alerts={
            "alert_id": [alert_id], "object_id": [alert_id + 1], "alert_mjd": [60_000.0 + n_points - 1],
            "ra_deg": [1.0], "dec_deg": [2.0], "survey": [0], "schema_id": [1101], "is_solar_system": [alert_id % 2],
            "reliability": [np.nan],
        },
    )  # fmt: skip


MESSAGE = st.builds(
    lambda n, alert_id, full, cutout: packets.write(light_curves(n, alert_id), full=full, cutout=cutout)[0],
    st.integers(1, 12),
    st.integers(1, 63) | st.integers(2**61, 2**62),
    st.booleans(),
    st.binary(max_size=40),
)


def damaged(message: bytes, at: int, flip: int, cut: int) -> bytes:
    at = 5 + at % (len(message) - 5)
    return (message[:at] + bytes([message[at] ^ flip]) + message[at + 1 :])[: max(6, len(message) - cut)]


DAMAGED = st.builds(damaged, MESSAGE, st.integers(0, 10_000), st.integers(0, 255), st.integers(0, 300))


@settings(deadline=None, max_examples=200)
@given(st.lists(MESSAGE | DAMAGED, min_size=2, max_size=8))
def test_a_message_is_read_alike_in_any_company(messages: list[bytes]) -> None:
    together, dead = packets.read(messages)
    reasons = {letter.packet_index: letter.reason for letter in dead}
    for i, message in enumerate(messages):
        alone, letters = packets.read([message])
        of_packet = together.select(together.packet_index == i)
        assert [letter.reason for letter in letters] == ([reasons[i]] if i in reasons else [])
        for name in LightCurves.__dataclass_fields__:
            if name != "packet_index":
                value = getattr(of_packet, name)
                assert np.array_equal(value, getattr(alone, name), equal_nan=value.dtype.kind == "f"), name


TEXT = b"caf\xc3\xa9, \xf0\x9f\x8c\x9f"


@settings(deadline=None)  # the first example waits for the compiler
@given(st.binary(max_size=8) | st.text(max_size=4).map(str.encode))
def test_utf_8_is_what_python_takes_for_it(data: bytes) -> None:
    try:
        data.decode()
        wanted = True
    except UnicodeDecodeError:
        wanted = False
    assert is_utf8(np.frombuffer(data, np.uint8), 0, len(data)) == wanted


@pytest.mark.parametrize("text", [TEXT, TEXT[:-1], b"\xed\xa0\x80", b"\xc0\xaf", b"\xf4\x90\x80\x80", b"\xff"])
def test_a_text_that_is_not_utf_8_is_refused(text: bytes) -> None:
    schema = candidate_schema({"name": "note", "type": "string"})
    message = container(schema, candidate_bytes() + zigzag(len(text)) + text)
    curves, dead = packets.read([message])
    if text == TEXT:
        assert len(curves) == 1
    else:
        assert "field note at byte" in dead[0].reason
        assert "not UTF-8" in dead[0].reason
