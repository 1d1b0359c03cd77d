"""Alert files to Kafka, in the order in which the alerts were made."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from broker.kafka import topics
from broker.kafka.errors import UndeliveredError
from broker.kafka.writing import KafkaWriter
from broker.settings import Settings
from schemas import packets
from schemas.files import PassOver

PARTITIONS = 4
"""Of an input topic that does not exist yet."""

_PACKETS_READ_TOGETHER = 500


class Message(NamedTuple):
    """A wire message or container, with the time of its first alert (MJD TAI; infinite where unknown) and its key."""

    value: bytes
    time_mjd: float
    key: bytes | None


class Sent(NamedTuple):
    """``alerts`` counts messages that Kafka acknowledged; ``bytes`` their length; ``seconds`` how long it took."""

    alerts: int
    bytes: int
    seconds: float


def read(paths: Iterable[Path], pass_over: PassOver = lambda error: None) -> list[Message]:
    """The messages of files, in time order; what can't be read as an alert comes last, and is kept.

    Files that are something else than alerts are passed over in folders and archives, and refused where they are named,
    as ``schemas.packets.read_files`` does, which also raises OSError and ValueError. ValueError where there is no
    message at all.
    """
    wire, _ = packets.read_files(paths, pass_over)
    if not wire:
        raise ValueError(
            "no alert in these files: give wire messages, Avro containers, Parquet tables, or folders of them"
        )
    return in_time_order(wire)


def in_time_order(wire: list[bytes]) -> list[Message]:
    """Messages sorted by the time of their first alert; equal times keep the order they had."""
    times = np.full(len(wire), np.inf)
    keys: list[bytes | None] = [None] * len(wire)
    for start in range(0, len(wire), _PACKETS_READ_TOGETHER):
        light_curves, _ = packets.read(wire[start : start + _PACKETS_READ_TOGETHER])
        index = light_curves.packet_index + start
        np.minimum.at(times, index, light_curves.alert_mjd)
        for i, object_id in zip(index.tolist(), light_curves.object_id.tolist(), strict=True):
            keys[i] = keys[i] or (str(object_id).encode() if object_id else None)
    return [Message(wire[i], float(times[i]), keys[i]) for i in np.argsort(times, kind="stable").tolist()]


def send(
    settings: Settings,
    topic: str,
    messages: list[Message],
    rate: float | None = None,
    progress: Callable[[int], None] | None = None,
) -> Sent:
    """Send messages in their order, at ``rate`` a second or as fast as Kafka takes them, and wait for every one.

    The key is the object's id, so that an object's alerts stay in order in one partition. A missing topic is made,
    with :data:`PARTITIONS` partitions. Raises UndeliveredError with the first reason where Kafka does not take one.
    """
    make_topic(settings, topic)
    writer = KafkaWriter(settings, **{"linger.ms": 5 if rate is None else 0, "compression.type": "none"})
    began = time.monotonic()
    for number, message in enumerate(messages):
        if rate:
            writer.serve(max(0.0, began + number / rate - time.monotonic()))
        writer.send(topic, message.key, message.value, [])
        if number % 100 == 0:
            writer.serve()
            if progress:
                progress(number)
    refused = writer.finish()
    if refused:
        first = refused[0]
        raise UndeliveredError(
            f"{len(refused)} of {len(messages)} messages refused by {topic}; the first, of {len(first.value)} bytes: "
            f"{first.error.str()}; raise the topic's max.message.bytes"
        )
    if progress:
        progress(len(messages))
    return Sent(len(messages), sum(len(message.value) for message in messages), time.monotonic() - began)


def make_topic(settings: Settings, topic: str, partitions: int = PARTITIONS) -> None:
    """Make a missing input topic; it takes packets of the largest size that is read. Raises KafkaFailure."""
    limit = str(topics.dead_letter_limit_bytes(settings))
    topics.create(settings, [topic], partitions=partitions, config={"max.message.bytes": limit})
