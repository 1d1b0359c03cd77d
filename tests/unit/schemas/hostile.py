"""Hostile messages: each a name, its bytes, and a word its reason must have."""

from __future__ import annotations

import json
import struct
import zlib

import numpy as np

SYNC = b"0123456789abcdef"


def zigzag(value: int) -> bytes:
    rest, out = ((value << 1) ^ (value >> 63)) & (2**64 - 1), bytearray()
    while rest > 127:
        out.append(rest & 127 | 128)
        rest >>= 7
    return bytes([*out, rest])


def counted(data: bytes) -> bytes:
    return zigzag(len(data)) + data


def container(schema: object, block: bytes, count: int = 1, codec: str = "null") -> bytes:
    """A container of one block, by hand: no writer would write most of these."""
    text = schema if isinstance(schema, bytes) else json.dumps(schema).encode()
    header = counted(b"avro.schema") + counted(text) + counted(b"avro.codec") + counted(codec.encode())
    return b"Obj\x01" + zigzag(2) + header + b"\0" + SYNC + zigzag(count) + counted(block) + SYNC


def candidate_schema(*extra: dict) -> dict:
    """The least that is taken for an alert of a telescope's difference images, with more fields after it."""
    fields = [("jd", "double"), ("fid", "int"), ("isdiffpos", "string"), ("ra", "double"), ("dec", "double")]
    fields += [("magpsf", "float"), ("sigmapsf", "float")]
    record = {"type": "record", "name": "candidate", "fields": [{"name": n, "type": t} for n, t in fields]}
    names = [{"name": "objectId", "type": "string"}, {"name": "candid", "type": "long"}]
    return {
        "type": "record",
        "name": "alert",
        "fields": [*names, {"name": "candidate", "type": record}, *extra],
    }


def candidate_bytes(ra: float = 10.0, dec: float = 20.0, jd: float = 2460506.5, sigma: float = 0.1) -> bytes:
    head = counted(b"ZTF21abiuvdk") + zigzag(123)
    return head + struct.pack("<d", jd) + zigzag(1) + counted(b"t") + struct.pack("<ddff", ra, dec, 18.0, sigma)


def nested_arrays(depth: int) -> object:
    schema: object = "int"
    for _ in range(depth):
        schema = {"type": "array", "items": schema}
    return schema


def exponential(levels: int) -> dict:
    """Each record has ten fields of the next: 10^levels values, of no bytes each."""
    named: dict = {"type": "record", "name": f"r{levels}", "fields": [{"name": "x", "type": "int"}]}
    for level in range(levels - 1, -1, -1):
        fields = [{"name": "f0", "type": named}]
        fields += [{"name": f"f{k}", "type": f"r{level + 1}"} for k in range(1, 10)]
        named = {"type": "record", "name": f"r{level}", "fields": fields}
    return named


def deflated(data: bytes) -> bytes:
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
    return squeeze.compress(data) + squeeze.flush()


def field(name: str, kind: object) -> dict:
    return {"name": name, "type": kind}


RECURSIVE = {
    "type": "record",
    "name": "node",
    "fields": [field("value", "int"), field("next", ["null", "node"])],
}

HUGE = 2**62 - 1


def hostile_messages() -> dict[str, tuple[bytes, str]]:
    """Name: (message, words that the reason of its dead letter must contain)."""
    return {**hostile_envelopes(), **hostile_schemas(), **hostile_values(), **hostile_blocks()}


def hostile_envelopes() -> dict[str, tuple[bytes, str]]:
    random = np.random.default_rng(1).bytes(5_000)
    return {
        "empty": (b"", "empty"),
        "random bytes": (b"\x07" + random, "must begin with"),
        "random bytes after the wire's magic": (b"\0" + random, "schema id"),
        "random bytes after a wire header": (b"\0" + struct.pack(">I", 1101) + random, ""),
        "random bytes after a container's magic": (b"Obj\x01" + random, "container"),
        "a wire header cut short": (b"\0\0\0", "5 bytes"),
        "an unknown schema id": (b"\0" + struct.pack(">I", 4242) + b"\0" * 50, "known are 300"),
        "ten megabytes": (b"\0" * 10_000_000, "at most 5,000,000 bytes, found 10,000,000"),
        "JSON": (b'{"alertId": 1}', "must begin with"),
        "an alert id of eleven bytes": (b"\0" + struct.pack(">I", 1101) + b"\xff" * 11, "Avro integer"),
    }


