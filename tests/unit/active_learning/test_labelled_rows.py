"""Training rows of labelled objects: each alert once, its redshift where the archive has one, older files too."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from active_learning import labelled_rows
from features.catalogue import NAMES


def archived(object_ids: list[int], n_alerts: int) -> pa.Table:
    """So many alerts of each object, as an archive holds them."""
    rows = [(one, 100 * one + k, 60_000.0 + k) for one in object_ids for k in range(n_alerts)]
    ids, alerts, times = zip(*rows, strict=True)
    features = pa.array([[float(k)] * len(NAMES) for k in range(len(rows))], pa.list_(pa.float32()))
    return pa.table({"object_id": ids, "alert_id": alerts, "alert_mjd": times, "features": features})


def test_files_of_before_the_redshift_was_kept_are_read_too(tmp_path: Path) -> None:
    old, new = tmp_path / "night=1" / "b.parquet", tmp_path / "night=2" / "a.parquet"
    for file in (old, new):
        file.parent.mkdir()
    pq.write_table(archived([1, 2], 4), old)
    assert np.isnan(labelled_rows.read(tmp_path, {2: 2222}).table["host_photoz"].to_numpy()).all()
    later = archived([3], 4)
    photoz = pa.array([0.25, None, 0.25, 0.25], pa.float32())
    pq.write_table(later.append_column("host_photoz", photoz).append_column("host_photoz_err", photoz), new)
    os.utime(old, (1, 1))

    learnt = labelled_rows.read(tmp_path, {1: 2222, 3: 2224, 9: 2224})
    assert learnt.missing == [9]
    table = learnt.table
    assert table["object_id"].to_pylist() == [1] * 4 + [3] * 4
    assert table["class_id"].to_pylist() == [2222] * 4 + [2224] * 4
    assert table["is_last"].to_pylist() == [False, False, False, True] * 2
    np.testing.assert_array_equal(table["host_photoz"].to_numpy(), [np.nan] * 4 + [0.25, np.nan, 0.25, 0.25])


def test_an_alert_that_was_scored_twice_counts_once(tmp_path: Path) -> None:
    for name in ("a", "b"):
        nothing = pa.nulls(3, pa.float32())
        table = archived([1], 3).append_column("host_photoz", nothing).append_column("host_photoz_err", nothing)
        pq.write_table(table, tmp_path / f"{name}.parquet")
    table = labelled_rows.read(tmp_path, {1: 2222}).table
    assert table["alert_id"].to_pylist() == [100, 101, 102]
    assert np.isnan(table["host_photoz"].to_numpy()).all()
