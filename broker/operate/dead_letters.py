"""Dead letters: how they are written, what they say when they are listed, and how they are sent again."""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from active_learning import topic_log
from broker.kafka import topics
from broker.records.fields import TRUNCATED_PAYLOAD_BYTES
from broker.settings import Settings
from schemas import messages

Record = dict[str, Any]

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


def place_of(record: Mapping[str, Any]) -> str:
    """Where a record's message came from: ``topic:partition:offset``."""
    return f"{record['input_topic']}:{record['input_partition']}:{record['input_offset']}"


def record_of(row: Mapping[str, Any], stage: str = "", reason: str = "") -> Record:
    """A dead-letter record from a dead row; with ``stage`` and ``reason``, from an alert's row that failed later.

    An alert's row does not carry its message: the payload is empty and its length 0, and the place says where
    the message is.
    """
    return {
        "payload": row.get("payload") or b"",
        "payload_length": int(row.get("payload_length") or 0),
        "input_topic": str(row.get("input_topic") or ""),
        "input_partition": _number(row.get("input_partition")),
        "input_offset": _number(row.get("input_offset")),
        "input_time_ms": _number(row.get("input_time_ms")),
        "stage": stage or str(row.get("dead_stage") or "unknown"),
        "reason": reason or str(row.get("dead_reason") or "no reason was given"),
        "created_ms": time.time_ns() // 1_000_000,
        "broker_version": str(row.get("broker_version") or ""),
    }


def message_of(record: Record, subject: str, limit_bytes: int) -> tuple[bytes, bytes, bytes]:
    """Key, value and place of a dead letter's message of at most about ``limit_bytes``.

    The key is the same whenever the batch is done again; ``subject`` tells several letters of one place apart,
    as does the reason.
    """
    place = place_of(record)
    told = hashlib.blake2b(f"{record['reason']}\0{subject}".encode(), digest_size=6).hexdigest()
    if len(record["payload"]) > limit_bytes - topics.DEAD_LETTER_OVERHEAD_BYTES // 2:
        record = {**record, "payload": record["payload"][:TRUNCATED_PAYLOAD_BYTES]}
    value = messages.encode("dead_letter", record)
    return f"{place}:{record['stage']}:{told}".encode(), value, place.encode()


def letters(settings: Settings, stage: str = "", reason: str = "") -> Iterator[Letter]:
    """The dead letters in Kafka, without repeats; of one stage, or whose reason contains a text, where given."""
    seen: set[bytes] = set()
    for entry in topic_log.read(settings.kafka_client(), topics.dead_letters(settings), missing_ok=True):
        key = entry.key or f"{entry.partition}:{entry.offset}".encode()
        if key in seen or entry.value is None:
            continue
        seen.add(key)
        _, record = messages.decode(entry.value)
        if (not stage or record["stage"] == stage) and reason.lower() in record["reason"].lower():
            yield Letter(key, record)


def groups(found: Iterator[Letter]) -> list[Group]:
    """The letters by stage and reason, the most frequent first; a group's example is its earliest message."""
    alike: dict[tuple[str, str], Group] = {}
    for letter in found:  # in any order: their own topic has partitions
        stage, reason = letter.record["stage"], letter.record["reason"]
        pattern = _NUMBERS.sub("#", reason)
        known = alike.get((stage, pattern), Group(stage, reason, 0, letter.place))
        told = reason if known.reason == reason else pattern
        earliest = min(known.example, letter.place, key=_in_order)
        alike[stage, pattern] = Group(stage, told, known.count + 1, earliest)
    return sorted(alike.values(), key=lambda group: (-group.count, group.stage, group.reason))


def _in_order(place: str) -> tuple[str, int, int]:
    topic, partition, offset = place.rsplit(":", 2)
    return topic, int(partition), int(offset)


def not_yet_replayed(settings: Settings, found: Iterator[Letter]) -> list[Letter]:
    """Those that no earlier replay sent."""
    done = _replayed(settings)
    return [letter for letter in found if letter.key.decode() not in done]


def replay(settings: Settings, chosen: Sequence[Letter], progress: Callable[[int], None] | None = None) -> Replayed:
    """Send the original bytes to their input topics again, marked with :data:`REPLAY_HEADER`; waits for Kafka.

    Each message goes once, however many letters it has. Where a letter does not hold the whole message, it is
    read from the input topic. Raises broker.kafka.writing.UndeliveredError where Kafka does not take them.
    """
    from broker.kafka.writing import KafkaWriter

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
    found: dict[str, tuple[bytes | None, bytes | None]] = {}
    for record in records:
        partition, offset = record["input_partition"], record["input_offset"]
        entries = topic_log.read_slice(settings.kafka_client(), record["input_topic"], partition, offset, offset + 1)
        found |= {place_of(record): (entry.key, entry.value) for entry in entries}
    return found


def _replayed(settings: Settings) -> set[str]:
    file = settings.home / REPLAYED_FILE
    return set(json.loads(file.read_text())) if file.exists() else set()


def _remember(settings: Settings, keys: Sequence[str]) -> None:
    file = settings.home / REPLAYED_FILE
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_suffix(".draft")
    draft.write_text(json.dumps(sorted(_replayed(settings) | set(keys))))
    draft.replace(file)


def _number(value: Any) -> int:
    return -1 if value is None else int(value)
