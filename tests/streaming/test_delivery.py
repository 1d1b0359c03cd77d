"""Delivery to a real Kafka: what is reported as delivered is there."""

from __future__ import annotations

import uuid

import pytest

from active_learning import topic_log
from broker.delivery import KafkaWriter
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
        stored = [entry.key for entry in topic_log.read(services.kafka_client(), topic)]
        assert set(stored) == set(keys)
