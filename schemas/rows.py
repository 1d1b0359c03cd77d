"""Rows: the columns read from many alerts of one layout, growing as they come."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from schemas import avro_walk as w
from schemas.columns import MAX_POINTS, Layout, Program, Refusal

_REASONS = {
    w.ENDS_EARLY: "the packet ends within field {where}: {length} bytes, and more were promised",
    w.BAD_NUMBER: "field {where} at byte {at} of {length} holds no Avro integer: it runs over 10 bytes",
    w.BAD_LENGTH: "field {where} at byte {at} of {length} claims a length that is negative or beyond the end",
    w.BAD_BRANCH: "field {where} at byte {at} of {length} names a union branch that its schema does not have",
    w.BAD_COUNT: "array {where} at byte {at} of {length} claims more items than there are bytes left",
    w.TOO_LONG: "the packet unfolds to more values than its {length} bytes can hold, at field {where}",
    w.TOO_MANY: f"array {{where}} at byte {{at}} of {{length}} carries more than {MAX_POINTS:,} measurements",
}


class Rows:
    """Alerts and their measurements as they are read. ``alert(name)`` and ``point(name)`` give columns."""

    def __init__(self, layout: Layout, expected: int = 16) -> None:
        self.layout = layout
        self._alert_slots, self.n_alert_floats, self.n_alert_ints = layout.slots(layout.alert)
        self._point_slots, self.n_point_floats, self.n_point_ints = layout.slots(layout.point)
        self._first = np.array([self.n_alert_floats, self.n_alert_ints], np.int64)
        self._floats = np.empty(self.n_alert_floats + self.n_point_floats)
        self._ints = np.empty(self.n_alert_ints + self.n_point_ints, np.int64)
        self._point_floats = np.empty((64 * expected, self.n_point_floats))
        self._point_ints = np.empty((64 * expected, self.n_point_ints + 2), np.int64)
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
        self._floats.fill(np.nan)
        self._ints.fill(w.MISSING)
        while True:
            result, at, step, row = w.walk(
                buffer,
                start,
                end,
                program.steps,
                program.branches,
                self._first,
                self._floats,
                self._ints,
                self._point_floats,
                self._point_ints,
                self.n_points,
                self.n_points + MAX_POINTS - 1,
                self.n_alerts,
            )
            if result != w.FULL:
                break
            self._point_floats = _doubled(self._point_floats)
            self._point_ints = _doubled(self._point_ints)
        if result != w.OK:
            raise Refusal(_REASONS[result].format(where=program.where[step], at=at - start, length=end - start))
        self._keep(row, packet)
        return int(at)

    def _keep(self, n_points: int, packet: tuple[int, int, str]) -> None:
        if self.n_alerts == len(self._alert_floats):
            self._alert_floats, self._alert_ints = _doubled(self._alert_floats), _doubled(self._alert_ints)
        self._alert_floats[self.n_alerts] = self._floats[: self.n_alert_floats]
        self._alert_ints[self.n_alerts] = self._ints[: self.n_alert_ints]
        self.n_points = n_points
        self.n_alerts += 1
        for column, value in zip((self.packet_index, self.schema_id, self.place), packet, strict=True):
            column.append(value)  # type: ignore[attr-defined]

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


def _doubled(values: NDArray) -> NDArray:
    return np.concatenate([values, np.empty_like(values)])
