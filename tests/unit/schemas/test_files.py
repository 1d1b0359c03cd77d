"""Files → messages."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from schemas import packets

MESSAGE = b"\0whatever it holds"


def test_a_file_is_a_message_and_a_folder_is_its_files(tmp_path: Path) -> None:
    for name in ("b.avro", "a.avro", ".hidden"):
        (tmp_path / name).write_bytes(name.encode())
    messages, files = packets.read_files([tmp_path, tmp_path / "b.avro"])
    assert messages == [b"a.avro", b"b.avro", b"b.avro"]
    assert [file.name for file in files] == ["a.avro", "b.avro", "b.avro"]


def test_an_archive_is_its_members(tmp_path: Path) -> None:
    (tmp_path / "one.avro").write_bytes(MESSAGE)
    with tarfile.open(tmp_path / "night.tar.xz", "w:xz") as archive:
        archive.add(tmp_path / "one.avro", "deep/one.avro")
    messages, files = packets.read_files([tmp_path / "night.tar.xz"])
    assert messages == [MESSAGE]
    assert files == [tmp_path / "night.tar.xz" / "deep" / "one.avro"]


def test_a_table_of_packets_becomes_wire_messages(tmp_path: Path) -> None:
    source = {
        "diaSourceId": 2**60 + 1, "diaObjectId": 2**61 + 1, "midpointMjdTai": 60500.0, "ra": 1.0, "dec": 2.0,
        "psfFlux": 3.0, "psfFluxErr": 0.5, "band": "y", "ssObjectId": None,
    }  # fmt: skip
    row = {"diaSource": source, "prvDiaSources": [{**source, "midpointMjdTai": 60499.0}], "prvDiaForcedSources": None}
    row |= {"diaObject": {"diaObjectId": float(2**61), "nDiaSources": 2.0}, "lsst_schema_version": "lsst.v9_0"}
    pq.write_table(pa.Table.from_pylist([row, row]), tmp_path / "alerts.parquet")
    curves, dead = packets.read(packets.read_files([tmp_path / "alerts.parquet"])[0])
    assert dead == []
    assert curves.schema_id.tolist() == [900, 900]
    assert curves.alert_id.tolist() == [2**60 + 1] * 2
    assert curves.object_id.tolist() == [2**61 + 1] * 2
    assert curves.time_mjd.tolist() == [60499.0, 60500.0] * 2
    assert not curves.is_solar_system.any()


@pytest.mark.parametrize("name", ["other.parquet", "broken.parquet", "broken.tar.xz"])
def test_files_that_hold_no_packets_are_errors_that_name_them(tmp_path: Path, name: str) -> None:
    if name == "other.parquet":
        pq.write_table(pa.table({"a": [1]}), tmp_path / name)
    else:
        (tmp_path / name).write_bytes(b"nothing of the kind")
    with pytest.raises(ValueError, match=name):
        packets.read_files([tmp_path / name])


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        packets.read_files([tmp_path / "missing.avro"])
