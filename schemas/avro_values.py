"""Single values of Avro's binary encoding, read from a buffer with every length checked.

https://avro.apache.org/docs/1.12.0/specification/#binary-encoding
"""

# mypy: allow-untyped-defs
from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, types
from numba.extending import intrinsic

LONG, FLOAT, DOUBLE, BOOLEAN, BYTES, STRING, FIXED = range(7)
UNION, NULLABLE, JUMP, ARRAY, NEXT, ROW, RESET, MARK, END = range(7, 16)
"""Steps. A row of the table is (step, a, null branch or -1, slot or -1, slot type); for those up to FIXED, values
without children, ``a`` is the size in bytes, 0 where the value itself tells."""

SIZES = {FLOAT: 4, DOUBLE: 8, BOOLEAN: 1}

TO_FLOAT, TO_INT = 0, 1
"""Slot types: which set of registers a value goes to. A string goes to two integer registers, 16 bytes at most."""

OK, ENDS_EARLY, BAD_NUMBER, BAD_LENGTH, BAD_BRANCH, BAD_TEXT, BAD_COUNT, TOO_LONG, TOO_MANY, TRAILING, FULL = range(11)
"""What the walk came to."""

MISSING = -(2**63)
"""An integer register that was never written."""

STRING_TOO_LONG = -2
"""Both registers of a string of more than 16 bytes."""

LONGEST_NUMBER = 10
"""Bytes of the longest integer."""


def _as_float(context, word):
    """The floating-point number of the same bits."""

    def generate(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], context.get_value_type(signature.return_type))

    return (types.float32 if word.bitwidth == 32 else types.float64)(word), generate


as_float: Any = intrinsic(_as_float)


@njit(cache=True, nogil=True)
def long_at(buffer, p, end):
    """A zigzag variable-length integer: (value, next position), the position negative where it fails."""
    value = np.uint64(0)
    shift = np.uint64(0)
    for _ in range(LONGEST_NUMBER):
        if p >= end:
            return np.int64(0), -ENDS_EARLY
        byte = np.uint64(buffer[p])
        p += 1
        value |= (byte & np.uint64(127)) << shift
        if byte < 128:
            return np.int64(value >> np.uint64(1)) ^ -np.int64(value & np.uint64(1)), p
        shift += np.uint64(7)
    return np.int64(0), -BAD_NUMBER


@njit(cache=True, nogil=True)
def first_bytes(word, n):
    """A little-endian integer with all but its first ``n`` bytes cleared."""
    if n >= 8:
        return np.int64(word)
    return np.int64(word & ((np.uint64(1) << np.uint64(8 * max(n, 0))) - np.uint64(1)))


@njit(cache=True, nogil=True)
def pack(buffer, p, length, slot, ints):
    """Keep a string of up to 16 bytes as two little-endian integers."""
    if length > 16:
        ints[slot] = STRING_TOO_LONG
        ints[slot + 1] = STRING_TOO_LONG
        return
    ints[slot] = np.int64(bits(buffer, p, min(length, 8)))
    ints[slot + 1] = np.int64(bits(buffer, p + 8, max(length - 8, 0)))


@njit(cache=True, nogil=True)
def bits(buffer, p, n):
    """The next ``n`` bytes as one little-endian integer; the compiler makes it one load where ``n`` is known."""
    at, word = np.uint64(p), np.uint64(0)
    for k in range(np.uint64(n)):
        word |= np.uint64(buffer[at + k]) << (np.uint64(8) * k)
    return word


@njit(cache=True, nogil=True)
def past_long(buffer, p, end):
    """Where an integer ends, negative where it is damaged."""
    for k in range(p, min(p + LONGEST_NUMBER, end)):
        if buffer[k] < 128:
            return k + 1
    return -ENDS_EARLY if p + LONGEST_NUMBER > end else -BAD_NUMBER


@njit(cache=True, nogil=True)
def past_bytes(buffer, p, end):
    """Where a length and so many bytes end, negative where they are damaged."""
    length, p = long_at(buffer, p, end)
    if p < 0:
        return p
    return p + length if 0 <= length <= end - p else -BAD_LENGTH


@njit(cache=True, nogil=True)
def keep_value(buffer, p, after, steps, step, floats, ints):
    """Put a value whose bytes are ``p`` to ``after`` at most into the register that its step names."""
    kind, slot = steps[step, 0], steps[step, 3]
    if kind == FLOAT:
        floats[slot] = as_float(np.uint32(bits(buffer, p, 4)))
    elif kind == DOUBLE:
        floats[slot] = as_float(bits(buffer, p, 8))
    elif kind == BOOLEAN:
        ints[slot] = buffer[p]
    elif kind == STRING:
        length, start = long_at(buffer, p, after)
        pack(buffer, start, length, slot, ints)
    else:
        value, _ = long_at(buffer, p, after)
        if steps[step, 4] == TO_INT:
            ints[slot] = value
        else:
            floats[slot] = value


@njit(cache=True, nogil=True)
def is_utf8(buffer, p, end):
    """Whether the bytes are UTF-8 (RFC 3629: no overlong forms, no surrogates, nothing beyond U+10FFFF)."""
    while p < end:
        first = buffer[p]
        p += 1
        if first < 0x80:
            continue
        more = 1 if first < 0xE0 else 2 if first < 0xF0 else 3
        if first < 0xC2 or first > 0xF4 or p + more > end:
            return False
        second = buffer[p]
        low = 0xA0 if first == 0xE0 else 0x90 if first == 0xF0 else 0x80
        high = 0x9F if first == 0xED else 0x8F if first == 0xF4 else 0xBF
        if second < low or second > high:
            return False
        for k in range(p + 1, p + more):
            if buffer[k] & 0xC0 != 0x80:
                return False
        p += more
    return True


@njit(cache=True, nogil=True)
def past_text(buffer, p, end):
    """Where a string ends, negative where it is damaged."""
    length, start = long_at(buffer, p, end)
    if start < 0:
        return start
    if length < 0 or length > end - start:
        return -BAD_LENGTH
    return start + length if is_utf8(buffer, start, start + length) else -BAD_TEXT


@njit(cache=True, nogil=True)
def past(buffer, p, end, kind, size):
    """Where a value without children ends, negative where it is damaged."""
    if size > 0:
        return p + size if size <= end - p else -ENDS_EARLY
    if kind == LONG:
        return past_long(buffer, p, end)
    if kind == STRING:
        return past_text(buffer, p, end)
    return past_bytes(buffer, p, end) if kind == BYTES else p
