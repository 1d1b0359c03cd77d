"""The sink on a real Kafka and Redis: all arrives, a batch done again changes nothing, a bad row harms no other."""

from __future__ import annotations

import json
import logging
from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
import pytest
import redis

from broker.kafka import reading, topics
from broker.kafka.errors import UndeliveredError
from broker.records import archive
from broker.records.fields import ALERT_FIELDS
from broker.settings import Settings
from broker.state.candidates import CandidateStore, all_candidates
from broker.state.keys import Keys
from broker.stream import worker
from broker.stream.sink import Delivered, GueststarWriter
from schemas import messages
from tests.streaming.sink_rows import MODEL, alert_rows, dead_rows, routed

pytestmark = pytest.mark.services


def deliver(settings: Settings, *batches: pa.RecordBatch) -> Delivered:
    return GueststarWriter(str(settings.home)).write(iter(batches))


def published(settings: Settings, topic: str) -> list[reading.Entry]:
    return list(reading.read(settings, topic, missing_ok=True))


def dead_letters(settings: Settings) -> list[dict[str, Any]]:
    return [messages.decode(e.value or b"")[1] for e in published(settings, topics.dead_letters(settings))]


def archived(settings: Settings) -> pa.Table:
    return ds.dataset(archive.folder(settings), partitioning="hive").to_table()


def test_every_row_is_in_all_its_topics_as_it_was(settings: Settings) -> None:
    rows = alert_rows(300)
    names = [topics.classifications(settings), topics.of_class(settings, 2222), topics.strange(settings)]
    delivered = deliver(settings, routed(rows.slice(0, 200), *names), routed(rows.slice(200), *names))
    expected = {row["alert_id"]: row for row in rows.select(list(ALERT_FIELDS)).to_pylist()}
    for name in names:
        entries = published(settings, name)
        assert len(entries) == 300
        for entry in entries:
            kind, record = messages.decode(entry.value or b"")
            assert kind == "classification"
            np.testing.assert_equal(record, expected[record["alert_id"]])  # NaN equals NaN
            assert entry.key == f"{record['alert_id']}:{MODEL[:16]}".encode()
            assert entry.headers == {
                "gueststar-key": entry.key,
                "input": f"in:0:{record['input_offset']}".encode(),
            }
        assert {entry.key for entry in entries} == {f"{i}:{MODEL[:16]}".encode() for i in expected}
    assert (delivered.alerts, delivered.dead_letters, delivered.inputs) == (300, 0, 300)
    assert delivered.topics == Counter(dict.fromkeys(names, 300))
    assert delivered.ends == {"in:0": 300}


def test_an_empty_task_delivers_nothing(settings: Settings) -> None:
    assert deliver(settings) == Delivered()
    assert deliver(settings, routed(alert_rows(0), "nowhere")) == Delivered()


def test_dead_letters_carry_bytes_place_stage_and_reason(settings: Settings) -> None:
    payloads = [b"\x00broken", b"", bytes(200_000)]
    delivered = deliver(settings, routed(dead_rows(payloads, first=7), topics.dead_letters(settings)))
    by_offset = {record["input_offset"]: record for record in dead_letters(settings)}
    assert {offset: record["payload"] for offset, record in by_offset.items()} == dict(enumerate(payloads, 7))
    assert by_offset[9]["payload_length"] == 200_000
    assert {(r["stage"], r["reason"]) for r in by_offset.values()} == {("decode", "a packet must begin with byte 0")}
    assert {e.headers["input"] for e in published(settings, topics.dead_letters(settings))} == {
        b"in:0:7",
        b"in:0:8",
        b"in:0:9",
    }
    assert (delivered.alerts, delivered.dead_letters, delivered.inputs) == (0, 3, 3)
    assert not archive.folder(settings).exists()


def test_a_batch_done_again_overwrites_and_repeats_only_keys(settings: Settings) -> None:
    batch = routed(alert_rows(100), topics.classifications(settings))
    dead = routed(dead_rows([b"x", b"y"], first=100), topics.dead_letters(settings))
    deliver(settings, batch, dead)
    files = {file: file.read_bytes() for file in archive.folder(settings).rglob("*.parquet")}
    deliver(settings, batch, dead)
    assert {file: file.read_bytes() for file in archive.folder(settings).rglob("*.parquet")} == files
    assert len(files) == 2, "the rows cross a local noon"
    keys = Counter(entry.key for entry in published(settings, topics.classifications(settings)))
    assert set(keys.values()) == {2}
    assert len(keys) == 100
    buried = Counter(entry.key for entry in published(settings, topics.dead_letters(settings)))
    assert sorted(buried.values()) == [2, 2]


def test_the_archive_holds_what_was_published(settings: Settings) -> None:
    rows = alert_rows(100)
    deliver(settings, routed(rows, topics.classifications(settings)))
    table = archived(settings).sort_by("input_offset")
    assert table.column("alert_id").to_pylist() == rows.column("alert_id").to_pylist()
    np.testing.assert_equal(table.column("features").to_pylist(), rows.column("features").to_pylist())
    assert set(table.column("task").to_pylist()) == {"in-0-0-100"}


