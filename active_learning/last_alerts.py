"""The newest classified alert of every object that the archive has of some nights, as columns.

The archive is read twice, file by file: first the columns that say which alert is an object's newest, then all others
of these alerts alone. So memory grows with the number of objects, not of alerts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from features.catalogue import NAMES
from models.progress import Progress, silent
from schemas.night import night_of_date

_KEYS = ("object_id", "alert_id", "alert_mjd", "not_classified_reason")

COLUMNS = (
    *("object_id", "object_name", "survey", "alert_id", "alert_mjd", "input_topic", "input_partition", "input_offset"),
    *("ra_deg", "dec_deg", "class_id", "class_ids", "p_survey", "host_photoz", "host_photoz_err"),
)
"""Columns of the archive that are kept beside the features."""

_NIGHT = re.compile(r"night=(\d{4}-\d{2}-\d{2})")


@dataclass(frozen=True, slots=True)
class LastAlerts:
    """One alert an object, in order of the objects' ids.

    - ``table``: :data:`COLUMNS`, n rows; a column that an old archive lacks is null.
    - ``features``: (n, f), float32, in the order of the catalogue; NaN where missing.
    """

    table: pa.Table
    features: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.features)

    @property
    def object_id(self) -> NDArray[np.int64]:
        """The survey's ids of the objects, ascending, (n,)."""
        return np.asarray(self.table["object_id"].to_numpy(), np.int64)

    def select(self, chosen: NDArray[np.bool_]) -> LastAlerts:
        """The objects of a mask, (n,)."""
        return LastAlerts(self.table.filter(pa.array(chosen)), self.features[chosen])


def nights_of(archive: Path) -> dict[int, list[Path]]:
    """The Parquet files of each night in the archive, by the MJD of its evening, nights ascending."""
    files_by_night: dict[int, list[Path]] = {}
    for folder in sorted(archive.glob("night=*")):
        match = _NIGHT.fullmatch(folder.name)
        files = sorted(file for file in folder.glob("*.parquet") if not file.name.startswith("."))
        if match and files:
            files_by_night[night_of_date(match[1])] = files
    return files_by_night


def read(files: Sequence[Path], progress: Progress = silent) -> LastAlerts:
    """The newest classified alert of each object in ``files``: by time, then by the alert's id, then by the file's age.

    Alerts that were not classified or belong to no object are passed over; so are objects whose newest alert has
    other features than this program's catalogue. Raises OSError or ValueError, with the name of a file that cannot be
    read.
    """
    files = sorted(files, key=lambda file: (file.stat().st_mtime_ns, file))
    chosen = _newest(files, progress)
    parts = []
    for number, (file, rows) in enumerate(zip(files, chosen, strict=True)):
        if len(rows):
            parts.append(_rows(file, rows))
        progress("reading the objects' newest alerts", number + 1, len(files))
    if not parts:
        return LastAlerts(_table({}, 0), np.zeros((0, len(NAMES)), np.float32))
    table = pa.concat_tables([table for table, _ in parts]).combine_chunks()
    features = np.concatenate([features for _, features in parts])
    order = np.argsort(table["object_id"].to_numpy(), kind="stable")
    return LastAlerts(table.take(pa.array(order)), features[order])


def _newest(files: Sequence[Path], progress: Progress) -> list[NDArray[np.int64]]:
    """For each file the rows that are the newest alerts of their objects, ascending."""
    columns: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]] = []
    file_of_part = []
    for number, file in enumerate(files):
        keys = _read(file, _KEYS)
        usable = pc.and_(pc.not_equal(keys["object_id"], 0), pc.equal(keys["not_classified_reason"], ""))
        rows = np.flatnonzero(usable.fill_null(False).to_numpy(zero_copy_only=False))
        of_rows = keys.select(["object_id", "alert_id", "alert_mjd"]).take(pa.array(rows))
        columns.append((*(of_rows[name].to_numpy() for name in of_rows.column_names), rows))
        file_of_part.append(np.full(len(rows), number))
        progress("finding the objects' newest alerts", number + 1, len(files))
    if not columns:
        return []
    object_id, alert_id, alert_mjd, row = (np.concatenate(parts) for parts in zip(*columns, strict=True))
    order = np.lexsort((alert_id, alert_mjd, object_id))  # equal ones stay in order of the files' age
    is_last = np.append(np.diff(object_id[order]) != 0, True)[: len(order)]
    newest, file_number = order[is_last], np.concatenate(file_of_part)
    return [np.sort(row[newest[file_number[newest] == number]]) for number in range(len(files))]


def _rows(file: Path, rows: NDArray[np.int64]) -> tuple[pa.Table, NDArray[np.float32]]:
    alerts = _read(file, (*COLUMNS, "features")).take(pa.array(rows))
    alerts = alerts.filter(pc.equal(pc.list_value_length(alerts["features"]), len(NAMES)))
    flat = alerts["features"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
    features = np.asarray(flat, np.float32).reshape(len(alerts), len(NAMES))
    return _table({name: alerts[name] for name in COLUMNS if name in alerts.column_names}, len(alerts)), features


def _table(columns: dict[str, pa.ChunkedArray], n: int) -> pa.Table:
    """All of :data:`COLUMNS`, with nulls where there are none."""
    types = {"host_photoz": pa.float32(), "host_photoz_err": pa.float32(), "object_id": pa.int64()}
    return pa.table({name: columns.get(name, pa.nulls(n, types.get(name, pa.null()))) for name in COLUMNS})


def _read(file: Path, names: Sequence[str]) -> pa.Table:
    try:
        parquet = pq.ParquetFile(file)
        present = set(parquet.schema_arrow.names)
        return parquet.read(columns=[name for name in names if name in present])
    except pa.ArrowInvalid as error:
        raise ValueError(f"{file}: no Parquet file of the archive ({error}): move it away, and begin again") from error
