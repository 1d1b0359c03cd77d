"""Dead letters: listed by their reasons, and sent again."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from broker.kafka import reading, topics
from broker.kafka.writing import KafkaWriter
from broker.records.dead_letter import Record, place_of
from broker.settings import Settings
from schemas import messages
from schemas.whole_file import write_whole

REPLAY_HEADER = "gueststar-replay-of"
"""On a message that was sent again: where it was refused, ``topic:partition:offset``."""

REPLAYED_FILE = Path("run") / "replayed_dead_letters.json"
"""In the home: keys of the dead letters that were sent again, so that nothing goes twice by mistake."""

_NUMBERS = re.compile(r"\b[0-9a-f]{8,}\b|\d[\d,.]*\d|\d")


@dataclass(frozen=True)
class Group:
    """Dead letters that failed at the same stage for the same reason, but for the numbers in it, which read #.

    A reason that only one letter has is told in full; ``example`` is ``topic:partition:offset``.
    """

    stage: str
    reason: str
    count: int
    example: str


@dataclass(frozen=True)
class Letter:
    """One dead letter as it lies in its topic."""

    key: bytes
    record: Record

    @property
    def place(self) -> str:
        """Where the message came from: ``topic:partition:offset``."""
        return place_of(self.record)


@dataclass(frozen=True)
class Replayed:
    """``sent`` again; ``gone``: places of those whose whole bytes neither the letter nor Kafka still has."""

    sent: int
    gone: tuple[str, ...]


def letters(settings: Settings, stage: str = "", reason: str = "") -> Iterator[Letter]:
    """The dead letters in Kafka, without repeats; of one stage, or whose reason contains a text, where given."""
    seen: set[bytes] = set()
    for entry in reading.read(settings, topics.dead_letters(settings), missing_ok=True):
        key = entry.key or f"{entry.partition}:{entry.offset}".encode()
        if key in seen or entry.value is None:
            continue
        seen.add(key)
        _, record = messages.decode(entry.value)
        if (not stage or record["stage"] == stage) and reason.lower() in record["reason"].lower():
            yield Letter(key, record)


def groups(listed: Iterator[Letter]) -> list[Group]:
    """The letters by stage and reason, the most frequent first; a group's example is its earliest message."""
    alike: dict[tuple[str, str], Group] = {}
    for letter in listed:  # in any order: their own topic has partitions
        stage, reason = letter.record["stage"], letter.record["reason"]
        pattern = _NUMBERS.sub("#", reason)
        group = alike.get((stage, pattern), Group(stage, reason, 0, letter.place))
        shown = reason if group.reason == reason else pattern
        earliest = min(group.example, letter.place, key=_in_order)
        alike[stage, pattern] = Group(stage, shown, group.count + 1, earliest)
    return sorted(alike.values(), key=lambda group: (-group.count, group.stage, group.reason))


def _in_order(place: str) -> tuple[str, int, int]:
    topic, partition, offset = place.rsplit(":", 2)
    return topic, int(partition), int(offset)


def not_yet_replayed(settings: Settings, listed: Iterator[Letter]) -> list[Letter]:
    """Those that no earlier replay sent."""
    done = _replayed(settings)
    return [letter for letter in listed if letter.key.decode() not in done]


def replay(settings: Settings, chosen: Sequence[Letter], progress: Callable[[int], None] | None = None) -> Replayed:
    """Send the original bytes to their input topics again, marked with :data:`REPLAY_HEADER`; waits for Kafka.

    Each message goes once, however many letters it has. Where a letter does not hold the whole message, it is
    read from the input topic. Raises KafkaFailure where Kafka does not take them.
    """
    by_place = {letter.place: letter.record for letter in chosen}
    originals = _originals(settings, [record for record in by_place.values() if not _is_whole(record)])
    writer = KafkaWriter(settings)
    gone = []
    for number, (place, record) in enumerate(by_place.items()):
        key, value = originals.get(place, (None, None)) if not _is_whole(record) else (None, record["payload"])
        if value is None:
            gone.append(place)
        else:
            writer.send(record["input_topic"], key, value, [(REPLAY_HEADER, place.encode())])
        if progress:
            progress(number + 1)
    refused = writer.finish()
    gone += [str(message.headers[0][1]) for message in refused]
    _remember(settings, [letter.key.decode() for letter in chosen if letter.place not in set(gone)])
    return Replayed(len(by_place) - len(gone), tuple(gone))


def _is_whole(record: Record) -> bool:
    return bool(record["payload"]) and len(record["payload"]) == record["payload_length"]


def _originals(settings: Settings, records: Sequence[Record]) -> dict[str, tuple[bytes | None, bytes | None]]:
    """Key and value of each place that the input topics still hold."""
    held: dict[str, tuple[bytes | None, bytes | None]] = {}
    for record in records:
        partition, offset = record["input_partition"], record["input_offset"]
        entries = reading.read_slice(settings, record["input_topic"], partition, offset, offset + 1)
        held |= {place_of(record): (entry.key, entry.value) for entry in entries}
    return held


def _replayed(settings: Settings) -> set[str]:
    file = settings.home / REPLAYED_FILE
    return set(json.loads(file.read_text())) if file.exists() else set()


def _remember(settings: Settings, keys: Sequence[str]) -> None:
    write_whole(settings.home / REPLAYED_FILE, json.dumps(sorted(_replayed(settings) | set(keys))))
