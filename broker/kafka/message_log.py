"""Our own messages in append-only Kafka topics: stored when Kafka has acknowledged them, read back in their order."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Any

from confluent_kafka import KafkaError

from active_learning.logs import Stored
from broker.kafka import clients, reading, topics
from broker.kafka.clients import KafkaProducer
from broker.kafka.errors import KafkaFailure, NotStored
from broker.settings import Settings
from schemas import messages

TIMEOUT_S = 15.0
"""Longest wait for Kafka's acknowledgement, seconds."""

log = logging.getLogger(__name__)


def requests_log(settings: Settings, *, timeout_s: float = TIMEOUT_S) -> MessageLog:
    """What is asked of the telescopes."""
    return MessageLog(settings, topics.requests(settings), "request", timeout_s=timeout_s)


def labels_log(settings: Settings, *, timeout_s: float = TIMEOUT_S) -> MessageLog:
    """What people answered."""
    return MessageLog(settings, topics.labels(settings), "label", timeout_s=timeout_s)


def votes_log(settings: Settings, *, timeout_s: float = TIMEOUT_S) -> MessageLog:
    """What people think of novel and strange objects."""
    return MessageLog(settings, topics.votes(settings), "vote", timeout_s=timeout_s)


def novel_log(settings: Settings, *, timeout_s: float = TIMEOUT_S) -> MessageLog:
    """The objects that the nights' selections took for ones of no known class."""
    return MessageLog(settings, topics.novel(settings), "novel", timeout_s=timeout_s)


def strange_log(settings: Settings) -> MessageLog:
    """The strangest alerts of each batch."""
    return MessageLog(settings, topics.strange(settings), "classification")


def selections_log(settings: Settings, *, timeout_s: float = TIMEOUT_S) -> MessageLog:
    """What each night's selection took and rests on."""
    return MessageLog(settings, topics.selections(settings), "selection", timeout_s=timeout_s)


class MessageLog:
    """One topic of one kind of message, kept for ever, in the order in which the messages came."""

    def __init__(self, settings: Settings, topic: str, kind: str, *, timeout_s: float = TIMEOUT_S) -> None:
        """Nothing is connected before the first call."""
        self.topic, self.kind, self.timeout_s = topic, kind, timeout_s
        self._settings = settings
        self._producer: KafkaProducer | None = None
        self._connecting = threading.Lock()

    def append(self, records: Sequence[dict[str, Any]]) -> list[tuple[int, int]]:
        """Store records; returns partition and offset of each, once all in-sync replicas have every one.

        Raises NotStored where any was not acknowledged within ``timeout_s``, ValueError where one is not of this kind.
        """
        key = "object_id" if "object_id" in messages.newest_schema(self.kind).fields else "night"
        encoded = [(str(record.get(key, "")), messages.encode(self.kind, record)) for record in records]
        if not encoded:
            return []
        outcomes: list[tuple[int, int] | KafkaError | None] = [None] * len(encoded)
        try:
            producer = self._connected()
            with producer.translating(self.topic):
                for number, (message_key, value) in enumerate(encoded):
                    producer.produce(self.topic, value, key=message_key, on_delivery=_note(outcomes, number))
        except KafkaFailure as error:
            raise NotStored(f"the {self.kind} is NOT saved: {error}") from error
        deadline = time.monotonic() + self.timeout_s + 1
        while any(outcome is None for outcome in outcomes) and time.monotonic() < deadline:
            producer.poll(0.05)
        try:
            return [self._acknowledged(outcome) for outcome in outcomes]
        except NotStored:
            self.close()  # what is on its way goes with it; the next record finds Kafka anew, also at another address
            raise

    def read(self) -> list[Stored]:
        """Every message up to now, in order of offset within a partition; none where the topic does not exist yet.

        Messages that are not of this kind are passed over with a warning. Raises KafkaFailure.
        """
        entries = reading.read(self._settings, self.topic, missing_ok=True)
        decoded = (self.decoded(entry.partition, entry.offset, entry.value) for entry in entries)
        return [stored for stored in decoded if stored is not None]

    def decoded(self, partition: int, offset: int, value: bytes | None) -> Stored | None:
        """A message as read from the topic; None, with a warning in the log, where it is not of this kind."""
        try:
            kind, record = messages.decode(value or b"")
        except ValueError as error:
            log.warning("%s:%d:%d is passed over: %s", self.topic, partition, offset, error)
            return None
        if kind != self.kind:
            log.warning("%s:%d:%d is passed over: a %s", self.topic, partition, offset, kind)
            return None
        return Stored(partition, offset, record)

    def close(self) -> None:
        """End the connection."""
        if self._producer is not None:
            self._producer = None

    def __enter__(self) -> MessageLog:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def create(self) -> None:
        """Make the topic, kept for ever, if it is missing. Raises KafkaFailure.

        A topic that Kafka would make by itself would forget its messages after a week.
        """
        topics.create(self._settings, [self.topic], timeout_s=self.timeout_s)

    def _connected(self) -> KafkaProducer:
        with self._connecting:
            if self._producer is None:
                self.create()
                self._producer = clients.log_producer(self._settings, self.timeout_s)
            return self._producer

    def _acknowledged(self, outcome: tuple[int, int] | KafkaError | None) -> tuple[int, int]:
        if isinstance(outcome, tuple):
            return outcome
        cause = outcome.str() if outcome is not None else "no answer"
        raise NotStored(
            f"the {self.kind} is NOT saved: Kafka did not acknowledge it in {self.topic} within {self.timeout_s:.0f} s "
            f"({cause}); see that Kafka runs (`gueststar status`), then try again"
        )


def _note(outcomes: list[tuple[int, int] | KafkaError | None], number: int) -> Any:
    def on_delivery(error: KafkaError | None, message: Any) -> None:
        if error is None and message.offset() is None:  # "stored" without a place is no acknowledgement
            error = KafkaError(KafkaError._NO_OFFSET)
        outcomes[number] = error if error is not None else (message.partition(), message.offset())

    return on_delivery
