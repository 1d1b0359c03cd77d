"""What a hostile or damaged message does: one dead letter with a reason, and nothing to its neighbours."""

from __future__ import annotations

import re
import resource

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker.bench.alerts import made_up
from schemas import packets
from schemas.packet_rows import PacketRows
from tests.unit.schemas.hostile import (
    candidate_bytes,
    candidate_schema,
    container,
    deflated,
    hostile_messages,
    zigzag,
)

HOSTILE = hostile_messages()
GOOD = container(candidate_schema(), candidate_bytes())


def test_the_neighbour_used_below_is_good() -> None:
    curves, dead = packets.read([GOOD])
    assert (len(curves), dead) == (1, [])


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_message_is_one_dead_letter_and_its_neighbours_go_on(name: str) -> None:
    message, word = HOSTILE[name]
    curves, dead = packets.read([GOOD, message, GOOD])
    assert curves.packet_index.tolist() == [0, 2]
    assert curves.n_points.tolist() == [1, 1]
    (letter,) = dead
    assert letter.packet_index == 1
    assert letter.stage in ("decode", "light curve")
    assert word in letter.reason
    assert len(letter.reason) < 1_000


NAMED_BYTES = {
    "random bytes": "at byte 0 of 5,001",
    "random bytes after the wire's magic": "at byte 1",
    "an unknown schema id": "schema id 4242 at byte 1",
    "a wire header cut short": "ends at byte 3",
    "an alert id of eleven bytes": "field diaSourceId at byte 5 of 16",
    "an absurd array count": "array a at byte 50 of 59",
    "an absurd negative array count": "array a at byte 50 of 60",
    "an absurd length of bytes": "field b at byte 50 of 59",
    "a union branch that is not there": "field u at byte 50 of 51",
    "more bytes than records": "at byte 50 of 53, and 3 more",
    "an absurd count of records": "block at byte 511",
    "a deflate block cut short": "block of 39 bytes at byte 514",
}
"""Where the reason says the damage is: byte of the message, or of the record in its container's block."""


@pytest.mark.parametrize("name", NAMED_BYTES)
def test_the_byte_is_named(name: str) -> None:
    assert NAMED_BYTES[name] in packets.read([HOSTILE[name][0]])[1][0].reason


def test_what_was_found_is_shown() -> None:
    (letter,) = packets.read([HOSTILE["a union branch that is not there"][0]])[1]
    assert letter.reason.endswith("found 0e")  # 7, zigzag


def test_a_time_that_cannot_be_is_told() -> None:
    (letter,) = packets.read([HOSTILE["a time before the survey"][0]])[1]
    assert "found 0.0" in letter.reason


WIRE = packets.write(made_up(1, 3, 4))[0]


def test_a_wire_message_cut_anywhere_names_the_byte_and_the_field() -> None:
    for length in range(6, len(WIRE)):
        curves, (letter,) = packets.read([WIRE[:length]])
        assert len(curves) == 0
        match = re.search(r"(?:field|array) (\S+) at byte (\d+) of (\d+)", letter.reason)
        assert match is not None, letter.reason
        assert 5 <= int(match[2]) <= length == int(match[3])


def test_bytes_after_a_wire_message_are_counted() -> None:
    (letter,) = packets.read([WIRE + b"abc"])[1]
    assert f"ends at byte {len(WIRE)} of {len(WIRE) + 3}, and 3 more follow it" in letter.reason


def test_all_hostile_messages_together_take_little_memory() -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    curves, dead = packets.read([message for message, _ in HOSTILE.values()])
    grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert len(curves) == 0
    assert len(dead) == len(HOSTILE)
    assert grown_kib < 300_000


def test_the_size_limit_is_the_callers() -> None:
    curves, dead = packets.read([GOOD], size_limit_bytes=len(GOOD) - 1)
    assert len(curves) == 0
    assert f"at most {len(GOOD) - 1:,} bytes" in dead[0].reason
    assert len(packets.read([GOOD], size_limit_bytes=len(GOOD))[0]) == 1


def test_the_topic_is_named_in_the_reason() -> None:
    assert "night-7" in packets.read([b""], "night-7")[1][0].reason


def test_measurements_without_end_are_refused() -> None:
    row = {"type": "record", "name": "p", "fields": [{"name": "jd", "type": ["null", "double"]}]}
    schema = candidate_schema({"name": "prv_candidates", "type": {"type": "array", "items": row}})
    n = 150_000
    message = container(schema, candidate_bytes() + zigzag(n) + b"\0" * n + b"\0")
    curves, dead = packets.read([message, GOOD])
    assert curves.packet_index.tolist() == [1]
    assert "more than 100,000 measurements" in dead[0].reason


def test_a_message_damaged_late_counts_as_a_whole() -> None:
    message = container(candidate_schema(), candidate_bytes() + candidate_bytes()[:-2], 2)
    curves, dead = packets.read([GOOD, message, GOOD])
    assert curves.packet_index.tolist() == [0, 2]
    assert dead[0].packet_index == 1


def test_one_bad_alert_of_a_container_leaves_the_others() -> None:
    block = candidate_bytes() + candidate_bytes(ra=-3.0) + candidate_bytes()
    curves, dead = packets.read([container(candidate_schema(), deflated(block), 3, "deflate")])
    assert curves.packet_index.tolist() == [0, 0]
    assert "alert 2 of the container" in dead[0].reason
    assert dead[0].stage == "light curve"


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=400), st.sampled_from([b"", b"\0", b"\0\0\0\x04\x4d", b"\0\0\0\x02\xbc", b"Obj\x01"]))
def test_no_bytes_raise(data: bytes, head: bytes) -> None:
    curves, dead = packets.read([head + data, GOOD])
    assert curves.packet_index.tolist()[-1] == 1
    assert len(curves) + len(dead) == 2


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_no_damage_to_a_good_message_raises(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(GOOD) - 1))
    cut = data.draw(st.integers(0, len(GOOD)))
    flip = data.draw(st.integers(1, 255))
    flipped = GOOD[:at] + bytes([GOOD[at] ^ flip]) + GOOD[at + 1 :]
    curves, dead = packets.read([flipped, GOOD[:cut], GOOD])
    assert curves.packet_index.tolist()[-1] == 2
    assert len(curves) + len(dead) == 3


def test_a_fault_of_the_reader_harms_one_message_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    good, bad = (packets.write(made_up(1, 2, 3, seed=seed))[0] for seed in (1, 2))
    read = PacketRows.read_messages

    def faulty(self: PacketRows, program: object, messages: list[bytes], *rest: object) -> object:
        if bad in messages:
            raise MemoryError("no room")
        return read(self, program, messages, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(PacketRows, "read_messages", faulty)
    curves, (letter,) = packets.read([good, bad, good])
    assert curves.packet_index.tolist() == [0, 2]
    assert (letter.packet_index, "MemoryError: no room" in letter.reason) == (1, True)
