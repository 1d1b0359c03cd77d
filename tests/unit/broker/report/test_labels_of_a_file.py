"""Labels in a file: ids of 64 bits stay exact, and what is wrong is told with its row."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from broker.report.test_report.stream import from_file

LARGE = (9_223_372_036_854_775_807, 170_032_915_988_086_814)


def test_large_ids_of_csv_and_parquet(tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text(f"object_id,class_id,created_ms\n{LARGE[0]},Ia,12\n\n{LARGE[1]},2224.0,\n")
    columns = {"object_id": pa.array(LARGE), "class_id": ["ia", "II"], "created_ms": pa.array([12, None])}
    pq.write_table(pa.table(columns), tmp_path / "own.parquet")
    for file in ("own.csv", "own.parquet"):
        labels = from_file(tmp_path / file)
        assert tuple(labels) == LARGE
        assert [label.class_id for label in labels.values()] == [2222, 2224]
        assert [label.known_ms for label in labels.values()] == [12, np.inf]


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        ("object_id,class_id\n\n12,Ix\n", "own.csv, line 3: object_id must be a number and class_id a class"),
        ("object_id,class_id\n1.5,Ia\n", "own.csv, line 2: object_id must be a number"),
        ("object_id,class_id\n,Ia\n", "own.csv, line 2: object_id must be a number"),
        ("object_id\n12\n", "own.csv: labels need the columns object_id and class_id"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(lines: str, complaint: str, tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text(lines)
    with pytest.raises(ValueError, match=r"own\.csv") as raised:
        from_file(tmp_path / "own.csv")
    assert complaint in str(raised.value)


def test_a_column_that_is_no_label_is_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"object_id": [[1]], "class_id": ["Ia"]}), tmp_path / "own.parquet")
    with pytest.raises(ValueError, match=r"own\.parquet is not a table of labels"):
        from_file(tmp_path / "own.parquet")
