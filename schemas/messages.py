"""The broker's own messages: encode, decode, and the forms other systems read.

Every message is in Avro's single-object encoding: C3 01, the schema's CRC-64-AVRO fingerprint (8 bytes, little
endian), then the record (https://avro.apache.org/docs/1.12.0/specification/#single-object-encoding). The schemas
lie beside this file in ``avro/<kind>.v<version>.avsc``. A change makes a new file; the old ones stay, so that what
was written with them stays readable.
"""

from __future__ import annotations

import base64
import io
import json
import math
import re
from functools import cache
from importlib import resources
from typing import Any, NamedTuple

import fastavro
import numpy as np
from fastavro.schema import fingerprint, to_parsing_canonical_form

from schemas.taxonomy import NOT_CLASSIFIED

KINDS = ("classification", "novel", "selection", "request", "label", "vote", "dead_letter")
MARKER = b"\xc3\x01"
HEADER_BYTES = 10
ID_FIELDS = frozenset(
    {
        *("alert_id", "object_id"),
        *("nearest_known_object_ids", "nearest_novel_object_ids", "object_ids", "passed_null_ids"),
    }
)
"""64-bit ids, or lists of them, which are strings in JSON: JavaScript's numbers hold 53 bits."""

BROKER_NAME = "gueststar"


class MessageSchema(NamedTuple):
    """One version of one kind of message."""

    kind: str
    version: int
    header: bytes
    parsed: Any
    fields: tuple[str, ...]
    fields_of_32_bits: tuple[str, ...] = ()
    """Numbers, or arrays of them, that Avro calls ``int``; fastavro writes longer ones, which others cannot read."""


@cache
def message_schemas() -> dict[bytes, MessageSchema]:
    """Every committed schema by the ten bytes its messages begin with."""
    by_header = {}
    for file in (resources.files("schemas") / "avro").iterdir():
        match = re.fullmatch(r"(\w+)\.v(\d+)\.avsc", file.name)
        if match:
            definition = json.loads(file.read_text(encoding="utf-8"))
            # fastavro gives the hexadecimal digits in little-endian order, as they travel
            header = MARKER + bytes.fromhex(fingerprint(to_parsing_canonical_form(definition), "CRC-64-AVRO"))
            fields = definition["fields"]
            names = tuple(field["name"] for field in fields)
            short = tuple(field["name"] for field in fields if '"int"' in json.dumps(field["type"]))
            parsed = fastavro.parse_schema(definition)
            by_header[header] = MessageSchema(match[1], int(match[2]), header, parsed, names, short)
    return by_header


@cache
def newest_schema(kind: str) -> MessageSchema:
    """The schema that :func:`encode` writes; LookupError for a kind there is none of."""
    versions = [schema for schema in message_schemas().values() if schema.kind == kind]
    if not versions:
        raise LookupError(f"no kind of message {kind!r}; there are {', '.join(KINDS)}")
    return max(versions, key=lambda schema: schema.version)


def encode(kind: str, record: dict[str, Any]) -> bytes:
    """One record as bytes, in the newest version of its kind.

    Arrays may be lists or numpy arrays. Raises ValueError that names the fields missing, of a wrong type or too large.
    """
    schema = newest_schema(kind)
    record = {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in record.items()}
    buffer = io.BytesIO()
    buffer.write(schema.header)
    try:
        fastavro.schemaless_writer(buffer, schema.parsed, record)
        for name in schema.fields_of_32_bits:
            _require_32_bits(name, record.get(name))
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
        raise ValueError(_what_is_wrong(schema, record, error)) from error
    return buffer.getvalue()


def decode(message: bytes) -> tuple[str, dict[str, Any]]:
    """Kind and record of a message written by any committed version; fields added since have their defaults.

    Raises ValueError where the bytes are not such a message.
    """
    message = bytes(message)
    schema = message_schemas().get(message[:HEADER_BYTES])
    if schema is None:
        raise ValueError(_no_message(message))
    newest = newest_schema(schema.kind)
    buffer = io.BytesIO(message)
    buffer.seek(HEADER_BYTES)
    try:
        record = fastavro.schemaless_reader(buffer, schema.parsed, None if newest is schema else newest.parsed)
    except (EOFError, IndexError, OverflowError, TypeError, UnicodeDecodeError, ValueError) as error:
        raise ValueError(
            f"a {schema.kind} message of version {schema.version} ends early or is damaged: {len(message)} bytes, "
            f"{type(error).__name__} {error}"
        ) from error
    if buffer.tell() != len(message):
        raise ValueError(f"a {schema.kind} message must end after {buffer.tell()} bytes, found {len(message)}")
    return schema.kind, dict(record)  # type: ignore[arg-type]


def to_json(record: dict[str, Any]) -> str:
    """One line of strict JSON: 64-bit ids as strings, bytes as base64, NaN and infinities as null."""
    plain = {name: _plain(value, name in ID_FIELDS) for name, value in record.items()}
    return json.dumps(plain, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def to_broker_classification(record: dict[str, Any]) -> dict[str, Any]:
    """A classification in ELAsTiCC's brokerClassification form (schema v0_9_1).

    The probabilities are those with the survey's rates and sum to 1; an alert without a class is reported as
    NotClassified with probability 1, as the taxonomy asks. Times are ms since 1970-01-01 UTC.
    """
    if record["class_id"] == NOT_CLASSIFIED or len(record["p_survey"]) == 0:
        probabilities = [(NOT_CLASSIFIED, 1.0)]
    else:
        probabilities = list(zip(record["class_ids"], record["p_survey"], strict=True))
    return {
        "alertId": int(record["alert_id"]),
        "diaSourceId": int(record["alert_id"]),
        "elasticcPublishTimestamp": int(record["input_time_ms"]),
        "brokerIngestTimestamp": int(record["input_time_ms"]),
        "brokerName": BROKER_NAME,
        "brokerVersion": record["broker_version"],
        "classifierName": f"{BROKER_NAME}-{record['model_sha256'][:16]}",
        "classifierParams": f"model_sha256={record['model_sha256']}; priors=survey",
        "classifications": [{"classId": int(class_id), "probability": float(p)} for class_id, p in probabilities],
    }


def _plain(value: Any, is_id: bool = False) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [_plain(item, is_id) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, bytes | bytearray):
        return base64.b64encode(value).decode()
    return str(value) if is_id and value is not None else value


def _require_32_bits(name: str, numbers: Any) -> None:
    for number in numbers if isinstance(numbers, list | tuple) else [numbers]:
        if number is not None and not -(2**31) <= number < 2**31:
            raise ValueError(f"{name} must be a number of 32 bits, found {number}")


def _what_is_wrong(schema: MessageSchema, record: dict[str, Any], error: Exception) -> str:
    missing = ", ".join(name for name in schema.fields if name not in record)
    if missing:
        return f"a {schema.kind} record must have the fields {', '.join(schema.fields)}; missing are {missing}"
    types = {name: type(record[name]).__name__ for name in schema.fields}
    return f"a {schema.kind} record has a field of a wrong type or size ({error}); types found: {types}"


def _no_message(message: bytes) -> str:
    if message[:2] != MARKER:
        first_bytes = message[:2].hex(" ").upper() or "nothing"
        return (
            "a message must begin with C3 01 (Avro single-object encoding), "
            f"found {first_bytes} in {len(message)} bytes"
        )
    published = ", ".join(f"{schema.kind} v{schema.version}" for schema in message_schemas().values())
    return (
        f"no schema has the fingerprint {message[2:HEADER_BYTES].hex()}; known are {published}: "
        "a newer broker may have written it"
    )
