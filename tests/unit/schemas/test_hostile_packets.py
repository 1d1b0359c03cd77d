"""What a hostile or damaged message does: one dead letter with a reason, and nothing to its neighbours."""

from __future__ import annotations

import resource

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker.bench.alerts import made_up
from schemas import packets
from schemas.rows import Rows
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
    read = Rows.read_messages

    def faulty(self: Rows, program: object, messages: list[bytes], *rest: object) -> object:
        if bad in messages:
            raise MemoryError("no room")
        return read(self, program, messages, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(Rows, "read_messages", faulty)
    curves, (letter,) = packets.read([good, bad, good])
    assert curves.packet_index.tolist() == [0, 2]
    assert (letter.packet_index, "MemoryError: no room" in letter.reason) == (1, True)
