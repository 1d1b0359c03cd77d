"""The worker's Kafka consumer: exactly the messages of the ranges a task was given.

One consumer lives as long as its worker process; each task adds its partitions to it and takes them away again,
because assigning anew, pausing or seeking costs up to a second.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from broker.stream.input_topics import PASSING, PATIENCE_S, patiently
from broker.stream.offsets import Range

CONSUME_TIMEOUT_S = 0.1
"""``consume(n)`` waits this long for all n."""

CONSUMER_PROPERTIES = {
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "auto.offset.reset": "error",  # an offset that is gone is told, never skipped
    "isolation.level": "read_committed",
    "enable.partition.eof": True,  # tells that a range's end holds no message
    "fetch.wait.max.ms": 20,  # a task never waits for messages yet to come, only for that end
    "fetch.queue.backoff.ms": 5,  # the default sleeps a second when the queue is full
    "allow.auto.create.topics": False,
}

log = logging.getLogger(__name__)


class LostOffsets(RuntimeError):
    """Offsets that should be read are no longer in Kafka."""


@dataclass(slots=True)
class Messages:
    """Messages as columns, in the order they came; ``time_ms`` is Kafka's timestamp, milliseconds since 1970 UTC."""

    topic: list[str] = field(default_factory=list)
    partition: list[int] = field(default_factory=list)
    offset: list[int] = field(default_factory=list)
    time_ms: list[int] = field(default_factory=list)
    value: list[bytes] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.value)

    def select(self, which: Sequence[int]) -> Messages:
        """The chosen messages, by their places here."""
        columns = (self.topic, self.partition, self.offset, self.time_ms, self.value)
        return Messages(*([column[i] for i in which] for column in columns))  # type: ignore[arg-type]

    def add(self, message: Any) -> None:
        """Append a message of Kafka's; one without a value counts as empty."""
        self.topic.append(message.topic())
        self.partition.append(message.partition())
        self.offset.append(message.offset())
        self.time_ms.append(message.timestamp()[1])
        self.value.append(message.value() or b"")


@dataclass(slots=True)
class _Place:
    """How far a range has been read."""

    next: int
    end: int


class Fetcher:
    """Reads ranges of offsets. ``properties``: librdkafka's connection; ``group``: its group id (nothing is committed).

    ``lost_offsets``: "stop" raises LostOffsets where retention has deleted what should be read; "dead-letter"
    hands the deleted range out as a Range instead, and goes on behind it.
    """

    def __init__(
        self, properties: dict[str, str], group: str, *, lost_offsets: str = "stop", patience_s: float = PATIENCE_S
    ) -> None:
        self._consumer = Consumer({**properties, **CONSUMER_PROPERTIES, "group.id": group, "logger": log})
        self.lost_offsets = lost_offsets
        self._patience_s = patience_s
        self._places: dict[tuple[str, int], _Place] = {}

    def close(self) -> None:
        """Leave Kafka."""
        self._consumer.close()

    def fetch(self, ranges: Sequence[Range], chunk: int) -> Iterator[Messages | Range]:
        """The messages of ``ranges`` (at most one of each partition) in chunks; ranges that are lost come as a Range.

        Ends when every range is passed: by position, so offsets that hold no message are not waited for.
        Raises LostOffsets, and KafkaException where Kafka refuses or stays away; then the Fetcher must be closed.
        """
        self._places = {(part.topic, part.partition): _Place(part.start, part.end) for part in ranges}
        self._consumer.incremental_assign([TopicPartition(part.topic, part.partition, part.start) for part in ranges])
        messages, deadline = Messages(), time.monotonic() + self._patience_s
        while self._places:
            left = sum(place.end - place.next for place in self._places.values())
            came = self._consumer.consume(min(chunk - len(messages), left), CONSUME_TIMEOUT_S)
            before = self._position()
            for message in came:
                lost = self._take(message, messages)
                if lost:
                    yield lost
            if len(messages) >= chunk:
                yield messages
                messages = Messages()
            if self._position() != before:
                deadline = time.monotonic() + self._patience_s
            elif time.monotonic() > deadline:
                raise self._stalled()
        if len(messages):
            yield messages

    def _position(self) -> tuple[int, int]:
        return len(self._places), sum(place.next for place in self._places.values())

    def _take(self, message: Any, messages: Messages) -> Range | None:
        error = message.error()
        key = (message.topic(), message.partition())
        place = self._places.get(key)
        if error is not None:
            return self._take_error(error, message, place)
        if place is None or message.offset() < place.next:  # fetched ahead, past the range's end
            return None
        if message.offset() < place.end:
            messages.add(message)
        self._move(key, place, message.offset() + 1)
        return None

    def _take_error(self, error: KafkaError, message: Any, place: _Place | None) -> Range | None:
        key = (message.topic(), message.partition())
        if error.code() in PASSING or (place is None and message.topic() is not None):
            return None
        if place is not None and error.code() == KafkaError._PARTITION_EOF:
            if message.offset() >= place.end:
                self._move(key, place, place.end)
            return None
        if place is not None and error.code() in (KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE):
            return self._skip_lost(key, place)
        where = f"topic {key[0]} partition {key[1]}: " if place is not None else ""
        raise RuntimeError(f"Kafka refuses to be read: {where}{error.str()}")

    def _move(self, key: tuple[str, int], place: _Place, to: int) -> None:
        place.next = min(to, place.end)
        if place.next == place.end:
            del self._places[key]
            self._consumer.incremental_unassign([TopicPartition(*key)])

    def _skip_lost(self, key: tuple[str, int], place: _Place) -> Range:
        low, high = patiently(
            lambda: self._consumer.get_watermark_offsets(TopicPartition(*key), timeout=10), self._patience_s
        )
        lost = Range(*key, place.next, min(max(low, place.next), place.end))
        if not len(lost):
            raise LostOffsets(
                f"{Range(*key, place.next, place.end)}: Kafka has only offsets {low} to {high - 1}; messages it had "
                "confirmed are gone, or the topic was made anew; to start over, move the checkpoint folder aside"
            )
        if self.lost_offsets == "stop":
            raise LostOffsets(
                f"{lost}: {len(lost)} offsets were deleted by retention before they were read (first kept: {low}); "
                "to go on without them, each lost range named as a dead letter, run with --lost-offsets dead-letter; "
                "and give the topic a longer retention.ms"
            )
        self._consumer.incremental_unassign([TopicPartition(*key)])
        place.next = lost.end
        if place.next == place.end:
            del self._places[key]
        else:
            self._consumer.incremental_assign([TopicPartition(*key, place.next)])
        return lost

    def _stalled(self) -> KafkaException:
        waiting = "; ".join(str(Range(*key, place.next, place.end)) for key, place in self._places.items())
        return KafkaException(
            KafkaError(KafkaError._TIMED_OUT, f"Kafka gave nothing for {self._patience_s:.0f} s, waiting for {waiting}")
        )
