"""Arrow columns written as Avro records, a column at a time: a row-by-row writer's bytes in a tenth of its time.

The schema comes from ``schemas.messages``, and so does the proof: the tests compare every byte with what
``schemas.messages.encode`` writes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numba import njit
from numpy.typing import NDArray

from schemas.messages import newest_schema

Bytes = NDArray[np.uint8]

_MAX_VARINT_BYTES = 10
_WHOLE = {"int": np.int64, "long": np.int64}
_FIXED = {"float": np.float32, "double": np.float64, "boolean": np.uint8}


class AvroColumns:
    """A writer of one kind of message for batches that have its fields as columns."""

    def __init__(self, kind: str) -> None:
        schema = newest_schema(kind)
        self._header = np.frombuffer(schema.header, np.uint8)
        self._fields: list[tuple[str, Any]] = [(field["name"], field["type"]) for field in schema.parsed["fields"]]

    def complete(self, batch: pa.RecordBatch) -> NDArray[np.bool_]:
        """Which rows have a value in every field that needs one, shape (rows,)."""
        complete = np.ones(batch.num_rows, bool)
        for name, kind in self._fields:
            column = batch.column(name)
            if not isinstance(kind, list) and column.null_count:
                complete &= column.is_valid().to_numpy(zero_copy_only=False)
        return complete

    def encode(self, batch: pa.RecordBatch) -> list[bytes]:
        """The message of each row; every row must be complete."""
        columns = [_Column(batch.column(name), kind) for name, kind in self._fields]
        sizes = np.full(batch.num_rows, len(self._header), np.int64)
        for column in columns:
            sizes += column.most_bytes()
        begins = np.concatenate([[0], np.cumsum(sizes)])
        out = np.empty(begins[-1], np.uint8)
        at = begins[:-1].copy()
        _write_header(out, at, self._header)
        for column in columns:
            column.write(out, at)
        data = memoryview(out.data)
        return [bytes(data[i:j]) for i, j in zip(begins[:-1].tolist(), at.tolist(), strict=True)]


class _Column:
    """One field of the batch: how many bytes it takes at most, and writing it at each row's place."""

    def __init__(self, column: pa.Array, kind: Any) -> None:
        self.rows = len(column)
        self.present: Bytes | None = None
        if isinstance(kind, list):  # a union of null and one type
            if kind[0] != "null" or len(kind) != 2:
                raise TypeError(f"a union must be of null and one type, found {kind}")
            self.present, kind = column.is_valid().to_numpy(zero_copy_only=False).view(np.uint8), kind[1]
        if isinstance(kind, dict) and kind["type"] != "array":
            raise TypeError(f"no way to write the Avro type {kind} in columns")
        self.items = kind["items"] if isinstance(kind, dict) else None
        self.kind = self.items or kind
        self.begins = np.arange(self.rows + 1)
        if self.items:
            self.begins = column.offsets.to_numpy().astype(np.int64)
            self.values = _numbers(column.values, self.kind)
        elif self.kind in ("string", "bytes"):
            self.begins, self.values = _bytes(column)
        else:
            self.values = _numbers(column, self.kind)

    def most_bytes(self) -> NDArray[np.int64]:
        lengths = np.diff(self.begins)
        if self.kind in ("string", "bytes"):
            return lengths + _MAX_VARINT_BYTES
        each = _MAX_VARINT_BYTES if self.kind in _WHOLE else self.values.dtype.itemsize
        return lengths * each + (_MAX_VARINT_BYTES + 1 if self.items else 0) + (self.present is not None)

    def write(self, out: Bytes, at: NDArray[np.int64]) -> None:
        if self.items and self.kind in _WHOLE:
            _write_whole_arrays(out, at, self.begins, self.values)
        elif self.items:
            width = self.values.dtype.itemsize
            _write_fixed_arrays(out, at, self.begins, self.values.view(np.uint8), width)
        elif self.kind in ("string", "bytes"):
            _write_bytes(out, at, self.begins, self.values)
        elif self.kind in _WHOLE:
            _write_whole(out, at, self.values)
        else:
            present = np.full(self.rows, 2, np.uint8) if self.present is None else self.present
            _write_fixed(out, at, self.values.view(np.uint8), self.values.dtype.itemsize, present)


