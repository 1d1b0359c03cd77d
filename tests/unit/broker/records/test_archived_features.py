"""Features of single alerts come back from the archive's files as they were written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from broker.records import archive
from broker.records.archived_features import features_of
from broker.settings import Settings
from schemas.night import night_of
from tests.streaming.sink_rows import alert_rows


def test_the_features_of_the_wanted_alerts_come_back(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    tables = [pa.Table.from_batches([alert_rows(60, first=100 * i, task=f"t{i}")]) for i in range(2)]
    archive.write(settings, pa.concat_tables(tables))
    written = pa.concat_tables(tables).to_pylist()
    chosen = [written[0], written[59], written[90]]
    by_night: dict[int, list[int]] = {}
    for row in chosen:
        by_night.setdefault(int(night_of(row["alert_mjd"])), []).append(row["alert_id"])
    by_night.setdefault(61_500, []).append(7)
    read_back = features_of(archive.folder(settings), by_night)
    assert read_back.keys() == {row["alert_id"] for row in chosen}
    for row in chosen:
        assert np.array_equal(read_back[row["alert_id"]], np.array(row["features"], np.float32), equal_nan=True)


def test_only_the_row_groups_that_hold_an_alert_are_read(tmp_path: Path) -> None:
    folder = tmp_path / "night=2026-02-27"
    folder.mkdir()
    table = pa.table({"alert_id": pa.array(range(9), pa.int64()), "features": [[float(i), np.nan] for i in range(9)]})
    pq.write_table(table, folder / "t.parquet", row_group_size=2)
    (folder / ".draft.parquet").write_bytes(b"half")
    rows = features_of(tmp_path, {61_098: [3, 8]})
    assert {alert: row[0] for alert, row in rows.items()} == {3: 3.0, 8: 8.0}


def test_a_file_that_is_none_of_the_archive_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "night=2026-02-27"
    folder.mkdir()
    (folder / "t.parquet").write_bytes(b"nothing of the kind")
    with pytest.raises(ValueError, match=r"t\.parquet: no Parquet file of the archive .* move it away"):
        features_of(tmp_path, {61_098: [1]})
