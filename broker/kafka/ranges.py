"""Ranges of offsets, and what Kafka has of a topic. Nothing here needs a client."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TopicState:
    """What Kafka has of a topic: its id, and each partition's first offset kept and the one after the last readable."""

    topic_id: str
    low: Mapping[int, int]
    high: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Range:
    """Offsets ``start`` to ``end - 1`` of one partition; not all of them need hold a message."""

    topic: str
    partition: int
    start: int
    end: int

    def __len__(self) -> int:
        return self.end - self.start

    def __str__(self) -> str:
        return f"topic {self.topic} partition {self.partition} offsets {self.start} to {self.end - 1}"