def _numbers(column: pa.Array, kind: str) -> NDArray[Any]:
    if kind not in _WHOLE and kind not in _FIXED:
        raise TypeError(f"no way to write the Avro type {kind!r} in columns")
    filled = column.fill_null(False if kind == "boolean" else 0) if column.null_count else column
    values = filled.to_numpy(zero_copy_only=False)
    return np.ascontiguousarray(values, dtype=_WHOLE.get(kind) or _FIXED[kind])


def _bytes(column: pa.Array) -> tuple[NDArray[np.int64], Bytes]:
    """Offsets and bytes of a column of strings or bytes, without copying the bytes."""
    _, offsets, data = column.buffers()
    begins = np.frombuffer(offsets, np.int32, len(column) + 1, column.offset * 4).astype(np.int64)
    return begins, np.frombuffer(data, np.uint8) if data is not None else np.empty(0, np.uint8)


@njit(cache=True, nogil=True)
def _varint(out: Bytes, at: int, value: int) -> int:
    """Write a whole number in Avro's zigzag form; returns the place after it."""
    zigzag = np.uint64((np.int64(value) << 1) ^ (np.int64(value) >> 63))
    while zigzag > np.uint64(0x7F):
        out[at] = np.uint8((zigzag & np.uint64(0x7F)) | np.uint64(0x80))
        zigzag >>= np.uint64(7)
        at += 1
    out[at] = np.uint8(zigzag)
    return at + 1


@njit(cache=True, nogil=True)
def _write_header(out: Bytes, at: NDArray[np.int64], header: Bytes) -> None:
    for i in range(len(at)):
        for k in range(len(header)):
            out[at[i] + k] = header[k]
        at[i] += len(header)


@njit(cache=True, nogil=True)
def _write_whole(out: Bytes, at: NDArray[np.int64], values: NDArray[np.int64]) -> None:
    for i in range(len(at)):
        at[i] = _varint(out, at[i], values[i])


@njit(cache=True, nogil=True)
def _write_fixed(out: Bytes, at: NDArray[np.int64], values: Bytes, width: int, present: Bytes) -> None:
    """``present``: 2 where the field is no union; else the branch: 0 is null, 1 the value."""
    for i in range(len(at)):
        if present[i] != 2:
            out[at[i]] = np.uint8(present[i] << 1)
            at[i] += 1
        if present[i]:
            for k in range(width):
                out[at[i] + k] = values[i * width + k]
            at[i] += width


@njit(cache=True, nogil=True)
def _write_bytes(out: Bytes, at: NDArray[np.int64], begins: NDArray[np.int64], values: Bytes) -> None:
    for i in range(len(at)):
        length = begins[i + 1] - begins[i]
        place = _varint(out, at[i], length)
        for k in range(length):
            out[place + k] = values[begins[i] + k]
        at[i] = place + length


@njit(cache=True, nogil=True)
def _write_whole_arrays(
    out: Bytes, at: NDArray[np.int64], begins: NDArray[np.int64], values: NDArray[np.int64]
) -> None:
    for i in range(len(at)):
        place = at[i]
        if begins[i + 1] > begins[i]:
            place = _varint(out, place, begins[i + 1] - begins[i])
            for k in range(begins[i], begins[i + 1]):
                place = _varint(out, place, values[k])
        at[i] = _varint(out, place, 0)


@njit(cache=True, nogil=True)
def _write_fixed_arrays(
    out: Bytes, at: NDArray[np.int64], begins: NDArray[np.int64], values: Bytes, width: int
) -> None:
    for i in range(len(at)):
        place = at[i]
        count = begins[i + 1] - begins[i]
        if count > 0:
            place = _varint(out, place, count)
            first = begins[i] * width
            for k in range(count * width):
                out[place + k] = values[first + k]
            place += count * width
        at[i] = _varint(out, place, 0)
