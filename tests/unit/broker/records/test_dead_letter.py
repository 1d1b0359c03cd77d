"""The record and the message of a dead letter."""

from __future__ import annotations

from broker.records import dead_letter
from tests.streaming.sink_rows import dead_rows


def test_a_key_is_the_same_whenever_it_is_made() -> None:
    row = dead_rows([b"x"]).to_pylist()[0]
    keys = {dead_letter.message_of(dead_letter.record_of(row), "", 10_000_000)[0] for _ in range(3)}
    assert len(keys) == 1
    other = dead_letter.record_of(row, "deliver", "another reason")
    assert dead_letter.message_of(other, "", 10_000_000)[0] not in keys
