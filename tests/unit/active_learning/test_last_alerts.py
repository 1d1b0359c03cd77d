"""The newest classified alert of each object, from several files and nights, in bounded memory."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from active_learning import last_alerts
from features.catalogue import NAMES
from schemas.night import night_of_date

Alert = tuple[int, int, float, str]
"""Object, alert, time, reason why it was not classified."""


def write(file: Path, alerts: list[Alert], n_features: int = len(NAMES)) -> Path:
    object_id, alert_id, alert_mjd, reason = (list(column) for column in zip(*alerts, strict=True))
    columns = {
        "object_id": pa.array(object_id, pa.int64()),
        "object_name": [f"object {i}" for i in object_id],
        "alert_id": pa.array(alert_id, pa.int64()),
        "alert_mjd": pa.array(alert_mjd, pa.float64()),
        "not_classified_reason": reason,
        "features": pa.array([[float(i)] * n_features for i in alert_id], pa.list_(pa.float32())),
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), file)
    return file


def test_the_newest_classified_alert_of_each_object(tmp_path: Path) -> None:
    first = write(tmp_path / "a.parquet", [(2, 20, 1.0, ""), (1, 10, 1.0, ""), (2, 21, 3.0, ""), (0, 5, 9.0, "")])
    second = write(tmp_path / "b.parquet", [(1, 11, 2.0, ""), (2, 22, 2.0, ""), (1, 12, 5.0, "no detection")])
    newest = last_alerts.read([first, second])
    assert newest.object_id.tolist() == [1, 2]
    assert newest.table["alert_id"].to_pylist() == [11, 21]
    assert newest.table["object_name"].to_pylist() == ["object 1", "object 2"]
    assert newest.table["host_photoz"].to_pylist() == [None, None]  # these files are older than the column
    np.testing.assert_array_equal(newest.features[:, 3], [11, 21])
    assert newest.select(np.array([False, True])).object_id.tolist() == [2]


def test_of_an_alert_that_was_scored_twice_the_later_one_counts(tmp_path: Path) -> None:
    later = write(tmp_path / "a.parquet", [(1, 10, 1.0, "")])
    earlier = write(tmp_path / "b.parquet", [(1, 10, 1.0, "")], n_features=3)
    os.utime(earlier, (1, 1))
    assert last_alerts.read([earlier, later]).object_id.tolist() == [1]
    os.utime(later, (0, 0))
    assert len(last_alerts.read([earlier, later])) == 0  # of another catalogue of features


def test_nothing_there(tmp_path: Path) -> None:
    nothing = last_alerts.read([])
    assert len(nothing) == 0
    assert nothing.features.shape == (0, len(NAMES))
    assert last_alerts.nights_of(tmp_path) == {}


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "night=2025-11-27" / "task.parquet"
    write(file, [(1, 10, 1.0, "")])
    assert last_alerts.nights_of(tmp_path) == {night_of_date("2025-11-27"): [file]}
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(ValueError, match=r"task\.parquet: no Parquet file of the archive"):
        last_alerts.read([file])


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 50), st.sampled_from(["", "noise"])), min_size=1))
def test_as_a_loop_over_all_alerts_finds_it(tmp_path_factory: pytest.TempPathFactory, drawn: list) -> None:
    alerts = [(one, 100 * number, float(time), reason) for number, (one, time, reason) in enumerate(drawn)]
    folder, cut = tmp_path_factory.mktemp("archive"), len(alerts) // 2
    files = [write(folder / f"{k}.parquet", part) for k, part in enumerate((alerts[:cut], alerts[cut:])) if part]
    newest: dict[int, Alert] = {}
    for alert in alerts:
        held = newest.get(alert[0])
        if alert[0] and not alert[3] and (held is None or (alert[2], alert[1]) > (held[2], held[1])):
            newest[alert[0]] = alert
    read = last_alerts.read(files)
    assert read.table["alert_id"].to_pylist() == [newest[one][1] for one in sorted(newest)]
