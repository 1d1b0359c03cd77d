"""Labels of others, matched by name or by position; nulls made of the fair ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from active_learning import imported_labels, labels, nulls
from features.catalogue import NAMES
from models.datasets import label_table
from models.datasets.reading import UnreadableError
from schemas.identifiers import object_id_of

ZTF = "ZTF21abiuvdk"


def archive(folder: Path) -> Path:
    """Two alerts of each of three objects, an arc minute apart."""
    rows = [(one, 10 * k + i, 60_000.0 + k, k) for k in range(2) for i, one in enumerate((11, 12, object_id_of(ZTF)))]
    object_id, alert_id, alert_mjd, order = (list(column) for column in zip(*rows, strict=True))
    n = len(rows)
    columns = {
        "object_id": pa.array(object_id, pa.int64()),
        "object_name": [str(one) for one in object_id],
        "alert_id": pa.array(alert_id, pa.int64()),
        "alert_mjd": alert_mjd,
        "ra_deg": [150.0 + [11, 12].index(one) / 60 if one in (11, 12) else 10.0 for one in object_id],
        "dec_deg": [2.0] * n,
        "input_topic": ["alerts"] * n,
        "input_partition": pa.array([0] * n, pa.int32()),
        "input_offset": pa.array(range(n), pa.int64()),
        "model_sha256": ["ab"] * n,
        "host_photoz": pa.array([None, 0.5, None] * 2, pa.float32()),
        "host_photoz_err": pa.array([None, 0.1, None] * 2, pa.float32()),
        "features": pa.array([[float(k)] * len(NAMES) for k in order], pa.list_(pa.float32())),
    }
    file = folder / "night=2023-02-24" / "task.parquet"
    file.parent.mkdir(parents=True)
    pq.write_table(pa.table(columns), file)
    return folder


def table(tmp_path: Path, text: str) -> label_table.LabelTable:
    file = tmp_path / "labels.csv"
    file.write_text(text)
    return label_table.load(file)


def test_by_name_and_by_position(tmp_path: Path) -> None:
    rows = [f"{ZTF},SN Ia,,", "SN 2021xyz,SN II,150.0002,2.0002", "SN 2022a,II,150.005,2.0", "13,II,,"]
    text = "\n".join(["object,class,ra_deg,dec_deg", *rows, ""])
    imported = imported_labels.records_of(table(tmp_path, text), archive(tmp_path / "archive"), "TNS", 1_000)
    assert [(r["object_id"], r["class_id"], r["labeller"]) for r in imported.records] == [
        (object_id_of(ZTF), 2222, "TNS"),
        (11, 2224, "TNS"),
    ]
    assert imported.absent == [2, 3]  # 18 arcsec away; not in the archive
    assert imported.records[1]["reason"] == nulls.IMPORTED
    assert imported.records[1]["input_offset"] in (0, 3)


def test_an_object_of_two_classes_is_left_out(tmp_path: Path) -> None:
    twice = table(tmp_path, "object,class\n11,Ia\n12,II\n11,II\n12,II\n")
    imported = imported_labels.records_of(twice, archive(tmp_path / "archive"), "TNS", 1_000)
    assert [record["object_id"] for record in imported.records] == [12]
    assert (imported.conflicting, imported.absent) == ([0, 2], [])


def test_what_is_imported_twice_counts_once(tmp_path: Path) -> None:
    once, folder = table(tmp_path, "object,class\n11,Ia\n"), archive(tmp_path / "archive")
    records = [imported_labels.records_of(once, folder, "TNS", now).records[0] for now in (1_000, 2_000)]
    assert len(labels.standing(records)) == 1
    other = imported_labels.records_of(once, folder, "another catalogue", 3_000).records
    assert labels.answers([*records, *other])[11].class_id == 2222


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("object\n11\n", "the column class is missing"),
        ("class,ra_deg\nIa,10\n", "must have the column object, or the columns ra_deg and dec_deg"),
        ("object,class\n11,nonsense\n", "line 2: class must be a class of the taxonomy"),
        ("object,class\n", "at least one row"),
    ],
)
def test_a_table_that_says_too_little_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UnreadableError, match=message):
        table(tmp_path, text)


def test_nulls_are_the_fair_labels(tmp_path: Path) -> None:
    folder = archive(tmp_path / "archive")
    given = table(tmp_path, f"object,class\n11,Ia\n12,KN\n{ZTF},II\n")
    records = imported_labels.records_of(given, folder, "TNS", 1_000).records
    records[2]["reason"] = "uncertain"  # asked about because it was hard: no fair sample
    fair = nulls.fair(labels.answers(records))
    assert fair == {11: 2222, 12: 2232}
    objects = nulls.in_archive(folder, fair)
    assert objects.object_id.tolist() == [11, 12]
    assert objects.features[:, 0].tolist() == [1.0, 1.0]  # of the newest alert
    np.testing.assert_array_equal(objects.host_photoz, np.array([np.nan, 0.5], np.float32))
    assert nulls.of_known_classes(objects, [2222, 2224]).tolist() == [True, False]


def test_kept_nulls_come_back(tmp_path: Path) -> None:
    folder = archive(tmp_path / "archive")
    objects = nulls.in_archive(folder, {11: 2222, 12: 2232})
    nulls.keep(tmp_path / "nulls", "mine", objects)
    back = nulls.kept(tmp_path / "nulls")["mine"]
    for name in nulls.LabelledObjects.__slots__:
        np.testing.assert_array_equal(getattr(back, name), getattr(objects, name))
    joined = nulls.LabelledObjects.concatenate([back.select(np.array([False, True])), objects])
    assert sorted(joined.object_id.tolist()) == [11, 12]
    (tmp_path / "nulls" / "mine.parquet").write_bytes(b"no")
    with pytest.raises(ValueError, match=r"mine\.parquet: no table of nulls"):
        nulls.kept(tmp_path / "nulls")
    assert nulls.in_archive(folder, {}) is nulls.EMPTY
