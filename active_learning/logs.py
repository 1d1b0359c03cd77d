"""The logs that requests and labels are kept in, as this room sees them: where they are stored, the broker knows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

Record = dict[str, Any]


class NotSaved(OSError):
    """The log did not confirm a record: it must be taken as lost."""


class Stored(NamedTuple):
    """A record of the log and where it lies."""

    partition: int
    offset: int
    record: Record


class CutOff(NamedTuple):
    """Since when (ms since 1970 UTC) a log cannot be read, and why, in words."""

    since_ms: int
    why: str


class Log(Protocol):
    """An append-only log of one kind of record, kept for ever; the records of an object keep their order."""

    topic: str

    def append(self, records: Sequence[Record]) -> list[tuple[int, int]]:
        """Store records; returns partition and offset of each once all are stored. Raises NotSaved, and ValueError
        where one is not of the log's kind."""

    def read(self) -> list[Stored]:
        """Every record up to now, in their order; none where the log is new. Raises OSError where it can't be read."""


class FollowedLog(Protocol):
    """A log that is read on as it grows, so that its records are at hand at once."""

    @property
    def cut_off(self) -> CutOff | None:
        """Why :meth:`records` may be out of date; None where all is well."""

    def start(self) -> None:
        """Begin to read."""

    def close(self) -> None:
        """Stop reading and end the connections."""

    def wait_until_read(self, timeout_s: float) -> bool:
        """Wait until everything that was there at the start has been read; False where that takes longer."""

    def records(self) -> list[Record]:
        """Everything read or appended so far, in order of partition and offset."""

    def append(self, record: Record) -> tuple[int, int]:
        """Store a record; returns its partition and offset once it is stored. Raises NotSaved."""
