"""The newest score of each object from the archive: each file once, the newest first, damaged ones passed over."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker.records import archive
from broker.records.archived_scores import ROW, NewFiles, Rows, newest_of_each, read_scores
from broker.settings import Settings
from tests.streaming.sink_rows import alert_rows

HOUR_NS = 3_600 * 10**9


def written(folder: Path, name: str, time_ns: int) -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"")
    os.utime(file, ns=(time_ns, time_ns))
    return file


def test_each_file_comes_once_the_newest_first(tmp_path: Path) -> None:
    old = written(tmp_path, "night=2026-02-01/a.parquet", 900 * HOUR_NS)
    first = written(tmp_path, "night=2026-03-01/b.parquet", 800 * HOUR_NS)
    second = written(tmp_path, "night=2026-03-01/a.parquet", 801 * HOUR_NS)
    written(tmp_path, "night=2026-03-01/.draft-x/.c.parquet", 802 * HOUR_NS)
    files = NewFiles(tmp_path)
    assert list(files) == [second, first, old]
    assert list(files) == []
    later = written(tmp_path, "night=2026-03-01/d.parquet", 900 * HOUR_NS - 1)  # written before, but renamed since
    assert list(files) == [later]
    assert list(files) == []
    written(tmp_path, "night=2026-03-01/d.parquet", 901 * HOUR_NS)
    os.utime(tmp_path / "night=2026-03-01")
    assert list(files) == [later], "written again"
    assert list(NewFiles(tmp_path / "none")) == []


def in_archive(home: Path, n: int = 20, task: str = "t", **replaced: Any) -> Path:
    rows = alert_rows(n, task=task, **{"survey": ["ZTF"] * n, "alert_mjd": np.full(n, 61_000.0), **replaced})
    (file,) = archive.write(Settings(home=home), pa.Table.from_batches([rows]))
    return file


def test_the_scores_are_those_of_the_rows(tmp_path: Path) -> None:
    class_id = np.array([300 if i == 3 else 2222 for i in range(20)], np.int32)
    score = np.arange(20, dtype=np.float32)
    score[4] = np.nan
    objects = np.array([0 if i == 5 else 100 + i for i in range(20)])
    surveys = ["another" if i == 6 else "ZTF" for i in range(20)]
    detections = np.arange(1, 21, dtype=np.int32)
    file = in_archive(
        tmp_path, class_id=class_id, novelty_score=score, object_id=objects, survey=surveys, n_detections=detections
    )
    read = read_scores(file, ("features",))
    assert read is not None
    rows, columns = read
    kept = [i for i in range(20) if i not in (3, 4, 5, 6)]
    assert rows["score"].tolist() == kept
    assert rows["object_id"].tolist() == [100 + i for i in kept]
    assert rows["epoch_bin"].tolist() == [0, 1, 2, 3, 3, 3, 3, 3, *[4] * 8]
    assert columns.column_names == ["model_sha256", "features"]
    assert len(columns) == len(kept)


def test_damaged_and_foreign_files_are_passed_over(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = in_archive(tmp_path)
    data, table = file.read_bytes(), pq.ParquetFile(file).read()
    for damaged in (b"", b"PAR1", data[: len(data) // 2], data[:100] + bytes(len(data) - 200) + data[-100:]):
        file.write_bytes(damaged)
        with caplog.at_level(logging.WARNING):
            assert read_scores(file) is None
        assert f"{file} is passed over" in caplog.records[-1].getMessage()
    caplog.clear()
    for number, (name, values) in enumerate({"novelty_score": ["x"] * 20, "object_id": [None] * 20}.items()):
        place = table.schema.get_field_index(name)
        pq.write_table(table.set_column(place, name, pa.array(values)), file)
        with caplog.at_level(logging.WARNING):
            assert read_scores(file) is None, name
        assert len(caplog.records) == number + 1
    pq.write_table(table.drop_columns(["n_detections"]), file)
    with caplog.at_level(logging.INFO, "broker.records.archived_scores"):
        assert read_scores(file) is None
    assert "an older broker wrote it, without n_detections" in caplog.text


def rows_of(*values: tuple[int, int, int, float, int, int, float]) -> Rows:
    return np.array(list(values), ROW)


def test_the_latest_alert_of_an_object_in_a_phase_counts() -> None:
    rows = rows_of(
        (0, 1, 7, 61_000.0, 1, 10, 0.1),
        (0, 1, 7, 61_002.0, 2, 30, 0.2),
        (0, 1, 7, 61_001.0, 3, 40, 0.3),
        (0, 2, 7, 61_001.0, 4, 40, 0.4),
        (1, 1, 7, 61_001.0, 5, 40, 0.5),
        (0, 1, 8, 61_000.0, 6, 20, 0.6),
    )
    newest = newest_of_each(rows)
    assert sorted(rows["alert_id"][newest].tolist()) == [2, 4, 5, 6]
    assert rows["alert_id"][newest_of_each(rows, at_most=1)].tolist() == [2, 4, 5]
    assert rows["alert_id"][newest_of_each(rows, kept={8}, at_most=1)].tolist() == [2, 6, 4, 5]
    assert len(newest_of_each(rows[:0])) == 0


times = st.sampled_from([61_000.0, 61_000.5, 61_003.25])
ids = st.tuples(
    st.integers(0, 2), st.integers(0, 4), st.integers(1, 5), times, st.integers(1, 10**6), st.integers(0, 99),
    st.floats(-3, 3, width=16),
)  # fmt: skip


@settings(deadline=None)
@given(st.lists(ids, max_size=40, unique_by=lambda row: row[4]), st.randoms(), st.integers(1, 4))
def test_in_parts_or_at_once_and_in_any_order_the_same_remain(values: list[Any], random: Any, at_most: int) -> None:
    """Where nothing is cut, what remains depends on the rows alone."""
    rows = rows_of(*values) if values else np.zeros(0, ROW)
    whole = rows[newest_of_each(rows)]
    random.shuffle(values)
    shuffled = rows_of(*values) if values else rows
    half = shuffled[: len(shuffled) // 2]
    both = np.concatenate([half[newest_of_each(half)], shuffled[len(shuffled) // 2 :]])
    np.testing.assert_array_equal(both[newest_of_each(both)], whole)
    cut = rows[newest_of_each(rows, at_most=at_most)]
    assert np.unique(cut[["survey", "epoch_bin"]], return_counts=True)[1].max(initial=0) <= at_most
