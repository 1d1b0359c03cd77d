"""Walk the bytes of one Avro record by a table of steps, keeping the wanted fields and checking every length.

The table is made from the writer's schema by ``schemas.columns``. A record that is hostile or damaged cannot read past
its end, allocate, recurse or run long: every count is checked against the bytes that are left, and the steps are
budgeted by the record's length. Avro's binary encoding: https://avro.apache.org/docs/1.12.0/specification/.
"""

# mypy: allow-untyped-defs
from __future__ import annotations

import numpy as np
from numba import njit

LONG, FLOAT, DOUBLE, BOOLEAN, BYTES, FIXED, UNION, NULLABLE, JUMP, ARRAY, NEXT, ROW, RESET, MARK, END = range(15)
"""Steps. A row of the table is (step, a, null branch or -1, slot or -1, slot type); for the first six, values without
children, ``a`` is the size in bytes, 0 where the value itself tells."""

SIZES = {FLOAT: 4, DOUBLE: 8, BOOLEAN: 1}

TO_FLOAT, TO_INT = 0, 1
"""Slot types: which set of registers a value goes to. A string goes to two integer registers, 16 bytes at most."""

OK, ENDS_EARLY, BAD_NUMBER, BAD_LENGTH, BAD_BRANCH, BAD_COUNT, TOO_LONG, TOO_MANY, FULL = range(9)
"""What the walk came to."""

MISSING = -(2**63)
"""An integer register that was never written."""

STRING_TOO_LONG = -2
"""Both registers of a string of more than 16 bytes."""

MAX_DEPTH = 64
_MAX_COUNT = 2**62


@njit(cache=True, nogil=True)
def _long(buffer, p, end):
    """A zigzag variable-length integer: (value, next position), the position negative where it fails."""
    value = np.uint64(0)
    shift = np.uint64(0)
    for _ in range(10):
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
def _block(buffer, p, end):
    """The header of a block of array or map items: (count, next position)."""
    count, p = _long(buffer, p, end)
    if p >= 0 and count < 0:
        if count < -_MAX_COUNT:
            return count, -BAD_COUNT
        count = -count
        size, p = _long(buffer, p, end)
        if p >= 0 and (size < 0 or size > end - p):
            return count, -BAD_COUNT
    if p >= 0 and count > end - p:  # an item takes at least one byte
        return count, -BAD_COUNT
    return count, p


@njit(cache=True, nogil=True)
def _pack(buffer, p, length, slot, ints):
    """Keep a string of up to 16 bytes as two little-endian integers."""
    if length > 16:
        ints[slot] = STRING_TOO_LONG
        ints[slot + 1] = STRING_TOO_LONG
        return
    for half in range(2):
        word = np.uint64(0)
        for k in range(8):
            at = 8 * half + k
            if at < length:
                word |= np.uint64(buffer[p + at]) << np.uint64(8 * k)
        ints[slot + half] = np.int64(word)


@njit(cache=True, nogil=True)
def _bits(buffer, p, n):
    word = np.uint64(0)
    for k in range(n):
        word |= np.uint64(buffer[p + k]) << np.uint64(8 * k)
    return word


@njit(cache=True, nogil=True)
def _skip_long(buffer, p, end):
    for k in range(p, min(p + 10, end)):
        if buffer[k] < 128:
            return k + 1
    return -ENDS_EARLY if p + 10 > end else -BAD_NUMBER


@njit(cache=True, nogil=True)
def _skip_bytes(buffer, p, end):
    length, p = _long(buffer, p, end)
    if p < 0:
        return p
    return p + length if 0 <= length <= end - p else -BAD_LENGTH


@njit(cache=True, nogil=True)
def _keep_value(buffer, p, after, kind, slot, target, floats, ints, word4, word8):
    """Put a value whose bytes are ``p`` to ``after`` into its register."""
    if kind == FLOAT:
        word4[0] = np.uint32(_bits(buffer, p, 4))
        floats[slot] = word4.view(np.float32)[0]
    elif kind == DOUBLE:
        word8[0] = _bits(buffer, p, 8)
        floats[slot] = word8.view(np.float64)[0]
    elif kind == BOOLEAN:
        ints[slot] = buffer[p]
    elif kind == BYTES:
        length, start = _long(buffer, p, after)
        _pack(buffer, start, length, slot, ints)
    else:
        value, _ = _long(buffer, p, after)
        if target == TO_INT:
            ints[slot] = value
        else:
            floats[slot] = value


