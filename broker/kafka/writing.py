"""Messages to Kafka, of one task: each is acknowledged by all in-sync replicas, or named with the reason."""

from __future__ import annotations

import logging
import time
from functools import partial
from typing import Any, NamedTuple

from confluent_kafka import KafkaError, KafkaException

from broker.kafka import clients, topics
from broker.kafka.clients import DELIVERY_TIMEOUT_MS
from broker.kafka.errors import KafkaFailure, UndeliveredError
from broker.settings import Settings

Headers = list[tuple[str, str | bytes | None]]

KEY_HEADER = "gueststar-key"
"""On every output: its key once more."""

INPUT_HEADER = "input"
"""On every output: the input message it came from, ``topic:partition:offset``."""

ROW_FAULTS = frozenset({KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.INVALID_MSG, KafkaError.INVALID_MSG_SIZE, 87})
"""Refusals that are about the message itself (87 is INVALID_RECORD); all others are about Kafka."""

UNPROVEN_ATTEMPTS = 5

NO_OFFSET = KafkaError(KafkaError._NO_OFFSET)

log = logging.getLogger(__name__)


class RefusedMessage(NamedTuple):
    """A message that Kafka did not take."""

    topic: str
    key: bytes | None
    value: bytes
    headers: Headers
    error: KafkaError


class KafkaWriter:
    """A producer that lives as long as its worker; each task calls :meth:`send` often and :meth:`finish` once."""

    def __init__(self, settings: Settings, **properties: Any) -> None:
        self._settings = settings
        self._existing: set[str] = set()
        self._refused: list[RefusedMessage] = []
        self._unproven: list[RefusedMessage] = []
        self._producer = clients.stream_producer(settings, 2 * topics.dead_letter_limit_bytes(settings), **properties)

    def send(self, topic: str, key: bytes | None, value: bytes, headers: Headers) -> None:
        """Hand a message over; what becomes of it :meth:`finish` tells."""
        if topic not in self._existing:
            self._make(topic)
        while True:
            try:
                self._producer.produce(topic, value, key, headers=headers, on_delivery=partial(self._note, headers))
                break
            except BufferError:
                self._producer.poll(0.05)
            except KafkaException as refusal:
                self._refused.append(RefusedMessage(topic, key, value, headers, refusal.args[0]))
                break

    def serve(self, for_s: float = 0.0) -> None:
        """Let librdkafka report what it has, for a pause of ``for_s`` seconds; to be called now and then."""
        end = time.monotonic() + for_s
        self._producer.poll(0)
        while (left := end - time.monotonic()) > 0:
            self._producer.poll(left)

    def finish(self) -> list[RefusedMessage]:
        """Wait until every message is acknowledged; returns those that Kafka refuses for what they are.

        A refusal can strike the neighbours in the same batch: each refused message is sent once more, alone.
        Raises UndeliveredError with topic and reason where Kafka itself is at fault.
        """
        self._flush()
        again, self._refused = self._refused, []
        for message in again:
            self.send(message.topic, message.key, message.value, message.headers)
            self._flush()
        self._send_unproven()
        refused, self._refused = self._refused, []
        return refused

    def _send_unproven(self) -> None:
        """Send again what is said to be stored, but nobody says where.

        librdkafka calls a message stored, without an offset, when the broker takes it for a repeat. On a topic that
        was made a moment ago that happens to messages that the broker does not have: they would be lost. Sent once
        more they may stand twice, under the same key.
        """
        for _ in range(UNPROVEN_ATTEMPTS):
            again, self._unproven = self._unproven, []
            for message in again:
                self.send(message.topic, message.key, message.value, message.headers)
            if again:
                self._flush()
        if self._unproven:
            first = self._unproven[0]
            raise UndeliveredError(
                f"{len(self._unproven)} messages not proven to be delivered, first to topic {first.topic}: Kafka "
                "acknowledges them without an offset; the batch will be done again"
            )

    def _flush(self) -> None:
        left = self._producer.flush(DELIVERY_TIMEOUT_MS / 1000 + 10)
        faults = [message for message in self._refused if message.error.code() not in ROW_FAULTS]
        if left and not faults:
            raise UndeliveredError(f"{left} messages were neither acknowledged nor refused by Kafka in time")
        if faults:
            first = faults[0]
            raise UndeliveredError(
                f"{len(faults) + left} messages not delivered, first to topic {first.topic}: {first.error.str()} "
                f"({first.error.name()}); the batch will be done again"
            )

    def _note(self, headers: Headers, error: KafkaError | None, message: Any) -> None:
        # the report's message has no headers: they come from where it was sent
        if error is None and message.offset() is not None and message.offset() >= 0:
            return
        unsent = RefusedMessage(message.topic(), message.key(), message.value(), headers, error or NO_OFFSET)
        (self._unproven if error is None else self._refused).append(unsent)

    def _make(self, topic: str) -> None:
        try:
            if not self._existing:  # asked once, not topic by topic: each question takes a tenth of a second
                self._existing = topics.existing(self._settings)
            made = [] if topic in self._existing else topics.create(self._settings, [topic])
        except KafkaFailure as refusal:
            raise UndeliveredError(f"the topic {topic!r} can't be made: {refusal}") from refusal
        if made:
            log.info("made the topic %s", topic)
        self._existing.add(topic)
