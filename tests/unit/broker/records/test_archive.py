"""The archive: nights, and files that are whole or absent."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
import pytest

from broker.records import archive
from broker.settings import Settings
from schemas.night import date_of, night_of
from tests.streaming.sink_rows import alert_rows


def test_one_file_for_each_task_and_night(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    tables = [pa.Table.from_batches([alert_rows(100, first=100 * i, task=f"t{i}")]) for i in range(2)]
    files = archive.write(settings, pa.concat_tables(tables))
    named = {str(file.relative_to(tmp_path / "archive")) for file in files}
    assert named == {
        "night=2026-02-27/t0.parquet",
        "night=2026-02-28/t0.parquet",
        "night=2026-02-28/t1.parquet",
    }
    whole = ds.dataset(tmp_path / "archive", partitioning="hive").to_table()
    assert whole.num_rows == 200
    assert sorted(whole.column("input_offset").to_pylist()) == list(range(200))
    nights = night_of(whole.column("alert_mjd").to_numpy())
    assert [date_of(night) for night in nights] == whole.column("night").to_pylist()
    assert not {"payload", "dead_stage"} & set(whole.column_names)


def test_a_second_writing_replaces_the_first(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    rows = pa.Table.from_batches([alert_rows(40)])
    (file,) = archive.write(settings, rows.slice(0, 30))
    (again,) = archive.write(settings, rows)
    assert again == file
    assert [sibling.name for sibling in file.parent.iterdir()] == [file.name]
    assert ds.dataset(file).count_rows() == 40


def test_what_fails_half_way_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(home=tmp_path)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("schemas.whole_file.os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        archive.write(settings, pa.Table.from_batches([alert_rows(10)]))
    assert not [file for file in tmp_path.rglob("*") if file.is_file()]


def test_no_rows_make_no_file(tmp_path: Path) -> None:
    assert archive.write(Settings(home=tmp_path), pa.Table.from_batches([alert_rows(0)])) == []


def test_a_time_that_is_missing_does_not_stop_the_night(tmp_path: Path) -> None:
    rows = pa.Table.from_batches([alert_rows(2, alert_mjd=np.array([np.nan, 61_100.1]))])
    assert len(archive.write(Settings(home=tmp_path), rows)) == 2
