"""The source's contract on a real Kafka, row by row; its reader is driven as Spark drives it."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from pyspark.sql.streaming.datasource import ReadAllAvailable, ReadMaxRows

from broker.kafka import clients
from broker.kafka.errors import LostOffsets, NoSuchTopic
from broker.records.fields import arrow_schema
from broker.stream.offsets import ChangedTopic
from broker.stream.source import GueststarReader
from models.registry.versions import Registry
from tests.kafka_topics import Topic, create_topic
from tests.streaming.small_models import light_curves, wire_messages
from tests.waiting import wait_for

pytestmark = pytest.mark.services

MakeTopic = Callable[..., Topic]
Offset = dict[str, Any]
ALL = ReadAllAvailable()


@pytest.fixture
def reader_of(home: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., GueststarReader]:
    """Makes readers of topics, as a new run of the job would: ``reader_of(topic, …)``."""

    def make(*topics: Topic, cores: int = 2, **settings: str) -> GueststarReader:
        monkeypatch.setenv("GUESTSTAR_INPUT_TOPICS", "[" + ",".join(f'"{topic.name}"' for topic in topics) + "]")
        for name, value in settings.items():
            monkeypatch.setenv(f"GUESTSTAR_{name.upper()}", value)
        return GueststarReader(str(home), cores)

    return make


def joined(reader: GueststarReader) -> Offset:
    """The offset after the first batch, in which the topics join."""
    return reader.latestOffset(reader.initialOffset(), ALL)


def rows_of(reader: GueststarReader, start: Offset, end: Offset) -> pa.Table:
    """What a batch's tasks give, one after the other."""
    batches = [batch for part in reader.partitions(start, end) for batch in reader.read(part)]
    return pa.Table.from_batches(batches, arrow_schema())


def places(rows: pa.Table) -> list[tuple[int, int]]:
    """Partition and offset of each row, sorted."""
    return sorted(zip(rows["input_partition"].to_pylist(), rows["input_offset"].to_pylist(), strict=True))


def test_each_batch_reads_exactly_its_range(reader_of: Callable[..., GueststarReader], topic: MakeTopic) -> None:
    alerts = topic(2)
    alerts.produce([b"bytes"] * 200)
    reader = reader_of(alerts)
    start = joined(reader)
    seen: list[tuple[int, int]] = []
    while (end := reader.latestOffset(start, ReadMaxRows(33))) != start:
        batch = places(rows_of(reader, start, end))
        assert len(batch) <= 33
        seen += batch
        start = end
    assert sorted(seen) == [(p, offset) for p in range(2) for offset in range(100)]


def test_no_news_leaves_the_offset_as_it_is(reader_of: Callable[..., GueststarReader], topic: MakeTopic) -> None:
    alerts = topic(1)
    reader = reader_of(alerts)
    start = joined(reader)
    registry = Registry(f"sqlite:///{Path(reader.home) / 'mlflow.db'}", Path(reader.home) / "models")
    registry.promote(2)
    assert reader_of(alerts).latestOffset(start, ALL) == start, "a new model alone must not make batches"


def test_where_reading_began_is_in_the_offsets(reader_of: Callable[..., GueststarReader], topic: MakeTopic) -> None:
    alerts = topic(1)
    alerts.produce([b"bytes"] * 20)
    delete_before(alerts, 0, 5)
    reader = reader_of(alerts)
    start = joined(reader)
    assert rows_of(reader, reader.initialOffset(), start).num_rows == 0
    assert start["topics"][alerts.name]["partitions"] == {"0": 5}
    assert places(rows_of(reader, start, reader.latestOffset(start, ALL))) == [(0, offset) for offset in range(5, 20)]


def delete_before(topic: Topic, partition: int, offset: int) -> None:
    """What retention does: offsets below ``offset`` are gone."""
    place = TopicPartition(topic.name, partition, offset)
    admin = AdminClient(topic.client)  # kept: its answers die with it
    for future in admin.delete_records([place]).values():
        assert future.result(60).low_watermark == offset


def test_deleted_offsets_stop_the_job_by_name(reader_of: Callable[..., GueststarReader], topic: MakeTopic) -> None:
    alerts = topic(1)
    alerts.produce([b"bytes"] * 50)
    reader = reader_of(alerts)
    start = joined(reader)
    end = reader.latestOffset(start, ALL)
    delete_before(alerts, 0, 30)
    with pytest.raises(
        LostOffsets, match=rf"topic {alerts.name} partition 0 offsets 0 to 29: .*--lost-offsets dead-letter"
    ):
        rows_of(reader, start, end)


