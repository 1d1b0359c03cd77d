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

from confluent_kafka import KafkaError, TopicPartition

from broker.kafka import clients
from broker.kafka.errors import PASSING, PATIENCE_S, LostOffsets, Unreachable, patiently
from broker.kafka.ranges import Range
from broker.settings import Settings

CONSUME_TIMEOUT_S = 0.1
"""``consume(n)`` waits this long for all n."""

log = logging.getLogger(__name__)


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

    def select(self, places: Sequence[int]) -> Messages:
        """The chosen messages, by their places here."""
        columns = (self.topic, self.partition, self.offset, self.time_ms, self.value)
        return Messages(*([column[i] for i in places] for column in columns))  # type: ignore[arg-type]

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
    """Reads ranges of offsets; joins no group and commits nothing.

    The setting ``lost_offsets``: "stop" raises LostOffsets where retention has deleted what should be read;
    "dead-letter" hands the deleted range out as a Range instead, and goes on behind it.
    """

    def __init__(self, settings: Settings, *, patience_s: float = PATIENCE_S) -> None:
        self._consumer = clients.stream_reader(settings, log)
        self.lost_offsets = settings.lost_offsets
        self._patience_s = patience_s
        self._places: dict[tuple[str, int], _Place] = {}

    def close(self) -> None:
        """Leave Kafka."""
        self._consumer.close()

    def fetch(self, ranges: Sequence[Range], chunk: int) -> Iterator[Messages | Range]:
        """The messages of ``ranges`` (at most one of each partition) in chunks; ranges that are lost come as a Range.

        Ends when every range is passed: by position, so offsets that hold no message are not waited for.
        Raises LostOffsets, and KafkaFailure where Kafka refuses or stays away; then the Fetcher must be closed.
        """
        self._places = {(part.topic, part.partition): _Place(part.start, part.end) for part in ranges}
        with self._consumer.translating():
            places = [TopicPartition(part.topic, part.partition, part.start) for part in ranges]
            self._consumer.incremental_assign(places)
        messages, deadline = Messages(), time.monotonic() + self._patience_s
        while self._places:
            left = sum(place.end - place.next for place in self._places.values())
            with self._consumer.translating():
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
        raise self._consumer.failure(error, f"{key[0]} partition {key[1]}" if place is not None else "")

    def _move(self, key: tuple[str, int], place: _Place, to: int) -> None:
        place.next = min(to, place.end)
        if place.next == place.end:
            del self._places[key]
            self._consumer.incremental_unassign([TopicPartition(*key)])

    def _skip_lost(self, key: tuple[str, int], place: _Place) -> Range:
        low, high = patiently(lambda: self._limits(key), self._patience_s)
        lost = Range(*key, place.next, min(max(low, place.next), place.end))
        if not len(lost):
            raise LostOffsets(
                f"{Range(*key, place.next, place.end)}: Kafka has only offsets {low} to {high - 1}; messages it had "
                "confirmed are gone, or the topic was created again; to start over, move the checkpoint folder aside"
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

    def _limits(self, key: tuple[str, int]) -> tuple[int, int]:
        with self._consumer.translating(key[0]):
            low, high = self._consumer.get_watermark_offsets(TopicPartition(*key), timeout=10)
            return low, high

    def _stalled(self) -> Unreachable:
        waiting = "; ".join(str(Range(*key, place.next, place.end)) for key, place in self._places.items())
        return self._consumer.silence(self._patience_s, waiting)
