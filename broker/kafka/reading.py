"""A whole Kafka topic as a log: every message from given offsets to the ends that the partitions have now."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from confluent_kafka import KafkaError, KafkaException, Message, TopicPartition

from broker.kafka import clients
from broker.kafka.clients import KafkaConsumer
from broker.kafka.errors import NoSuchTopic
from broker.settings import Settings

TIMEOUT_S = 20.0
"""A partition that gives nothing for this long while it has messages left is an error, not an end; seconds."""


class Entry(NamedTuple):
    """One message of the log; ``timestamp_ms`` is Kafka's, milliseconds since 1970 UTC."""

    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: dict[str, bytes]


def bounds(settings: Settings, topic: str) -> dict[int, tuple[int, int]]:
    """Of each partition the first offset it still holds and the offset after its last, as of now.

    Raises NoSuchTopic, and KafkaFailure where Kafka does not answer.
    """
    consumer = clients.log_reader(settings)
    try:
        return _bounds(consumer, topic)
    finally:
        consumer.close()


def offsets_at(settings: Settings, topic: str, time_ms: int) -> dict[int, int]:
    """Of each partition the first offset whose message is not older than ``time_ms`` (ms since 1970 UTC)."""
    consumer = clients.log_reader(settings)
    try:
        limits = _bounds(consumer, topic)
        asked = [TopicPartition(topic, partition, time_ms) for partition in limits]
        with consumer.translating(topic):
            places = consumer.offsets_for_times(asked, timeout=TIMEOUT_S)
        return {p.partition: p.offset if p.offset >= 0 else limits[p.partition][1] for p in places}
    finally:
        consumer.close()


def read(
    settings: Settings,
    topic: str,
    start: Mapping[int, int] | None = None,
    end: Mapping[int, int] | None = None,
    *,
    missing_ok: bool = False,
) -> Iterator[Entry]:
    """Yield the messages of ``topic`` with ``start <= offset < end``, in order of offset within a partition.

    ``start`` and ``end`` map a partition to an offset;
    a partition that ``start`` leaves out is read from its first offset, one that ``end`` leaves out to the end it has
    as the call begins. Offsets that hold no message (transaction markers, compaction) are passed over. Raises
    NoSuchTopic where the topic does not exist (unless ``missing_ok``: then nothing is yielded), and KafkaFailure
    where Kafka does not answer, refuses or falls silent.
    """
    for batch in read_batches(settings, topic, start, end, missing_ok=missing_ok):
        yield from map(_entry, batch)


def read_slice(settings: Settings, topic: str, partition: int, start: int, end: int) -> Iterator[Entry]:
    """The messages that one partition still has with ``start <= offset < end``; none where the topic is gone."""
    consumer = clients.log_reader(settings, **{"fetch.message.max.bytes": 65_536})  # one message comes, however long
    try:
        try:
            low, high = _bounds(consumer, topic).get(partition, (0, 0))
        except NoSuchTopic:
            return
        if max(start, low) < min(end, high):
            for batch in read_ranges(consumer, topic, {partition: (max(start, low), min(end, high))}):
                yield from map(_entry, batch)
    finally:
        consumer.close()


def read_batches(
    settings: Settings,
    topic: str,
    start: Mapping[int, int] | None = None,
    end: Mapping[int, int] | None = None,
    *,
    missing_ok: bool = False,
    batch_size: int = 10_000,
) -> Iterator[list[Message]]:
    """As :func:`read`, in lists of librdkafka's messages: for those who look at many and need little of each."""
    consumer = clients.log_reader(settings)
    try:
        try:
            limits = _bounds(consumer, topic)
        except NoSuchTopic:
            if missing_ok:
                return
            raise
        ranges = {}
        for partition, (low, high) in limits.items():
            first = max(low, (start or {}).get(partition, low))
            last = min(high, (end or {}).get(partition, high))
            if first < last:
                ranges[partition] = (first, last)
        yield from read_ranges(consumer, topic, ranges, batch_size)
    finally:
        consumer.close()


def read_ranges(
    consumer: KafkaConsumer, topic: str, ranges: Mapping[int, tuple[int, int]], batch_size: int = 10_000
) -> Iterator[list[Message]]:
    """Yield the messages of ``[first, end)`` of each partition with a consumer that
    :func:`broker.kafka.clients.log_reader` made.

    It goes by position: a partition is done when a message at or past its last offset comes, or its end is reported.
    """
    at = {partition: first for partition, (first, _) in ranges.items()}
    with consumer.translating(topic):
        consumer.assign([TopicPartition(topic, partition, first) for partition, first in at.items()])
    deadline = time.monotonic() + TIMEOUT_S
    while at:
        left = sum(ranges[partition][1] - offset for partition, offset in at.items())
        with consumer.translating(topic):
            arrived = consumer.consume(min(batch_size, left), timeout=0.2)
        if arrived:
            deadline = time.monotonic() + TIMEOUT_S
        elif time.monotonic() > deadline:
            raise consumer.silence(TIMEOUT_S, f"topic {topic}, partitions at offsets {at}")
        batch = [message for message in arrived if _advance(consumer, message, at, ranges)]
        if batch:
            yield batch
    consumer.unassign()


def _entry(message: Any) -> Entry:
    return Entry(
        message.partition(),
        message.offset(),
        message.timestamp()[1],
        message.key(),
        message.value(),
        dict(message.headers() or ()),
    )


def _advance(consumer: KafkaConsumer, message: Any, at: dict[int, int], ranges: Mapping[int, tuple[int, int]]) -> bool:
    """Move the position of the message's partition; True where the message itself lies in its range."""
    error = message.error()
    if error is not None and error.code() != KafkaError._PARTITION_EOF:
        raise consumer.failure(error, message.topic() or "")
    partition, offset = message.partition(), message.offset()
    if partition not in at:
        return False
    end = ranges[partition][1]
    if error is not None:
        if offset >= end:
            del at[partition]
        return False
    at[partition] = offset + 1
    if offset >= end - 1:
        del at[partition]
    return bool(offset < end)


def _bounds(consumer: KafkaConsumer, topic: str) -> dict[int, tuple[int, int]]:
    with consumer.translating(topic):
        described = consumer.list_topics(topic, timeout=TIMEOUT_S).topics.get(topic)
        if described is None:
            raise NoSuchTopic(f"Kafka has no topic {topic}: it is not listed")
        if described.error is not None:
            raise KafkaException(described.error)
        return {number: _watermarks(consumer, TopicPartition(topic, number)) for number in sorted(described.partitions)}


def _watermarks(consumer: KafkaConsumer, place: TopicPartition) -> tuple[int, int]:
    """First and end offset; a partition without a leader yet, as after a start of Kafka, is asked again."""
    deadline = time.monotonic() + TIMEOUT_S
    while True:
        try:
            low, high = consumer.get_watermark_offsets(place, timeout=TIMEOUT_S)
            return low, high
        except KafkaException as error:
            waits = error.args[0].code() in (KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE)
            if not waits or time.monotonic() > deadline:
                raise
        consumer.poll(0.1)
