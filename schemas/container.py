"""Avro object containers: the header, and the blocks of records, with every length checked and bounded.

Format: https://avro.apache.org/docs/1.12.0/specification/#object-container-files.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import NamedTuple

import snappy  # type: ignore[import-untyped]

from schemas.columns import Refusal

MAGIC = b"Obj\x01"
SCHEMA_LIMIT_BYTES = 1_000_000
CODECS = ("null", "deflate", "snappy")


class Header(NamedTuple):
    """What a container says of itself; ``start`` is the position of its first block."""

    schema: bytes
    codec: str
    sync: bytes
    start: int


def read_header(message: bytes) -> Header:
    """The container's header; Refusal where it is damaged or its codec is not known."""
    metadata: dict[bytes, bytes] = {}
    count, at = _number(message, len(MAGIC), "its header")
    while count != 0:
        if count < 0:
            count = -count
            _, at = _number(message, at, "its header")
        if count > len(message) - at:
            raise Refusal(
                f"the container's header at byte {at:,} claims {count:,} entries with {len(message) - at:,} bytes left"
            )
        for _ in range(count):
            key, at = _bytes(message, at, "its header")
            metadata[key], at = _bytes(message, at, "its header")
        count, at = _number(message, at, "its header")
    schema = metadata.get(b"avro.schema", b"")
    codec = metadata.get(b"avro.codec", b"null").decode("ascii", "replace") or "null"
    if not 0 < len(schema) <= SCHEMA_LIMIT_BYTES:
        raise Refusal(f"the container's schema must have 1 to {SCHEMA_LIMIT_BYTES:,} bytes, found {len(schema):,}")
    if codec not in CODECS:
        raise Refusal(f"the container's codec must be one of {', '.join(CODECS)}, found {codec[:40]!r}")
    if len(message) < at + 16:
        raise Refusal(f"the container ends at byte {len(message):,}, within its header")
    return Header(schema, codec, message[at : at + 16], at + 16)


def blocks(message: bytes, header: Header, limit_bytes: int) -> Iterator[tuple[int, bytes]]:
    """Each block's count of records and their bytes, unpacked to at most ``limit_bytes`` in all."""
    at, room = header.start, limit_bytes
    while at < len(message):
        start = at
        count, at = _number(message, at, f"the block at byte {start:,}")
        data, at = _bytes(message, at, f"the block at byte {start:,}")
        if message[at : at + 16] != header.sync:
            raise Refusal(
                f"the container is damaged: the block at byte {start:,} must end with the sync marker "
                f"{header.sync.hex()} at byte {at:,} of {len(message):,}, found "
                f"{message[at : at + 16].hex() or 'nothing'}"
            )
        at += 16
        data = _unpacked(data, header.codec, room, f"the block of {len(data):,} bytes at byte {start:,}")
        room -= len(data)
        if not 0 <= count <= len(data):
            raise Refusal(f"the block at byte {start:,} claims {count:,} records in {len(data):,} bytes")
        yield count, data


def _unpacked(data: bytes, codec: str, room: int, where: str) -> bytes:
    if codec == "null":
        return data
    try:
        if codec == "deflate":
            inflate = zlib.decompressobj(-15)
            unpacked = inflate.decompress(data, room + 1)
            whole = inflate.eof
        else:  # snappy begins with the unpacked length, Avro's form ends with a CRC-32
            length = _unsigned(data)
            unpacked = snappy.uncompress(data[:-4]) if length <= room else bytes(room + 1)
            whole = len(unpacked) > room or zlib.crc32(unpacked) == int.from_bytes(data[-4:], "big")
    except (zlib.error, snappy.UncompressError, ValueError) as error:
        reason = str(error) or "it is damaged"
        raise Refusal(f"{where} does not unpack with {codec}: {reason}") from error
    if len(unpacked) > room:
        raise Refusal(f"{where} unpacks to more than the {room:,} bytes allowed")
    if not whole:
        raise Refusal(f"{where} does not unpack with {codec}: it is cut off or damaged")
    return unpacked


def _unsigned(data: bytes) -> int:
    value = 0
    for k, byte in enumerate(data[:5]):
        value |= (byte & 127) << (7 * k)
        if byte < 128:
            return value
    raise ValueError("no length at its start")


def _number(message: bytes, at: int, where: str) -> tuple[int, int]:
    value = 0
    for k in range(10):
        if at + k >= len(message):
            raise Refusal(f"the container ends at byte {len(message):,}, within {where}")
        byte = message[at + k]
        value |= (byte & 127) << (7 * k)
        if byte < 128:
            return (value >> 1) ^ -(value & 1), at + k + 1
    raise Refusal(f"the container has no Avro integer at byte {at:,}, in {where}")


def _bytes(message: bytes, at: int, where: str) -> tuple[bytes, int]:
    length, at = _number(message, at, where)
    if not 0 <= length <= len(message) - at:
        raise Refusal(
            f"the container is cut off or damaged: {where} claims {length:,} bytes at byte {at:,}, where "
            f"{len(message) - at:,} are left"
        )
    return message[at : at + length], at + length
