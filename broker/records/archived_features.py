"""The features of single alerts, read back from the archive."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from schemas.night import date_of

Row = NDArray[np.float32]


def features_of(archive: Path, alerts_by_night: Mapping[int, Collection[int]]) -> dict[int, Row]:
    """The features, (f,), of those of the alerts that the archive has, by alert id.

    ``alerts_by_night``: ids of alerts by the night (MJD of its evening) they belong to. Of each file the ids are read,
    then only the row groups that hold one of the alerts. Raises OSError or ValueError where a file cannot be read.
    """
    rows: dict[int, Row] = {}
    for night, alert_ids in alerts_by_night.items():
        wanted = np.array(sorted(alert_ids), np.int64)
        for file in sorted((archive / f"night={date_of(night)}").glob("*.parquet")):
            if not file.name.startswith("."):
                rows |= _of_file(file, wanted)
    return rows


def _of_file(file: Path, wanted: NDArray[np.int64]) -> dict[int, Row]:
    try:
        parquet: Any = pq.ParquetFile(file)
        rows: dict[int, Row] = {}
        for group in range(parquet.num_row_groups):
            alert_id = parquet.read_row_group(group, columns=["alert_id"])["alert_id"].to_numpy()
            places = np.flatnonzero(np.isin(alert_id, wanted))
            if len(places):
                features = parquet.read_row_group(group, columns=["features"])["features"].take(pa.array(places))
                pairs = zip(alert_id[places].tolist(), features.to_pylist(), strict=True)
                rows |= {alert: np.array(values, np.float32) for alert, values in pairs if values}
        return rows
    except pa.ArrowInvalid as error:
        raise ValueError(f"{file}: no Parquet file of the archive ({error}): move it away") from error
