"""Delivery to a real Kafka: what is reported as delivered is there."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from confluent_kafka import KafkaError

from broker.kafka import reading
from broker.kafka.writing import Headers, KafkaWriter
from broker.settings import Settings

pytestmark = pytest.mark.services

FRESH_TOPICS = 12
MESSAGES = 25


def test_topics_made_a_moment_ago_lose_nothing(services: Settings) -> None:
    """librdkafka may call a message stored that a topic's new leader never saw: it comes without an offset."""
    for _ in range(FRESH_TOPICS):
        topic = f"fresh-{uuid.uuid4().hex[:8]}"
        writer = KafkaWriter(services)
        keys = [str(10 * number + 1).encode() for number in range(MESSAGES)]
        for key in keys:
            writer.send(topic, key, b"v" * 900, [])
            writer.serve(0.005)
        assert writer.finish() == []
        stored = [entry.key for entry in reading.read(services, topic)]
        assert set(stored) == set(keys)


class WithoutOffset:
    """A delivery report that says stored, but not where."""

    def __init__(self, message: Any) -> None:
        self._message = message

    def offset(self) -> None:
        return None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._message, name)


def test_what_is_sent_again_is_the_whole_message(services: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its headers too: without them the audit does not know whose it is."""
    topic, real_note = f"fresh-{uuid.uuid4().hex[:8]}", KafkaWriter._note
    seen: list[bytes] = []

    def note(self: KafkaWriter, headers: Headers, error: KafkaError | None, message: Any) -> None:
        first = message.key() not in seen
        seen.append(message.key())
        real_note(self, headers, error, WithoutOffset(message) if first else message)

    monkeypatch.setattr(KafkaWriter, "_note", note)
    writer = KafkaWriter(services)
    for number in range(5):
        writer.send(topic, str(number).encode(), b"v", [("input", f"alerts:0:{number}".encode())])
    assert writer.finish() == []
    stored = [(entry.key, entry.headers) for entry in reading.read(services, topic)]
    assert len(stored) == 10
    assert all(headers == {"input": b"alerts:0:" + key} for key, headers in stored if key is not None)
