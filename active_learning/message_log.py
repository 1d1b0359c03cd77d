"""Our own messages in append-only Kafka topics: stored when Kafka has acknowledged them, read back in their order."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, NamedTuple

from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient, NewTopic

from active_learning import topic_log
from schemas import messages

TIMEOUT_S = 15.0
"""Longest wait for Kafka's acknowledgement, seconds."""

_KEPT_FOR_EVER = {"retention.ms": "-1", "retention.bytes": "-1", "cleanup.policy": "delete"}


class NotSaved(OSError):
    """Kafka did not acknowledge a message: it must be taken as lost."""


class Stored(NamedTuple):
    """A message of the log and where it lies."""

    partition: int
    offset: int
    record: dict[str, Any]


class MessageLog:
    """One topic of one kind of message, kept for ever; messages of an object share a partition, and so their order."""

    def __init__(self, kafka_client: Mapping[str, Any], topic: str, kind: str, *, timeout_s: float = TIMEOUT_S) -> None:
        """``kafka_client``: librdkafka's connection properties; nothing is connected before the first call."""
        self.topic, self.kind, self.timeout_s = topic, kind, timeout_s
        self._client = dict(kafka_client)
        self._producer: Producer | None = None
        self._connecting = threading.Lock()

    def append(self, records: Sequence[dict[str, Any]]) -> list[tuple[int, int]]:
        """Store records; returns partition and offset of each, once all in-sync replicas have every one.

        Raises NotSaved where any was not acknowledged within ``timeout_s``, ValueError where one is not of this kind.
        """
        encoded = [(str(record["object_id"]), messages.encode(self.kind, record)) for record in records]
        if not encoded:
            return []
        producer = self._connected()
        outcomes: list[tuple[int, int] | KafkaError | None] = [None] * len(encoded)
        for number, (key, value) in enumerate(encoded):
            producer.produce(self.topic, value, key=key, on_delivery=_note(outcomes, number))
        deadline = time.monotonic() + self.timeout_s + 1
        while any(outcome is None for outcome in outcomes) and time.monotonic() < deadline:
            producer.poll(0.05)
        return [self._acknowledged(outcome) for outcome in outcomes]

    def read(self) -> list[Stored]:
        """Every message up to now, in order of offset within a partition; none where the topic does not exist yet.

        Messages that are not of this kind are passed over with a warning. Raises KafkaException, TimeoutError.
        """
        entries = topic_log.read(self._client, self.topic, missing_ok=True)
        found = (self.decoded(entry.partition, entry.offset, entry.value) for entry in entries)
        return [stored for stored in found if stored is not None]

    def decoded(self, partition: int, offset: int, value: bytes | None) -> Stored | None:
        """A message as read from the topic; None, with a warning in the log, where it is not of this kind."""
        try:
            kind, record = messages.decode(value or b"")
        except ValueError as error:
            logging.getLogger(__name__).warning("%s:%d:%d is passed over: %s", self.topic, partition, offset, error)
            return None
        if kind != self.kind:
            logging.getLogger(__name__).warning("%s:%d:%d is passed over: a %s", self.topic, partition, offset, kind)
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
        """Make the topic, kept for ever, if it is missing. Raises NotSaved where Kafka does not answer."""
        try:
            _create_if_missing(self._client, self.topic, self.timeout_s)
        except KafkaException as error:
            raise NotSaved(self._not_saved(error.args[0])) from error

    def _connected(self) -> Producer:
        with self._connecting:
            if self._producer is None:
                self.create()
                self._producer = Producer(
                    {
                        "log_level": 3,
                        **self._client,
                        "acks": "all",
                        "enable.idempotence": True,
                        "delivery.timeout.ms": round(self.timeout_s * 1000),
                        "linger.ms": 0,
                    }
                )
            return self._producer

    def _acknowledged(self, outcome: tuple[int, int] | KafkaError | None) -> tuple[int, int]:
        if isinstance(outcome, tuple):
            return outcome
        raise NotSaved(self._not_saved(outcome))

    def _not_saved(self, error: KafkaError | None) -> str:
        cause = error.str() if error is not None else "no answer"
        return (
            f"the {self.kind} is NOT saved: Kafka did not acknowledge it in {self.topic} within {self.timeout_s:.0f} s "
            f"({cause}); see that Kafka runs (`gueststar status`), then try again"
        )


def _note(outcomes: list[tuple[int, int] | KafkaError | None], number: int) -> Any:
    def on_delivery(error: KafkaError | None, message: Any) -> None:
        if error is None and message.offset() is None:  # "stored" without a place is no acknowledgement
            error = KafkaError(KafkaError._NO_OFFSET)
        outcomes[number] = error if error is not None else (message.partition(), message.offset())

    return on_delivery


def _create_if_missing(kafka_client: Mapping[str, Any], topic: str, timeout_s: float) -> None:
    """A topic that Kafka would make by itself would forget its messages after a week."""
    admin = AdminClient(dict(kafka_client))
    if topic in admin.list_topics(timeout=timeout_s).topics:
        return
    new = NewTopic(topic, num_partitions=1, replication_factor=-1, config=_KEPT_FOR_EVER)
    try:
        admin.create_topics([new], operation_timeout=timeout_s)[topic].result(timeout_s)
    except KafkaException as refusal:
        if refusal.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
            raise
