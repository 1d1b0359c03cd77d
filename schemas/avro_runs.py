"""Values in a row, read once with care and then recognised.

The measurements of one survey are all alike: the same fields are null, numbers take the same number of bytes. A run
is a sequence of values without children. Where it was read last, the bytes that decided how long each value is are
remembered with their place; where the next run has the same bytes there, its values lie in the same places, and
the run is read by a few comparisons that don't wait for each other. Where it differs it is read step by step again.
"""

# mypy: allow-untyped-defs
from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from schemas.avro_values import (
    BAD_BRANCH,
    BYTES,
    DOUBLE,
    ENDS_EARLY,
    FIXED,
    FLOAT,
    LONG,
    OK,
    STRING,
    as_float,
    bits,
    first_bytes,
    keep_value,
    long_at,
    past,
)

SHORTEST = 3
"""Values that make a run worth it."""

ROOM_PER_VALUE = 16
"""Bytes that a value of a run may take on average; a longer run is read step by step every time."""

STRIDE = 32
"""Bytes are compared so many at a time: the width of a vector."""

RUN_END, FIRST_BYTE, ROOM, FIRST_KEPT, KEPT_END = range(5)
"""Columns of the table of runs."""


def runs_of(steps: NDArray[np.int64], branches: NDArray[np.int64]) -> tuple[NDArray, NDArray, NDArray]:
    """The runs of a program: (run that begins at each step or -1, table of runs, steps whose values are kept).

    No run goes past a step that another may jump to.
    """
    targets = {*branches.tolist(), *steps[steps[:, 0] > FIXED, 1].tolist()}
    kept = np.flatnonzero((steps[:, 0] <= FIXED) & (steps[:, 3] >= 0))
    begins, room = np.full(len(steps), -1, np.int64), 0
    table: list[list[int]] = []
    pc = 0
    while pc < len(steps):
        end = pc
        while steps[end, 0] <= FIXED and (end == pc or end not in targets):
            end += 1
        if end - pc >= SHORTEST:
            begins[pc] = len(table)
            room_of_run = STRIDE * (ROOM_PER_VALUE * (end - pc) // STRIDE + 1)
            table.append([end, room, room_of_run, *np.searchsorted(kept, (pc, end)).tolist()])
            room += table[-1][ROOM]
        pc = max(end, pc + 1)
    return begins, np.array(table or np.zeros((0, 5)), np.int64).reshape(-1, 5), kept


def blank_memory(table: NDArray[np.int64], n_steps: int) -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """What is remembered of a program's runs, before the first: of each run its length in bytes (-1: nothing is
    remembered); of each of its bytes which bits decide, and what they were; and of each step the place of its value, -1
    where it was null."""
    lengths, room = np.full(len(table), -1, np.int64), int(table[:, ROOM].sum())
    return lengths, np.zeros(room, np.uint8), np.zeros(room, np.uint8), np.full(n_steps, -1, np.int64)


@njit(cache=True, nogil=True, inline="always")
def recall(buffer, p, end, run, steps, table, kept, lengths, deciding, was, value_at, floats, ints):
    """The position after a run like the last one, its values kept; -1 where it is another.

    The arrays come one by one: to take them out of tuples here would cost more than the rest.
    """
    length = lengths[run]
    looked_at = (length + STRIDE - 1) // STRIDE * STRIDE
    if length < 0 or looked_at > end - p:
        return -1
    start, first, differs = np.uint64(p), np.uint64(table[run, FIRST_BYTE]), np.uint8(0)
    for block in range(np.uint64(0), np.uint64(looked_at), np.uint64(STRIDE)):  # unsigned: a check for negatives costs
        for j in range(np.uint64(STRIDE)):  # so many that one vector instruction does it
            k = block + j
            differs |= (buffer[start + k] ^ was[first + k]) & deciding[first + k]
    if differs != 0:
        return -1
    for k in range(table[run, FIRST_KEPT], table[run, KEPT_END]):
        step = kept[k]
        at, kind = p + value_at[step], steps[step, 0]
        if value_at[step] < 0:
            continue
        if kind == DOUBLE:  # a call would take longer than the work
            floats[steps[step, 3]] = as_float(bits(buffer, at, 8))
        elif kind == FLOAT:
            floats[steps[step, 3]] = as_float(np.uint32(bits(buffer, at, 4)))
        elif kind == STRING and buffer[at] <= 32 and at + 17 <= end:  # 16 bytes at most, and as many to look at
            ints[steps[step, 3]] = first_bytes(bits(buffer, at + 1, 8), buffer[at] >> 1)
            ints[steps[step, 3] + 1] = first_bytes(bits(buffer, at + 9, 8), (buffer[at] >> 1) - 8)
        else:
            keep_value(buffer, at, end, steps, step, floats, ints)
    return p + length


@njit(cache=True, nogil=True)
def learn(buffer, p, end, pc, run, steps, table, lengths, deciding, was, value_at, floats, ints):
    """Read a run step by step and remember it: (result, position, step where it failed)."""
    start, first, room = p, table[run, FIRST_BYTE], table[run, ROOM]
    lengths[run] = -1
    deciding[first : first + room] = 0
    is_plain = True
    for step in range(pc, table[run, RUN_END]):
        value_at[step] = -1
        null = steps[step, 2]
        if null >= 0:
            if p >= end:
                return ENDS_EARLY, p, step
            branch = buffer[p]
            if branch != 0 and branch != 2:
                return BAD_BRANCH, p, step
            _decides(deciding, was, first, room, p - start, 255, branch)
            p += 1
            if branch == 2 * null:
                continue
        after = past(buffer, p, end, steps[step, 0], steps[step, 1])
        if after < 0:
            return -after, p, step
        if after - start <= room:
            is_plain &= _remember(buffer, p, after, steps[step, 0], deciding, was, first, room, start)
        if steps[step, 3] >= 0:
            value_at[step] = p - start
            keep_value(buffer, p, after, steps, step, floats, ints)
        p = after
    if p - start <= room and is_plain:
        lengths[run] = p - start
    return OK, p, pc


@njit(cache=True, nogil=True)
def _decides(deciding, was, first, room, at, mask, value):
    """Remember a byte that decides about lengths; where there is no room the run is too long to be remembered."""
    if at < room:
        deciding[first + at], was[first + at] = mask, value


@njit(cache=True, nogil=True)
def _remember(buffer, p, after, kind, deciding, was, first, room, start):
    """Remember the bytes of a value that tell its length: a number's continuation bits, a length; and of a string that
    it is ASCII. False where it is not."""
    if kind == LONG:
        for k in range(p, after):
            _decides(deciding, was, first, room, k - start, 128, buffer[k] & 128)
    elif kind in (BYTES, STRING):
        _, content = long_at(buffer, p, after)
        for k in range(p, content):
            _decides(deciding, was, first, room, k - start, 255, buffer[k])
        if kind == STRING:
            for k in range(content, after):
                if buffer[k] >= 128:
                    return False
                _decides(deciding, was, first, room, k - start, 128, 0)
    return True
