"""Packets of any Avro schema, made for tests: a writer that can do what no library's does, and values to write.

Written from https://avro.apache.org/docs/1.12.0/specification/#binary-encoding; what it writes is read by fastavro too.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tests.unit.schemas.hostile import counted, zigzag

FLOATS = (0.0, -0.0, 1.5, -321.25, 3.4e38, 1e-45, float("nan"), float("inf"), float("-inf"))
DOUBLES = (*FLOATS, 60_500.123456789, 1.7e308, 5e-324)
LONGS = (0, -1, 1, 63, 64, -65, 2**31, 2**61 + 9, 2**63 - 1, -(2**63))
INTS = (0, -1, 1, 2, 3, 64, 2**31 - 1, -(2**31))
TEXTS = (
    "",
    "r",
    "Y",
    "g",
    "t",
    "ZTF21abiuvdk",
    "sixteen letters!",
    "more than sixteen",
    "\x00",
    "naïve",
    "客星",
    "🌟" * 5,
)


@dataclass(frozen=True)
class Manner:
    """How a packet is filled and written; the rest is drawn with ``seed``.

    ``null`` is the chance that a nullable field is null (0: none, 1: all), ``length`` the items of its arrays,
    ``blocks`` the items of each block of an array (0: one block), ``sized`` whether a block says its size in bytes,
    with a negative count.
    """

    seed: int
    null: float
    length: int
    blocks: int
    sized: bool


MANNER = st.builds(
    Manner,
    seed=st.integers(0, 2**32 - 1),
    null=st.sampled_from([0.0, 0.1, 0.5, 1.0]),
    length=st.sampled_from([0, 1, 2, 30]),
    blocks=st.sampled_from([0, 1, 7]),
    sized=st.booleans(),
)


def defined(schema: Any) -> dict[str, Any]:
    """The records that a schema defines, by name: one may be named again where its definition is not written."""
    if isinstance(schema, list):
        return {name: record for branch in schema for name, record in defined(branch).items()}
    if not isinstance(schema, dict):
        return {}
    if schema["type"] == "record":
        inner = [defined(item["type"]) for item in schema["fields"]]
        return {schema["name"].rpartition(".")[2]: schema} | {
            name: r for schemas in inner for name, r in schemas.items()
        }
    return defined(schema["items"] if schema["type"] == "array" else schema["type"])


@dataclass
class Writer:
    """Writes one packet of a schema in a manner; ``named`` holds the records it names elsewhere."""

    manner: Manner
    named: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.random = np.random.default_rng(self.manner.seed)

    def written(self, schema: Any) -> bytes:
        """A packet of the schema, in bytes."""
        self.named |= defined(schema)
        return self._written(schema)

    def _written(self, schema: Any) -> bytes:
        if isinstance(schema, list):
            branches = [k for k, branch in enumerate(schema) if branch != "null"]
            is_null = len(branches) < len(schema) and self.random.random() < self.manner.null
            chosen = schema.index("null") if is_null else int(self.random.choice(branches))
            return zigzag(chosen) + self._written(schema[chosen])
        if isinstance(schema, dict) and isinstance(schema["type"], dict | list):
            return self._written(schema["type"])
        kind = schema["type"] if isinstance(schema, dict) else schema
        if kind == "record":
            return b"".join(self._written(item["type"]) for item in schema["fields"])
        if kind == "array":
            return self._array(schema["items"])
        named = self.named.get(kind) or self.named.get(kind.rpartition(".")[2])
        return self._written(named) if named else self._value(kind)

    def _array(self, items: Any) -> bytes:
        length, out = self.manner.length, b""
        while length:
            n = min(length, self.manner.blocks or length)
            block = b"".join(self._written(items) for _ in range(n))
            out += zigzag(-n) + counted(block) if self.manner.sized else zigzag(n) + block
            length -= n
        return out + b"\0"

    def _value(self, kind: str) -> bytes:
        odd = self.random.random() < 0.5
        if kind == "float":
            value = np.float32(self.random.choice(FLOATS) if odd else self.random.normal(0, 1e4))
            return struct.pack("<f", value)
        if kind == "double":
            return struct.pack("<d", self.random.choice(DOUBLES) if odd else self.random.normal(6e4, 1e3))
        if kind in ("long", "int"):
            small = int(self.random.integers(-100, 100))
            values = LONGS if kind == "long" else INTS
            return zigzag(values[self.random.integers(len(values))] if odd else small)
        if kind == "string":
            return counted(TEXTS[self.random.integers(len(TEXTS))].encode())
        if kind == "bytes":
            return counted(self.random.bytes(int(self.random.integers(0, 300))))
        return {"boolean": bytes([int(odd)]), "null": b""}[kind]
