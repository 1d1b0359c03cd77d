"""The packet of a classified alert, read again from Kafka where it lies."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from confluent_kafka import KafkaError, TopicPartition

from broker.kafka import clients
from broker.kafka.clients import KafkaConsumer
from broker.kafka.errors import NoSuchTopic, PacketGone
from broker.settings import Settings
from schemas import packets
from schemas.light_curves import LightCurves

TIMEOUT_S = 10.0


def packet_at(settings: Settings, topic: str, partition: int, offset: int, *, timeout_s: float = TIMEOUT_S) -> bytes:
    """The bytes of one message.

    Raises PacketGone where retention removed it, LookupError where no such topic, partition or offset exists, and
    KafkaFailure where Kafka does not give it within ``timeout_s``.
    """
    deadline = time.monotonic() + timeout_s
    consumer = clients.packet_reader(settings)
    try:
        with consumer.translating(topic):
            _require_kept(consumer, TopicPartition(topic, partition, offset), timeout_s)
            consumer.assign([TopicPartition(topic, partition, offset)])
            while time.monotonic() < deadline:
                message = consumer.poll(min(0.2, max(0.0, deadline - time.monotonic())))
                if message is not None:
                    return _value(consumer, message, topic, partition, offset)
        raise consumer.silence(timeout_s, f"{topic}:{partition}:{offset}")
    finally:
        consumer.close()


def light_curve_of(settings: Settings, record: Mapping[str, Any], *, timeout_s: float = TIMEOUT_S) -> LightCurves:
    """The light curve (one alert) that a classification, request or label rests on.

    Raises as :func:`packet_at`, and ValueError where the packet can no longer be read.
    """
    topic, partition, offset = record["input_topic"], record["input_partition"], record["input_offset"]
    message = packet_at(settings, topic, partition, offset, timeout_s=timeout_s)
    light_curves, refused = packets.read([message], topic)
    of_alert = light_curves.select(light_curves.alert_id == record["alert_id"])
    if len(of_alert):
        return of_alert.select([0])
    why = refused[0].reason if refused else f"it holds no alert {record['alert_id']}"
    raise ValueError(f"the packet at {topic}:{partition}:{offset} cannot be read: {why}")


def _require_kept(consumer: KafkaConsumer, at: TopicPartition, timeout_s: float) -> None:
    described = consumer.list_topics(at.topic, timeout=timeout_s).topics.get(at.topic)
    if described is None or described.error is not None or at.partition not in described.partitions:
        raise NoSuchTopic(f"Kafka has no partition {at.partition} of a topic {at.topic}")
    low, high = consumer.get_watermark_offsets(at, timeout=timeout_s)
    if at.offset < low:
        raise _gone(at.topic, at.partition, at.offset, low)
    if at.offset >= high:
        raise LookupError(f"{at.topic}:{at.partition} ends before offset {high}, there is no {at.offset}")


def _value(consumer: KafkaConsumer, message: Any, topic: str, partition: int, offset: int) -> bytes:
    error = message.error()
    if error is not None and error.code() == KafkaError._AUTO_OFFSET_RESET:
        raise _gone(topic, partition, offset, None)
    if error is not None:
        raise consumer.failure(error, topic)
    if message.offset() != offset:
        raise _gone(topic, partition, offset, message.offset())
    return message.value() or b""


def _gone(topic: str, partition: int, offset: int, first: int | None) -> PacketGone:
    starts = f"; it now starts at {first}" if first is not None else ""
    return PacketGone(
        f"the packet at {topic}:{partition}:{offset} is no longer in Kafka, retention has removed it{starts}: "
        "ask for a newer alert of the object, or lengthen the topic's retention.ms"
    )