def hostile_schemas() -> dict[str, tuple[bytes, str]]:
    return {
        "a recursive schema": (container(candidate_schema(field("tail", RECURSIVE)), b"x"), "contains itself"),
        "a deep schema": (container(candidate_schema(field("deep", nested_arrays(200))), b"x"), "nests deeper"),
        "a schema too deep to parse": (
            container(b'{"type":"record","name":"a","fields":' + b"[" * 200_000, b"x"),
            "container's schema",
        ),
        "an exponential schema": (container(candidate_schema(field("wide", exponential(12))), b"x"), "unfolds"),
        "a schema of a megabyte": (container(b'"' + b"a" * 1_000_001 + b'"', b"x"), "1,000,000 bytes"),
        "a schema that is no schema": (container({"type": "record", "name": "a"}, b"x"), "no Avro schema"),
        "a schema that is no record": (container("string", b"\2a"), "must be a record"),
        "a schema with a type it lacks": (container(candidate_schema(field("x", "ghost")), b"x"), "'ghost'"),
        "a schema of something else": (
            container({"type": "record", "name": "a", "fields": [field("a", "int")]}, b"\0"),
            "known survey",
        ),
        "an id as a double": (
            container(
                {"type": "record", "name": "a", "fields": [field("candid", "double"), field("candidate", "int")]}, b""
            ),
            "candid must be long",
        ),
    }


def hostile_values() -> dict[str, tuple[bytes, str]]:
    array = {"type": "array", "items": "float"}
    nulls = {"type": "array", "items": "null"}
    return {
        "an absurd array count": (
            container(candidate_schema(field("a", array)), candidate_bytes() + zigzag(HUGE)),
            "more items than there are bytes left",
        ),
        "an absurd negative array count": (
            container(candidate_schema(field("a", array)), candidate_bytes() + zigzag(-(2**63))),
            "more items",
        ),
        "an absurd array of nothing": (
            container(candidate_schema(field("a", nulls)), candidate_bytes() + zigzag(HUGE) + b"\0"),
            "more items",
        ),
        "an absurd length of bytes": (
            container(candidate_schema(field("b", "bytes")), candidate_bytes() + zigzag(HUGE)),
            "claims a length",
        ),
        "a negative length of bytes": (
            container(candidate_schema(field("b", "bytes")), candidate_bytes() + zigzag(-5)),
            "claims a length",
        ),
        "a union branch that is not there": (
            container(candidate_schema(field("u", ["null", "int"])), candidate_bytes() + zigzag(7)),
            "union branch",
        ),
    }


def hostile_blocks() -> dict[str, tuple[bytes, str]]:
    snappy_bomb = bytes([0x80, 0x80, 0x80, 0x80, 0x08]) + b"\0" * 20
    return {
        "an absurd count of records": (container(candidate_schema(), candidate_bytes(), HUGE), "claims"),
        "a negative count of records": (container(candidate_schema(), candidate_bytes(), -1), "claims"),
        "more bytes than records": (container(candidate_schema(), candidate_bytes() + b"zzz"), "3 more follow"),
        "a container without records": (container(candidate_schema(), b"", 0), "holds no alert"),
        "a deflate bomb": (container(candidate_schema(), deflated(b"\0" * 200_000_000), 1, "deflate"), "allowed"),
        "a deflate block cut short": (
            container(candidate_schema(), deflated(candidate_bytes())[:-4], 1, "deflate"),
            "does not unpack",
        ),
        "a snappy bomb": (container(candidate_schema(), snappy_bomb, 1, "snappy"), "allowed"),
        "snappy that is none": (container(candidate_schema(), b"\5abcdefgh", 1, "snappy"), "does not unpack"),
        "a codec nobody knows": (container(candidate_schema(), b"x", 1, "brotli"), "codec must be"),
        "a right ascension of 400": (container(candidate_schema(), candidate_bytes(ra=400.0)), "[0, 360) deg"),
        "a declination of NaN": (container(candidate_schema(), candidate_bytes(dec=float("nan"))), "[-90, 90] deg"),
        "a time before the survey": (
            container(candidate_schema(), candidate_bytes(jd=2400000.5)),
            "MJD 50000 to 80000",
        ),
        "no error bar": (container(candidate_schema(), candidate_bytes(sigma=0.0)), "no usable measurement"),
    }