@njit(cache=True, nogil=True)
def _past(buffer, p, end, kind, size):
    """Where a value without children ends, negative where it is damaged."""
    if size > 0:
        return p + size if size <= end - p else -ENDS_EARLY
    if kind == LONG:
        return _skip_long(buffer, p, end)
    return _skip_bytes(buffer, p, end) if kind == BYTES else p


@njit(cache=True, nogil=True)
def _control(buffer, p, end, steps, pc, branches, counts, depth):
    """A step that decides where to go on: (next position, next step, depth of arrays)."""
    kind = steps[pc, 0]
    if kind in (NULLABLE, UNION):
        branch, p = _long(buffer, p, end)
        if p < 0:
            return p, pc, depth
        if branch < 0 or branch >= (2 if kind == NULLABLE else steps[pc, 2]):
            return -BAD_BRANCH, pc, depth
        if kind == UNION:
            return p, branches[steps[pc, 1] + branch], depth
        return p, steps[pc, 1] if branch == steps[pc, 2] else pc + 1, depth
    if kind == JUMP:
        return p, steps[pc, 1], depth
    if kind == NEXT:
        counts[depth - 1] -= 1
        if counts[depth - 1] > 0:
            return p, steps[pc, 1], depth
        depth -= 1
    count, p = _block(buffer, p, end)
    if p < 0:
        return p, pc, depth
    if count == 0:
        return p, pc + 1 if kind == NEXT else steps[pc, 1], depth
    counts[depth] = count
    return p, steps[pc, 1] if kind == NEXT else pc + 1, depth + 1


@njit(cache=True, nogil=True)
def _keep_row(kind_of_row, owner, floats, ints, first, out_floats, out_ints, row):
    """Append the point registers to the output; False where it is full."""
    if row >= len(out_floats):
        return False
    out_ints[row, 0] = owner
    out_ints[row, 1] = kind_of_row
    for k in range(out_floats.shape[1]):
        out_floats[row, k] = floats[first[0] + k]
    for k in range(out_ints.shape[1] - 2):
        out_ints[row, 2 + k] = ints[first[1] + k]
    return True


@njit(cache=True, nogil=True)
def _reset(first, floats, ints, n_floats, n_ints):
    for k in range(n_floats):
        floats[first[0] + k] = np.nan
    for k in range(n_ints):
        ints[first[1] + k] = MISSING


@njit(cache=True, nogil=True)
def walk(buffer, p, end, steps, branches, first, floats, ints, out_floats, out_ints, row, last_row, owner):  # noqa: C901
    """Walk one record from ``p``: (result, position, step, next free row).

    ``floats`` and ``ints`` are the registers: the alert's first, from ``first`` on the point's, which every ROW step
    appends to ``out_floats`` and ``out_ints`` (whose first two columns are ``owner`` and the kind of row). No row
    beyond ``last_row`` is kept. On failure the position and the step are those where it happened.
    """
    word4, word8 = np.empty(1, np.uint32), np.empty(1, np.uint64)
    counts = np.empty(MAX_DEPTH + 1, np.int64)
    pc, depth, budget = 0, 0, 24 * (end - p) + 4 * len(steps) + 1000
    while budget > 0:
        budget -= 1
        kind = steps[pc, 0]
        if kind <= FIXED:  # most steps: one value, perhaps null
            null = steps[pc, 2]
            if null >= 0:
                if p >= end:
                    return ENDS_EARLY, p, pc, row
                branch = buffer[p]
                if branch != 0 and branch != 2:
                    return BAD_BRANCH, p, pc, row
                p += 1
                if branch == 2 * null:
                    pc += 1
                    continue
            after = _past(buffer, p, end, kind, steps[pc, 1])
            if after < 0:
                return -after, p, pc, row
            if steps[pc, 3] >= 0:
                _keep_value(buffer, p, after, kind, steps[pc, 3], steps[pc, 4], floats, ints, word4, word8)
            p, pc = after, pc + 1
        elif kind == END:
            return OK, p, pc, row
        elif kind == RESET:
            _reset(first, floats, ints, out_floats.shape[1], out_ints.shape[1] - 2)
            pc += 1
        elif kind == MARK:
            ints[steps[pc, 3]] = 1
            pc += 1
        elif kind == ROW:
            if row > last_row:
                return TOO_MANY, p, pc, row
            if not _keep_row(steps[pc, 1], owner, floats, ints, first, out_floats, out_ints, row):
                return FULL, p, pc, row
            row, pc = row + 1, pc + 1
        else:
            after, following, depth = _control(buffer, p, end, steps, pc, branches, counts, depth)
            if after < 0:
                return -after, p, pc, row
            p, pc = after, following
    return TOO_LONG, p, pc, row
