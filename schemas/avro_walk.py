"""Walk the bytes of one Avro record by a table of steps, keeping the wanted fields and checking every length.

The table is made from the writer's schema by ``schemas.columns``. A record that is hostile or damaged cannot read past
its end, allocate, recurse or run long: every count is checked against the bytes that are left, and the steps are
budgeted by the record's length. Avro's binary encoding: https://avro.apache.org/docs/1.12.0/specification/.
"""

# mypy: allow-untyped-defs
from __future__ import annotations

from typing import Any

import numpy as np
from numba import carray, njit, types
from numba.extending import intrinsic

from schemas.avro_runs import RUN_END, learn, recall
from schemas.avro_values import (
    BAD_BRANCH,
    BAD_COUNT,
    END,
    ENDS_EARLY,
    FIXED,
    FULL,
    JUMP,
    MARK,
    MISSING,
    NEXT,
    NULLABLE,
    OK,
    RESET,
    ROW,
    TOO_LONG,
    TOO_MANY,
    TRAILING,
    UNION,
    keep_value,
    long_at,
    past,
)

MAX_DEPTH = 64
_MAX_COUNT = 2**62


@njit(cache=True, nogil=True)
def _block(buffer, p, end):
    """The header of a block of array or map items: (count, next position)."""
    count, p = long_at(buffer, p, end)
    if p >= 0 and count < 0:
        if count < -_MAX_COUNT:
            return count, -BAD_COUNT
        count = -count
        size, p = long_at(buffer, p, end)
        if p >= 0 and (size < 0 or size > end - p):
            return count, -BAD_COUNT
    if p >= 0 and count > end - p:  # an item takes at least one byte
        return count, -BAD_COUNT
    return count, p


@njit(cache=True, nogil=True)
def _control(buffer, p, end, steps, pc, branches, counts, depth):
    """A step that decides where to go on: (next position, next step, depth of arrays)."""
    kind = steps[pc, 0]
    if kind in (NULLABLE, UNION):
        branch, p = long_at(buffer, p, end)
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


@njit(cache=True, nogil=True, inline="always")
def _keep_row(kind_of_row, owner, first, floats, ints, out_floats, out_ints, row):
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


@njit(cache=True, nogil=True, inline="always")
def _reset(first, floats, ints):
    for k in range(first[0], len(floats)):
        floats[k] = np.nan
    for k in range(first[1], len(ints)):
        ints[k] = MISSING


@njit(cache=True, nogil=True)
def walk(buffer, p, end, program, memory, first, registers, out, row, last_row, owner):  # noqa: C901
    """Walk one record from ``p``: (result, position, step, next free row).

    ``program`` is (steps, run that begins at each, table of runs, kept steps, branches of unions). ``registers`` are
    floats and integers: the alert's first, from ``first`` on the point's, which every ROW step
    appends to ``out``, floats and integers (whose first two columns are ``owner`` and the kind of row). No row
    beyond ``last_row`` is kept. On failure the position and the step are those where it happened.
    """
    steps, begins, table, kept, branches = program
    lengths, deciding, was, value_at = memory
    floats, ints = registers
    out_floats, out_ints = out
    counts = np.empty(MAX_DEPTH + 1, np.int64)
    pc, depth, budget = 0, 0, 24 * (end - p) + 4 * len(steps) + 1000
    while budget > 0:
        budget -= 1
        kind, run = steps[pc, 0], begins[pc]
        if run >= 0:  # most steps are in runs
            after = recall(buffer, p, end, run, steps, table, kept, lengths, deciding, was, value_at, floats, ints)
            if after < 0:
                result, after, failed = learn(
                    buffer, p, end, pc, run, steps, table, lengths, deciding, was, value_at, floats, ints
                )
                if result != OK:
                    return result, after, failed, row
            budget -= table[run, RUN_END] - pc
            p, pc = after, table[run, RUN_END]
        elif kind <= FIXED:
            after = _value(buffer, p, end, steps, pc, floats, ints)
            if after < 0:
                return -after, p, pc, row
            p, pc = after, pc + 1
        elif kind == END:
            return OK, p, pc, row
        elif kind == NEXT and counts[depth - 1] > 1:
            counts[depth - 1] -= 1
            pc = steps[pc, 1]
        elif kind == RESET:
            _reset(first, floats, ints)
            pc += 1
        elif kind == MARK:
            ints[steps[pc, 3]] = 1
            pc += 1
        elif kind == ROW:
            if row > last_row:
                return TOO_MANY, p, pc, row
            if not _keep_row(steps[pc, 1], owner, first, floats, ints, out_floats, out_ints, row):
                return FULL, p, pc, row
            row, pc = row + 1, pc + 1
        else:
            after, following, depth = _control(buffer, p, end, steps, pc, branches, counts, depth)
            if after < 0:
                return -after, p, pc, row
            p, pc = after, following
    return TOO_LONG, p, pc, row


@njit(cache=True, nogil=True)
def _value(buffer, p, end, steps, pc, floats, ints):
    """Read a value that stands alone: where it ends, negative where it is damaged."""
    null = steps[pc, 2]
    if null >= 0:
        if p >= end:
            return -ENDS_EARLY
        branch = buffer[p]
        if branch != 0 and branch != 2:
            return -BAD_BRANCH
        p += 1
        if branch == 2 * null:
            return p
    after = past(buffer, p, end, steps[pc, 0], steps[pc, 1])
    if after >= 0 and steps[pc, 3] >= 0:
        keep_value(buffer, p, after, steps, pc, floats, ints)
    return after


def _bytes_at(context, address):
    """A number as the pointer that it is."""

    def generate(context, builder, signature, arguments):
        return builder.inttoptr(arguments[0], context.get_value_type(signature.return_type))

    return types.CPointer(types.uint8)(address), generate


bytes_at: Any = intrinsic(_bytes_at)


@njit(cache=True, nogil=True)
def walk_messages(messages, start, header, program, memory, first, registers, out, alerts, n_points, max_points):
    """Walk the record of each message, from message ``start`` on, until all are done or ``out`` is full.

    ``messages`` (n, 2) uint64: address and length; they must stay where they are. A record begins after ``header``
    bytes and ends with its message. ``alerts`` = (floats, integers, results (n, 4)): the registers of each alert, and
    of each message result, position, step and number of points. Returns the next message and the next free row.
    """
    alert_floats, alert_ints, results = alerts
    floats, ints = registers
    for i in range(start, len(messages)):
        length = np.int64(messages[i, 1])
        buffer = carray(bytes_at(messages[i, 0]), (length,))  # type: ignore[type-var]
        floats[:] = np.nan
        ints[:] = MISSING
        result, at, step, row = walk(
            buffer, header, length, program, memory, first, registers, out, n_points, n_points + max_points - 1, i
        )
        if result == FULL:
            return i, n_points
        if result == OK and at != length:
            result = TRAILING
        results[i] = result, at, step, row - n_points
        if result == OK:
            n_points = row
        alert_floats[i] = floats[: first[0]]
        alert_ints[i] = ints[: first[1]]
    return len(messages), n_points