def test_a_row_that_cannot_be_written_becomes_a_dead_letter_alone(settings: Settings) -> None:
    band = [None if i == 3 else "g" for i in range(10)]
    delivered = deliver(settings, routed(alert_rows(10, band=band), topics.classifications(settings)))
    (letter,) = dead_letters(settings)
    assert (letter["stage"], letter["input_offset"], letter["input_topic"]) == ("deliver", 3, "in")
    assert "band" in letter["reason"]
    assert len(published(settings, topics.classifications(settings))) == 9
    assert (delivered.alerts, delivered.dead_letters) == (9, 1)


def test_a_row_too_large_for_its_topic_becomes_a_dead_letter_alone(settings: Settings) -> None:
    name = topics.classifications(settings)
    topics.create(settings, [name], config={"max.message.bytes": "20000"})
    text = np.random.default_rng(0).bytes(30_000).hex()  # hardly compressible: Kafka weighs what arrives
    reasons = [text if i in (2, 5) else "" for i in range(20)]
    rows = alert_rows(20, not_classified_reason=reasons)
    delivered = deliver(settings, routed(rows, name, topics.sample(settings)))
    assert {letter["input_offset"] for letter in dead_letters(settings)} == {2, 5}
    assert all(name in letter["reason"] for letter in dead_letters(settings))
    assert len({entry.key for entry in published(settings, name)}) == 18
    assert len({entry.key for entry in published(settings, topics.sample(settings))}) == 20
    assert (delivered.alerts, delivered.dead_letters) == (18, 2)
    assert delivered.topics == {name: 18, topics.sample(settings): 20, topics.dead_letters(settings): 2}


def test_a_dead_letter_too_large_for_its_topic_is_cut(settings: Settings) -> None:
    name = topics.dead_letters(settings)
    topics.create(settings, [name], config={"max.message.bytes": "40000"})
    # not compressible, or Kafka would take it
    payload = np.random.default_rng(0).bytes(100_000)
    deliver(settings, routed(dead_rows([payload]), name))
    (letter,) = dead_letters(settings)
    assert letter["payload"] == payload[:10_000]
    assert letter["payload_length"] == 100_000


def test_a_fault_of_kafka_fails_the_task_with_topic_and_reason(settings: Settings) -> None:
    with pytest.raises(UndeliveredError, match=r"no topic!.*[Ii]nvalid"):
        deliver(settings, routed(alert_rows(3), "no topic!"))
    delivered = deliver(settings, routed(alert_rows(3), topics.classifications(settings)))
    assert delivered.topics == {topics.classifications(settings): 3}, "the worker is well again"


def test_redis_is_told_of_objects(settings: Settings) -> None:
    rows = alert_rows(40)
    deliver(settings, routed(rows, topics.classifications(settings)))
    newest = rows.slice(11, 1).to_pylist()[0]
    with redis.Redis.from_url(settings.redis_address()) as client:
        state = CandidateStore(client, Keys(settings.topic_prefix)).object_state(newest["object_id"])
    assert state is not None
    assert state["alert_id"] == newest["alert_id"]
    assert len(all_candidates(settings)) == 20, "under the prefix of the settings, where the planner looks"


def test_without_redis_the_stream_goes_on_and_says_so_once(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("GUESTSTAR_REDIS_URL", "redis://127.0.0.1:1/0")
    worker.close(settings.home)
    with caplog.at_level(logging.WARNING):
        for first in (0, 50):
            rows = alert_rows(50, first=first, task=f"in-0-{first}")
            delivered = deliver(settings, routed(rows, topics.classifications(settings)))
            assert (delivered.alerts, delivered.not_offered) == (50, 50)
    assert len(published(settings, topics.classifications(settings))) == 100
    assert archived(settings).num_rows == 100
    assert sum("Redis is away" in record.message for record in caplog.records) == 1


def test_a_commit_is_written_whole_with_its_sums(settings: Settings) -> None:
    writer = GueststarWriter(str(settings.home))
    one = Delivered(("a",), 10, 1, 11, 2, 0, Counter({"x": 10, "y": 2}), {"in:0": 11})
    two = Delivered(("b",), 5, 0, 4, 0, 5, Counter({"x": 5}), {"in:0": 30, "in:1": 4})
    writer.commit([one, None, two], 7)
    (file,) = (settings.home / "run" / "batches").iterdir()
    report = json.loads(file.read_text())
    assert report.pop("time")
    assert report == {
        "batch": 7, "inputs": 15, "alerts_out": 15, "dead_letters": 1, "strange": 2, "not_offered": 5,
        "topics": {"x": 15, "y": 2}, "ends": {"in:0": 30, "in:1": 4}, "tasks": ["a", "b"],
    }  # fmt: skip
