"""A whole Kafka topic as a log: every message from given offsets to the ends that the partitions have now."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

TIMEOUT_S = 20.0
"""A partition that gives nothing for this long while it has messages left is an error, not an end; seconds."""

_READER: dict[str, Any] = {
    "group.id": "gueststar-topic-log",  # librdkafka wants a name; the reader joins no group and commits nothing
    "enable.auto.commit": False,
    "auto.offset.reset": "error",
    "enable.partition.eof": True,  # says where a partition ends when its last offsets hold no message
    "fetch.wait.max.ms": 20,
    "fetch.queue.backoff.ms": 5,
    "queued.max.messages.kbytes": 100_000,
}


class Entry(NamedTuple):
    """One message of the log; ``timestamp_ms`` is Kafka's, milliseconds since 1970 UTC."""

    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: dict[str, bytes]


def bounds(kafka_client: Mapping[str, Any], topic: str) -> dict[int, tuple[int, int]]:
    """Of each partition the first offset it still holds and the offset after its last, as of now.

    Raises LookupError where the topic does not exist, ConnectionError where Kafka does not answer.
    """
    consumer = Consumer({**kafka_client, **_READER})
    try:
        return _bounds(consumer, topic)
    finally:
        consumer.close()


def offsets_at(kafka_client: Mapping[str, Any], topic: str, time_ms: int) -> dict[int, int]:
    """Of each partition the first offset whose message is not older than ``time_ms`` (ms since 1970 UTC)."""
    consumer = Consumer({**kafka_client, **_READER})
    try:
        limits = _bounds(consumer, topic)
        asked = [TopicPartition(topic, partition, time_ms) for partition in limits]
        found = consumer.offsets_for_times(asked, timeout=TIMEOUT_S)
        return {p.partition: p.offset if p.offset >= 0 else limits[p.partition][1] for p in found}
    finally:
        consumer.close()


def read(
    kafka_client: Mapping[str, Any],
    topic: str,
    start: Mapping[int, int] | None = None,
    end: Mapping[int, int] | None = None,
    *,
    missing_ok: bool = False,
) -> Iterator[Entry]:
    """Yield the messages of ``topic`` with ``start <= offset < end``, in order of offset within a partition.

    ``kafka_client`` holds librdkafka's connection properties. ``start`` and ``end`` map a partition to an offset;
    a partition that ``start`` leaves out is read from its first offset, one that ``end`` leaves out to the end it has
    as the call begins. Offsets that hold no message (transaction markers, compaction) are passed over. Raises
    LookupError where the topic does not exist (unless ``missing_ok``: then nothing is yielded), ConnectionError
    where Kafka does not answer, KafkaException where it refuses, TimeoutError where it falls silent.
    """
    for batch in read_batches(kafka_client, topic, start, end, missing_ok=missing_ok):
        message: Any
        for message in batch:
            yield Entry(
                message.partition(),
                message.offset(),
                message.timestamp()[1],
                message.key(),
                message.value(),
                dict(message.headers() or ()),
            )


def read_slice(kafka_client: Mapping[str, Any], topic: str, partition: int, start: int, end: int) -> Iterator[Entry]:
    """The messages that one partition still has with ``start <= offset < end``; none where the topic is gone."""
    client = {**kafka_client, "fetch.message.max.bytes": 65_536}  # at least one message comes, however long
    try:
        others = [number for number in bounds(client, topic) if number != partition]
    except LookupError:
        return
    yield from read(client, topic, {partition: start}, {partition: end, **dict.fromkeys(others, 0)})


def read_batches(
    kafka_client: Mapping[str, Any],
    topic: str,
    start: Mapping[int, int] | None = None,
    end: Mapping[int, int] | None = None,
    *,
    missing_ok: bool = False,
    batch_size: int = 10_000,
) -> Iterator[list[Message]]:
    """As :func:`read`, in lists of librdkafka's messages: for those who look at many and need little of each."""
    consumer = Consumer({**kafka_client, **_READER})
    try:
        try:
            limits = _bounds(consumer, topic)
        except LookupError:
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
    consumer: Consumer, topic: str, ranges: Mapping[int, tuple[int, int]], batch_size: int = 10_000
) -> Iterator[list[Message]]:
    """Yield the messages of ``[first, end)`` of each partition with a consumer that :data:`_READER` configures.

    It goes by position: a partition is done when a message at or past its last offset comes, or its end is reported.
    """
    at = {partition: first for partition, (first, _) in ranges.items()}
    consumer.assign([TopicPartition(topic, partition, first) for partition, first in at.items()])
    deadline = time.monotonic() + TIMEOUT_S
    while at:
        left = sum(ranges[partition][1] - offset for partition, offset in at.items())
        arrived = consumer.consume(min(batch_size, left), timeout=0.2)
        if arrived:
            deadline = time.monotonic() + TIMEOUT_S
        elif time.monotonic() > deadline:
            raise TimeoutError(f"{topic}: Kafka gave nothing for {TIMEOUT_S:.0f} s, partitions at offsets {at}")
        batch = [message for message in arrived if _advance(message, at, ranges)]
        if batch:
            yield batch
    consumer.unassign()


def reader(kafka_client: Mapping[str, Any], **properties: Any) -> Consumer:
    """A consumer for :func:`read_ranges`; the caller closes it."""
    return Consumer({**kafka_client, **_READER, **properties})


def _advance(message: Any, at: dict[int, int], ranges: Mapping[int, tuple[int, int]]) -> bool:
    """Move the position of the message's partition; True where the message itself lies in its range."""
    error = message.error()
    if error is not None and error.code() != KafkaError._PARTITION_EOF:
        raise KafkaException(error)
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


def _bounds(consumer: Consumer, topic: str) -> dict[int, tuple[int, int]]:
    try:
        known = consumer.list_topics(topic, timeout=TIMEOUT_S).topics.get(topic)
        if known is None or known.error is not None:
            raise LookupError(f"Kafka has no topic {topic}: {known.error.str() if known else 'it is not listed'}")
        return {
            partition: _watermarks(consumer, TopicPartition(topic, partition)) for partition in sorted(known.partitions)
        }
    except KafkaException as error:
        raise ConnectionError(f"Kafka does not answer for topic {topic}: {error.args[0].str()}") from error


def _watermarks(consumer: Consumer, place: TopicPartition) -> tuple[int, int]:
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
