"""A dead letter: the record of what could not be decoded, scored or delivered, and its message."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from typing import Any

from broker.kafka import topics
from broker.records.fields import TRUNCATED_PAYLOAD_BYTES
from schemas import messages

Record = dict[str, Any]


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
    fingerprint = hashlib.blake2b(f"{record['reason']}\0{subject}".encode(), digest_size=6).hexdigest()
    if len(record["payload"]) > limit_bytes - topics.DEAD_LETTER_OVERHEAD_BYTES // 2:
        record = {**record, "payload": record["payload"][:TRUNCATED_PAYLOAD_BYTES]}
    value = messages.encode("dead_letter", record)
    return f"{place}:{record['stage']}:{fingerprint}".encode(), value, place.encode()


def _number(value: Any) -> int:
    return -1 if value is None else int(value)
