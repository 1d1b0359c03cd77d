"""The columns that a reader fills from packets of one layout; they grow with each packet."""

from __future__ import annotations

import ctypes

import numpy as np
from numpy.typing import NDArray

from schemas import avro_values as w
from schemas.avro_runs import blank_memory
from schemas.avro_walk import walk, walk_messages
from schemas.columns import MAX_POINTS, Layout, Program, Refusal

FOUND_BYTES = 12
"""Bytes shown of what was found where a record is damaged: a number of ten bytes and what decides before it."""

_REASONS = {
    w.ENDS_EARLY: "the packet ends within field {where} at byte {at} of {length}: more was promised",
    w.BAD_NUMBER: "field {where} at byte {at} of {length} holds no Avro integer, which has at most 10 bytes: {found}",
    w.BAD_LENGTH: "field {where} at byte {at} of {length} claims a length that is negative or beyond the end: {found}",
    w.BAD_BRANCH: "field {where} at byte {at} of {length} names a union branch that its schema does not have: {found}",
    w.BAD_TEXT: "field {where} at byte {at} of {length} holds no text: its bytes are not UTF-8: {found}",
    w.BAD_COUNT: "array {where} at byte {at} of {length} claims more items than there are bytes left: {found}",
    w.TOO_LONG: "the packet unfolds to more values than its {length} bytes can hold, at field {where}, byte {at}",
    w.TRAILING: "the packet ends at byte {at} of {length}, and {rest} more follow it",
    w.TOO_MANY: f"array {{where}} at byte {{at}} of {{length}} carries more than {MAX_POINTS:,} measurements",
}