def test_deleted_offsets_become_a_dead_letter_where_told_so(
    reader_of: Callable[..., GueststarReader], topic: MakeTopic
) -> None:
    alerts = topic(2)
    alerts.produce([b"bytes"] * 100)
    reader = reader_of(alerts, cores=1, lost_offsets="dead-letter")
    start = joined(reader)
    end = reader.latestOffset(start, ALL)
    delete_before(alerts, 0, 30)
    delete_before(alerts, 1, 50)  # all of it
    rows = rows_of(reader, start, end)
    lost = rows.filter(pa.compute.equal(rows["dead_stage"], "fetch"))
    assert sorted(lost["dead_reason"].to_pylist()) == [
        f"topic {alerts.name} partition 0 offsets 0 to 29: 30 offsets were deleted by retention before they were read",
        f"topic {alerts.name} partition 1 offsets 0 to 49: 50 offsets were deleted by retention before they were read",
    ]
    assert lost["payload"].to_pylist() == [b"", b""]
    assert lost["is_first_of_message"].to_pylist() == [False, False]
    read = rows.filter(pa.compute.not_equal(rows["dead_stage"], "fetch"))
    assert places(read) == [(0, offset) for offset in range(30, 50)]


def send_transaction(topic: Topic, values: list[bytes], *, commit: bool) -> None:
    """Messages of one transaction to partition 0, then its marker."""
    producer = transaction(topic, values)
    producer.commit_transaction(30) if commit else producer.abort_transaction(30)


def transaction(topic: Topic, values: list[bytes]) -> Producer:
    """A producer with these messages in an open transaction."""
    producer = Producer({**topic.client, "transactional.id": uuid.uuid4().hex, "log_level": 0})
    producer.init_transactions(60)
    producer.begin_transaction()
    for value in values:
        producer.produce(topic.name, value, partition=0)
    producer.flush(30)
    return producer


def test_markers_and_aborted_transactions_are_passed(
    reader_of: Callable[..., GueststarReader], topic: MakeTopic
) -> None:
    alerts = topic(1)
    send_transaction(alerts, [b"good"] * 3, commit=True)  # offsets 0 to 2, marker 3
    send_transaction(alerts, [b"taken back"] * 4, commit=False)  # 4 to 7, marker 8
    send_transaction(alerts, [b"good"] * 2, commit=True)  # 9 and 10, marker 11
    reader = reader_of(alerts)
    start = joined(reader)
    wait_for(lambda: ends(reader.latestOffset(start, ALL)) == [12], 30, "the markers to be visible")
    assert places(rows_of(reader, start, reader.latestOffset(start, ALL))) == [(0, o) for o in (0, 1, 2, 9, 10)]
    gathered = []
    while ends(start) != [12]:  # one offset at a time: ranges that hold nothing end too
        end = reader.latestOffset(start, ReadMaxRows(1))
        gathered += places(rows_of(reader, start, end))
        start = end
    assert gathered == [(0, o) for o in (0, 1, 2, 9, 10)]


def test_an_open_transaction_is_not_read_before_its_end(
    reader_of: Callable[..., GueststarReader], topic: MakeTopic
) -> None:
    alerts = topic(1)
    alerts.produce([b"before"])
    producer = transaction(alerts, [b"open"] * 3)
    reader = reader_of(alerts)
    start = joined(reader)
    end = reader.latestOffset(start, ALL)
    assert places(rows_of(reader, start, end)) == [(0, 0)]
    producer.commit_transaction(30)
    wait_for(lambda: ends(reader.latestOffset(end, ALL)) == [5], 30, "the commit to be visible")
    assert places(rows_of(reader, end, reader.latestOffset(end, ALL))) == [(0, 1), (0, 2), (0, 3)]


def ends(offset: Offset) -> list[int]:
    """The places in all partitions of all topics."""
    return [place for topic in offset["topics"].values() for place in topic["partitions"].values()]


def test_a_partition_added_while_running_is_read_from_its_beginning(
    reader_of: Callable[..., GueststarReader], topic: MakeTopic
) -> None:
    alerts = topic(1)
    alerts.produce([b"bytes"] * 5)
    reader = reader_of(alerts)
    start = joined(reader)
    start = reader.latestOffset(start, ALL)
    wider = alerts.add_partitions(3)
    wait_for(lambda: len(ends(reader.latestOffset(start, ALL))) == 3, 30, "the new partitions")
    wider.produce([b"bytes"] * 4, partition=2)
    end = wait_for(lambda: (latest := reader.latestOffset(start, ALL)) != start and latest, 30, "their messages")
    end = reader.latestOffset(start, ALL)
    assert places(rows_of(reader, start, end)) == [(2, 0), (2, 1), (2, 2), (2, 3)]


def test_a_topic_made_anew_is_an_error_naming_both(reader_of: Callable[..., GueststarReader], topic: MakeTopic) -> None:
    alerts = topic(1)
    alerts.produce([b"bytes"] * 5)
    reader = reader_of(alerts)
    start = joined(reader)
    end = reader.latestOffset(start, ALL)
    alerts.delete()
    anew = create_again(reader, alerts)
    anew.produce([b"other"] * 9)
    for ask in (lambda: reader_of(anew).latestOffset(end, ALL), lambda: reader_of(anew).partitions(start, end)):
        with pytest.raises(ChangedTopic, match=f"{alerts.name} was deleted and created again") as raised:
            ask()
        assert start["topics"][alerts.name]["id"] in str(raised.value)


