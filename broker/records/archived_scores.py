"""The newest novelty score of each object, read from the archive as it grows: each file once, the newest first.

Memory is bounded: of a cell (survey and phase) only the most recent objects are kept, of a pass over the archive only
so many rows are read. A file that cannot be read is passed over with a warning.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from models.scoring.calibration import EPOCH_EDGES, epoch_bin
from models.scoring.recent_scores import OBJECTS_KEPT
from schemas.passbands import SURVEYS
from schemas.taxonomy import NOT_CLASSIFIED

COLUMNS = (
    "alert_id", "object_id", "survey", "alert_mjd", "input_time_ms", "n_detections", "class_id", "novelty_score",
    "model_sha256",
)  # fmt: skip
"""What is read of a file."""

ROWS_A_PASS = 300_000
"""A pass over the archive ends after so many rows, with the newest files read."""

SLACK_NS = 600 * 1_000_000_000
"""A file appears after it was written: it counts as new for so long, nanoseconds."""

ROW = np.dtype(
    [
        ("survey", np.int64), ("epoch_bin", np.int64), ("object_id", np.int64), ("alert_mjd", np.float64),
        ("alert_id", np.int64), ("input_time_ms", np.int64), ("score", np.float32),
    ]
)  # fmt: skip
"""One score of one object."""

Rows = NDArray[np.void]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Place:
    """A file of the archive and when it was written, nanoseconds since 1970."""

    night: str
    name: str
    written_ns: int


class NewFiles:
    """The files of an archive that were not there when it was last asked."""

    def __init__(self, archive: Path) -> None:
        self._archive = archive
        self._changed_ns: dict[str, int] = {}
        self._newest_ns = 0
        self._recent: set[_Place] = set()

    def __iter__(self) -> Iterator[Path]:
        """New files, the newest night first, in it the file written last. Those not taken count as seen."""
        new = [place for night in self._changed_nights() for place in self._new_of(night)]
        self._newest_ns = max([self._newest_ns, *(place.written_ns for place in new)])
        self._recent = {place for place in self._recent | set(new) if self._may_appear(place.written_ns)}
        new.sort(key=lambda place: (place.night, place.written_ns, place.name), reverse=True)
        return (self._archive / place.night / place.name for place in new)

    def _changed_nights(self) -> list[str]:
        folders = [folder for folder in self._archive.glob("night=*") if folder.is_dir()]
        changed = {folder.name: folder.stat().st_mtime_ns for folder in folders}
        nights = [night for night, time_ns in changed.items() if self._changed_ns.get(night) != time_ns]
        self._changed_ns = changed
        return nights

    def _new_of(self, night: str) -> list[_Place]:
        files = [
            _Place(night, file.name, file.stat().st_mtime_ns)
            for file in (self._archive / night).glob("*.parquet")
            if file.is_file()
        ]
        return [place for place in files if self._may_appear(place.written_ns) and place not in self._recent]

    def _may_appear(self, written_ns: int) -> bool:
        return written_ns >= self._newest_ns - SLACK_NS


def read_scores(file: Path, more: Collection[str] = ()) -> tuple[Rows, pa.Table] | None:
    """The scores in a file of the archive, of alerts with a class and an object, and their columns ``more`` and
    ``model_sha256``. None, with a line in the log, where the file cannot be read or has no such columns."""
    columns = list(dict.fromkeys([*COLUMNS, *more]))
    try:
        with pq.ParquetFile(file) as opened:
            missing = set(columns) - set(opened.schema_arrow.names)
            if missing:
                log.info("%s is passed over: an older broker wrote it, without %s", file, ", ".join(sorted(missing)))
                return None
            table = opened.read(columns=columns, use_threads=False)
        rows = _rows(table)
        usable = (rows["survey"] >= 0) & (rows["object_id"] != 0) & np.isfinite(rows["score"])
        places = np.flatnonzero(usable & (table["class_id"].to_numpy() != NOT_CLASSIFIED))
        return rows[places], table.select(["model_sha256", *more]).take(pa.array(places))
    except (OSError, pa.ArrowException, TypeError, ValueError) as error:
        log.warning("%s is passed over, its scores do not count among the recent ones: %s", file, error)
        return None


def _rows(table: pa.Table) -> Rows:
    code_of = {name: code for code, name in enumerate(SURVEYS)}
    surveys = table["survey"].combine_chunks().dictionary_encode()
    codes = np.array([code_of.get(name, -1) for name in surveys.dictionary.to_pylist()] + [-1])
    rows = np.zeros(table.num_rows, ROW)
    rows["survey"] = codes[surveys.indices.fill_null(-1).to_numpy(zero_copy_only=False)]
    for name in ("object_id", "alert_mjd", "alert_id", "input_time_ms"):
        rows[name] = table[name].to_numpy()
    rows["score"] = table["novelty_score"].to_numpy()
    rows["epoch_bin"] = epoch_bin(table["n_detections"].to_numpy())
    return rows


def newest_of_each(rows: Rows, kept: Collection[int] = (), at_most: int = OBJECTS_KEPT) -> NDArray[np.int64]:
    """The places of one row an object and cell, its latest; of each cell the ``at_most`` objects that came in last,
    and the objects ``kept``, however old. In the same order whatever the order of the rows."""
    columns = ("alert_id", "alert_mjd", "object_id", "epoch_bin", "survey")
    order = np.lexsort([rows[name] for name in columns])
    is_last = np.ones(len(rows), bool)
    is_last[:-1] = np.any([np.diff(rows[name][order]) != 0 for name in columns[2:]], axis=0)
    order = order[is_last]
    latest = rows[order]
    by_time = np.lexsort((latest["object_id"], -latest["input_time_ms"], latest["epoch_bin"], latest["survey"]))
    order, latest = order[by_time], latest[by_time]
    cell = latest["survey"] * (len(EPOCH_EDGES) + 1) + latest["epoch_bin"]
    rank = np.arange(len(cell)) - np.searchsorted(cell, cell, side="left")
    return order[(rank < at_most) | np.isin(latest["object_id"], list(kept))]