class PacketRows:
    """Alerts and their measurements as they are read. ``alert(name)`` and ``point(name)`` give columns."""

    def __init__(self, layout: Layout, expected: int = 16, expected_points: int = 1_000) -> None:
        self.layout = layout
        self._alert_slots, self.n_alert_floats, self.n_alert_ints = layout.slots(layout.alert)
        self._point_slots, self.n_point_floats, self.n_point_ints = layout.slots(layout.point)
        self._first = np.array([self.n_alert_floats, self.n_alert_ints], np.int64)
        self._registers = (
            np.empty(self.n_alert_floats + self.n_point_floats),
            np.empty(self.n_alert_ints + self.n_point_ints, np.int64),
        )
        self._memory: dict[int, tuple[Program, tuple[NDArray, ...]]] = {}
        self._point_floats = np.empty((expected_points, self.n_point_floats))
        self._point_ints = np.empty((expected_points, self.n_point_ints + 2), np.int64)
        self._alert_floats = np.empty((expected, self.n_alert_floats))
        self._alert_ints = np.empty((expected, self.n_alert_ints), np.int64)
        self.n_alerts = 0
        self.n_points = 0
        self.schema_id: list[int] = []
        self.packet_index: list[int] = []
        self.place: list[str] = []

    def read(
        self, program: Program, buffer: NDArray[np.uint8], start: int, end: int, packet: tuple[int, int, str]
    ) -> int:
        """Read the record at ``start``; returns where it ends. Raises Refusal where it is damaged.

        ``packet`` is its message's place in the batch, its schema id, and words that tell which alert of the message.
        """
        floats, ints = self._registers
        floats.fill(np.nan)
        ints.fill(w.MISSING)
        memory, out, result = self._remembered(program), self._out(), w.FULL
        last_row = self.n_points + MAX_POINTS - 1
        while result == w.FULL:
            result, at, step, row = walk(
                buffer, start, end, program.tables, memory, self._first, self._registers, out, self.n_points, last_row,
                self.n_alerts,
            )  # fmt: skip
            out = self._grown() if result == w.FULL else out
        if result != w.OK:
            raise Refusal(_reason(program, result, at - start, step, buffer[start:end].tobytes()))
        self._keep(floats[None, : self.n_alert_floats], ints[None, : self.n_alert_ints], row)
        for column, value in zip((self.packet_index, self.schema_id, self.place), packet, strict=True):
            column.append(value)  # type: ignore[attr-defined]
        return int(at)

    def read_messages(
        self, program: Program, messages: list[bytes], header_bytes: int, index: list[int], schema_id: int
    ) -> list[tuple[int, str]]:
        """Read the record that each message holds after its header; returns what was refused, and why.

        ``index`` holds the messages' places in the batch, by which refusals are told too.
        """
        n, at, n_points = len(messages), 0, self.n_points
        pointers = (ctypes.c_char_p * n)(*messages)
        addresses = np.frombuffer(memoryview(pointers), np.uint64)
        places = np.stack([addresses, np.fromiter(map(len, messages), np.uint64, n)], axis=1)
        floats, ints = np.empty((n, self.n_alert_floats)), np.empty((n, self.n_alert_ints), np.int64)
        results = np.empty((n, 4), np.int64)
        out, memory = self._out(), self._remembered(program)
        while at < n:
            at, n_points = walk_messages(
                places, at, header_bytes, program.tables, memory, self._first, self._registers, out,
                (floats, ints, results), n_points, MAX_POINTS,
            )  # fmt: skip
            out = self._grown() if at < n else out
        good = results[:, 0] == w.OK
        owner = self._point_ints[self.n_points : n_points, 0]
        owner[:] = (np.cumsum(good) - 1 + self.n_alerts)[owner]
        self._keep(floats[good], ints[good], n_points)
        kept = [index[i] for i in np.flatnonzero(good).tolist()]
        self.packet_index += kept
        self.schema_id += [schema_id] * len(kept)
        self.place += [""] * len(kept)
        refused = []
        for i in np.flatnonzero(~good).tolist():
            result, stopped_at, step, _ = results[i].tolist()
            refused.append((index[i], _reason(program, result, stopped_at, step, messages[i])))
        return refused

    def _remembered(self, program: Program) -> tuple[NDArray, ...]:
        """What was last read with a program; a new batch remembers nothing, so that it is read alike anywhere."""
        if id(program) not in self._memory:
            steps, _, table, _, _ = program.tables
            self._memory[id(program)] = program, blank_memory(table, len(steps))
        return self._memory[id(program)][1]

    def _out(self) -> tuple[NDArray, NDArray]:
        return self._point_floats, self._point_ints

    def _grown(self) -> tuple[NDArray, NDArray]:
        self._point_floats, self._point_ints = _doubled(self._point_floats), _doubled(self._point_ints)
        return self._out()

    def _keep(self, floats: NDArray, ints: NDArray, n_points: int) -> None:
        end = self.n_alerts + len(floats)
        while end > len(self._alert_floats):
            self._alert_floats, self._alert_ints = _doubled(self._alert_floats), _doubled(self._alert_ints)
        self._alert_floats[self.n_alerts : end] = floats
        self._alert_ints[self.n_alerts : end] = ints
        self.n_alerts, self.n_points = end, n_points

    def forget_after(self, n_alerts: int, n_points: int) -> None:
        """Drop the alerts read since there were so many: a message counts as a whole, or not at all."""
        self.n_alerts, self.n_points = n_alerts, n_points
        del self.packet_index[n_alerts:], self.schema_id[n_alerts:], self.place[n_alerts:]

    def alert(self, name: str) -> NDArray:
        """A column of the alerts, shape (n_alerts,), or (n_alerts, 2) for text."""
        return _column(self.layout.alert[name].kind, self._alert_slots[name], self._alert_floats, self._alert_ints)[
            : self.n_alerts
        ]

    def point(self, name: str) -> NDArray:
        """A column of the measurements, shape (n_points,), or (n_points, 2) for text."""
        kind, slot = self.layout.point[name].kind, self._point_slots[name]
        return _column(kind, slot, self._point_floats, self._point_ints[:, 2:])[: self.n_points]

    @property
    def owner(self) -> NDArray[np.int64]:
        """The alert of each measurement, as a row number."""
        return self._point_ints[: self.n_points, 0]

    @property
    def array(self) -> NDArray[np.int64]:
        """The array each measurement came from, by the number in the layout."""
        return self._point_ints[: self.n_points, 1]


def word(text: str) -> int:
    """A text of up to 8 bytes as the first of the two integers it is kept as."""
    return int.from_bytes(text.encode().ljust(8, b"\0"), "little", signed=True)


def texts(words: NDArray[np.int64]) -> list[str]:
    """Texts of shape (n, 2) columns; "" where the field is null, or longer than 16 bytes."""
    kept = np.where((words == w.MISSING) | (words == w.STRING_TOO_LONG), 0, words).astype("<i8")
    return [row.tobytes().rstrip(b"\0").decode("utf-8", "replace") for row in kept]


def _column(kind: str, slot: int, floats: NDArray, ints: NDArray) -> NDArray:
    if kind == "float":
        return floats[:, slot]
    return ints[:, slot : slot + 2] if kind == "text" else ints[:, slot]


def _reason(program: Program, result: int, at: int, step: int, data: bytes) -> str:
    """Why the record in ``data`` was refused, and the bytes that stand where it was."""
    bytes_there = f"found {data[at : at + FOUND_BYTES].hex() or 'nothing'}"
    return _REASONS[result].format(
        where=program.where[step], at=at, length=len(data), rest=len(data) - at, found=bytes_there
    )


def _doubled(values: NDArray) -> NDArray:
    return np.concatenate([values, np.empty_like(values)])