def create_again(reader: GueststarReader, topic: Topic) -> Topic:
    """A topic of the same name, as soon as Kafka lets go of the old one."""
    from confluent_kafka import KafkaException

    def made() -> Topic | None:
        try:
            return create_topic(reader._settings(), 1, topic.name)
        except KafkaException:
            return None

    return wait_for(made, 30, "the old topic to go")


def test_a_missing_topic_is_an_error_that_says_what_to_do(
    reader_of: Callable[..., GueststarReader], services: Any
) -> None:
    missing = Topic("not-there", 1, clients.connection(services))
    with pytest.raises(NoSuchTopic, match=r"Kafka has no topic not-there: .*gueststar replay"):
        joined(reader_of(missing))
    assert "not-there" not in AdminClient(missing.client).list_topics(timeout=10).topics, "asking must not make it"


def test_the_limit_is_shared_by_backlog_over_several_topics(
    reader_of: Callable[..., GueststarReader], topic: MakeTopic
) -> None:
    large, small = topic(2), topic(1)
    large.produce([b"bytes"] * 180)
    small.produce([b"bytes"] * 20)
    reader = reader_of(large, small)
    start = joined(reader)
    rows = rows_of(reader, start, reader.latestOffset(start, ReadMaxRows(100)))
    assert Counter(rows["input_topic"].to_pylist()) == {large.name: 90, small.name: 10}


def test_available_now_ends_where_the_topic_ended_when_it_began(
    reader_of: Callable[..., GueststarReader], topic: MakeTopic
) -> None:
    alerts = topic(1)
    alerts.produce([b"bytes"] * 10)
    reader = reader_of(alerts)
    reader.prepareForTriggerAvailableNow()
    alerts.produce([b"late"] * 10)
    start = joined(reader)
    end = reader.latestOffset(start, ReadMaxRows(100))
    assert ends(end) == [10]
    assert reader.latestOffset(end, ReadMaxRows(100)) == end


def test_a_batch_done_again_gives_the_same_rows_though_the_model_moved_on(
    reader_of: Callable[..., GueststarReader], topic: MakeTopic, home: Path
) -> None:
    alerts = topic(2)
    alerts.produce([*wire_messages(30), b"rubbish"])
    registry = Registry(f"sqlite:///{home / 'mlflow.db'}", home / "models")
    reader = reader_of(alerts)
    start = joined(reader)
    end = reader.latestOffset(start, ALL)
    first = rows_of(reader, start, end)
    registry.promote(2)
    again = reader_of(alerts, cores=7)  # another machine, another number of cores
    assert sorted_rows(rows_of(again, start, end)) == sorted_rows(first)
    assert set(first["model_sha256"].to_pylist()) == {registry.model(1).sha256, None}
    alerts.produce(wire_messages(2, seed=2))
    after = again.latestOffset(end, ALL)
    assert after["model"] == registry.model(2).sha256
    assert set(rows_of(again, end, after)["model_sha256"].to_pylist()) == {registry.model(2).sha256}


def sorted_rows(rows: pa.Table) -> list[str]:
    """The rows as text (NaN equals NaN), in an order of their own."""
    return sorted(map(repr, rows.to_pylist()))


def test_a_bad_message_harms_no_other(reader_of: Callable[..., GueststarReader], topic: MakeTopic) -> None:
    alerts = topic(1)
    good = wire_messages(3)
    alerts.produce([good[0], b"rubbish", None, good[1], b"", good[2]])
    reader = reader_of(alerts)
    start = joined(reader)
    rows = rows_of(reader, start, reader.latestOffset(start, ALL)).to_pylist()
    by_offset = {row["input_offset"]: row for row in rows}
    assert [offset for offset, row in sorted(by_offset.items()) if row["dead_stage"] is None] == [0, 3, 5]
    assert all(by_offset[offset]["dead_stage"] == "decode" and by_offset[offset]["dead_reason"] for offset in (1, 2, 4))
    assert by_offset[1]["payload"] == b"rubbish"
    assert all(row["is_first_of_message"] for row in rows)
    assert abs(sum(by_offset[0]["p_survey"]) - 1) < 1e-5


def test_a_solar_system_object_is_not_classified(reader_of: Callable[..., GueststarReader], topic: MakeTopic) -> None:
    from schemas import packets

    curves = light_curves(1, 5)
    moving = replace(curves, is_solar_system=~curves.is_solar_system, object_id=curves.object_id * 0)
    alerts = topic(1)
    alerts.produce(packets.write(moving))
    reader = reader_of(alerts)
    start = joined(reader)
    (row,) = rows_of(reader, start, reader.latestOffset(start, ALL)).to_pylist()
    assert row["is_solar_system"]
    assert row["class_id"] == 300
    assert "Solar System" in row["not_classified_reason"]
    assert not row["is_strange"]
    assert row["p_flat"] == []
