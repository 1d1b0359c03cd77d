"""Files → messages."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import packets, unpacking
from schemas.other_files import NoAlertsError

FAULTS = Path(__file__).parents[2] / "data" / "faults"
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


def tar(content: bytes, mode: str = "w") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:  # type: ignore[call-overload]
        for name in ("night/one.avro", "night/._one.avro", "night/two.avro"):
            header = tarfile.TarInfo(name)
            header.size = len(content)
            archive.addfile(header, io.BytesIO(content))
    return out.getvalue()


def zipped(content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("night/one.avro", "__MACOSX/one.avro", "night/two.avro"):
            archive.writestr(name, content)
    return out.getvalue()


PACKED: dict[str, Callable[[bytes], bytes]] = {
    "a.avro.gz": gzip.compress,
    "a.avro.bz2": bz2.compress,
    "a.avro.xz": lzma.compress,
    "a.tar": tar,
    "a.tar.gz": lambda content: tar(content, "w:gz"),
    "a.tgz": lambda content: tar(content, "w:gz"),
    "a.tar.bz2": lambda content: tar(content, "w:bz2"),
    "a.tar.xz": lambda content: tar(content, "w:xz"),
    "a.zip": zipped,
    "gzipped_alerts.tar": lambda content: tar(gzip.compress(content)),
    "gzipped_alerts.tar.gz": lambda content: tar(gzip.compress(content), "w:gz"),
    "gzipped_alerts.zip": lambda content: zipped(gzip.compress(content)),
    "nights.zip": lambda content: zipped(tar(gzip.compress(content), "w:gz")),
    "twice.avro.gz": lambda content: gzip.compress(gzip.compress(content)),
}
"""How people pack alerts, by the name of the file."""


@pytest.mark.parametrize("name", PACKED)
@pytest.mark.parametrize("named", [True, False])
def test_packed_alerts_are_read_whatever_the_file_is_called(tmp_path: Path, name: str, named: bool) -> None:
    file = tmp_path / (name if named else "download")
    file.write_bytes(PACKED[name](MESSAGE))
    messages, files = packets.read_files(file)
    n = 1 if name.startswith(("a.avro", "twice")) else 4 if name == "nights.zip" else 2
    assert messages == [MESSAGE] * n
    assert files[0].is_relative_to(file)
    assert [one.name for one in files[:2]] == [file.name] if n == 1 else ["one.avro", "two.avro"]


@pytest.mark.parametrize("name", PACKED)
def test_a_packed_file_that_is_cut_off_is_an_error_wherever_it_ends(tmp_path: Path, name: str) -> None:
    whole = PACKED[name](MESSAGE * 400)
    if name.endswith(".tar"):
        whole = whole.rstrip(b"\0")  # it ends in empty blocks; without the last of them nothing is lost
    for length in range(4, len(whole), max(len(whole) // 40, 1)):
        (tmp_path / name).write_bytes(whole[:length])
        with pytest.raises(ValueError, match=name):
            packets.read_files(tmp_path / name)


@settings(deadline=None, max_examples=100)
@given(st.sampled_from(sorted(PACKED)), st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.binary(max_size=3))))
def test_damage_is_an_error_of_the_file_or_a_message(
    tmp_path_factory: pytest.TempPathFactory, name: str, damage: list[tuple[float, bytes]]
) -> None:
    content = bytearray(PACKED[name](MESSAGE * 10))
    for where, new in damage:
        at = int(where * len(content))
        content[at : at + len(new)] = new
    file = tmp_path_factory.getbasetemp() / name
    file.write_bytes(content)
    try:
        messages, files = packets.read_files(file)
    except ValueError as error:
        reason = str(error)
    else:
        reason = name if len(messages) == len(files) else "messages without a file"
    assert name in reason
    assert "\n" not in reason


@pytest.mark.parametrize("name", PACKED)
def test_a_download_that_stopped_is_told_as_such(tmp_path: Path, name: str) -> None:
    whole = PACKED[name](MESSAGE * 400)
    (tmp_path / name).write_bytes(whole[: len(whole) // 2].rstrip(b"\0"))
    with pytest.raises(ValueError, match=f"{name} is cut off"):
        packets.read_files(tmp_path / name)


def test_a_member_that_does_not_unpack_is_refused_alone(tmp_path: Path) -> None:
    good = (FAULTS / "p1_alert.avro.gz").read_bytes()
    with zipfile.ZipFile(tmp_path / "night.zip", "w") as archive:
        for name, content in (("one.avro.gz", good), ("two.avro.gz", good[:20_000]), ("three.avro.gz", good)):
            archive.writestr(name, content)
    messages, files = packets.read_files(tmp_path / "night.zip")
    curves, dead = packets.read(messages)
    assert curves.packet_index.tolist() == [0, 2]
    assert [files[letter.packet_index].name for letter in dead] == ["two.avro.gz"]
    assert "packed with gzip" in dead[0].reason
    assert "cut off or damaged" in dead[0].reason


@pytest.mark.parametrize(("name", "n_alerts"), [("p1_alert.avro.gz", 1), ("p1_night.tar", 2)])
def test_gzipped_alerts_are_the_alerts(name: str, n_alerts: int) -> None:
    curves, dead = packets.read(packets.read_files(FAULTS / name)[0])
    assert dead == []
    assert curves.alert_id.tolist() == [2752190653015010019] * n_alerts
    assert curves.n_points.tolist() == [14] * n_alerts


@pytest.mark.parametrize("name", ["p9_cut.tar.gz", "p9_cut.tar.xz"])
def test_an_archive_that_is_cut_off_is_told_as_such(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} is cut off: it ends before its archive does"):
        packets.read_files([FAULTS / name])


def test_what_a_few_bytes_unpack_to_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "MESSAGE_LIMIT_BYTES", 1_000_000)
    monkeypatch.setattr(unpacking, "UNPACKED_FLOOR_BYTES", 5_000_000)
    empty = bytes(2_000_000)
    for name in ("a.avro.gz", "a.tar.xz", "a.zip", "gzipped_alerts.tar.gz", "nights.zip", "twice.avro.gz"):
        (tmp_path / name).write_bytes(PACKED[name](empty))
        with pytest.raises(ValueError, match=f"{name}.* unpacks to more than the 1,000,000 bytes that an alert file"):
            packets.read_files(tmp_path / name)
    members = [(f"{i}.avro", bytes(900_000)) for i in range(8)]
    with zipfile.ZipFile(tmp_path / "many.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    with pytest.raises(ValueError, match=r"many\.zip unpacks to more than the 5,000,000 bytes allowed"):
        packets.read_files(tmp_path / "many.zip")
    deep = MESSAGE
    for _ in range(6):
        deep = gzip.compress(deep)
    (tmp_path / "deep.gz").write_bytes(deep)
    with pytest.raises(ValueError, match=r"deep\.gz is packed more than 4 times"):
        packets.read_files(tmp_path / "deep.gz")


def test_an_empty_hole_in_an_archive_does_not_fill_the_memory(tmp_path: Path) -> None:
    header = tarfile.TarInfo("hole.avro")
    header.size = 10**12
    (tmp_path / "hole.tar").write_bytes(header.tobuf() + bytes(10_240))
    with pytest.raises(ValueError, match=r"hole\.tar is cut off"):
        packets.read_files(tmp_path / "hole.tar")


def test_a_locked_archive_is_told_in_one_line(tmp_path: Path) -> None:
    content = bytearray(zipped(MESSAGE))
    for at in range(len(content) - 4):  # bit 0 of the flags in the members' headers: they are encrypted
        if content[at : at + 4] == b"PK\x03\x04":
            content[at + 6] |= 1
        if content[at : at + 4] == b"PK\x01\x02":
            content[at + 8] |= 1
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(ValueError, match=r"a\.zip cannot be unpacked: .*password"):
        packets.read_files(tmp_path / "a.zip")


def test_an_alert_that_was_unpacked_but_not_renamed_is_an_alert(tmp_path: Path) -> None:
    (tmp_path / "alert.avro.gz").write_bytes(MESSAGE)
    assert packets.read_files(str(tmp_path / "alert.avro.gz"))[0] == [MESSAGE]


def test_one_path_is_one_path(tmp_path: Path) -> None:
    (tmp_path / "alert.avro").write_bytes(MESSAGE)
    for one in (tmp_path / "alert.avro", str(tmp_path / "alert.avro"), str(tmp_path), tmp_path):
        assert packets.read_files(one) == ([MESSAGE], [tmp_path / "alert.avro"])


@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary()])
def test_a_table_of_messages_is_its_messages(tmp_path: Path, kind: pa.DataType) -> None:
    table = pa.table({"message": pa.array([MESSAGE, None, b"x"], kind), "alert_mjd": [1.0, 2.0, 3.0]})
    pq.write_table(table, tmp_path / "alerts.parquet")
    assert packets.read_files(tmp_path / "alerts.parquet")[0] == [MESSAGE, b"", b"x"]
    (tmp_path / "alerts.parquet.gz").write_bytes(gzip.compress((tmp_path / "alerts.parquet").read_bytes()))
    assert packets.read_files(tmp_path / "alerts.parquet.gz")[0] == [MESSAGE, b"", b"x"]


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"alert_id": [1], "class_ids": [[1]], "p_flat": [[1.0]]}, "archive of classified alerts"),
        ({"object_id": [1], "class_id": [1], "class_name": ["SN"]}, "truth of a stream"),
        ({"object": [1], "band": ["g"], "flux_njy": [1.0]}, "table of light curves"),
        ({"message": ["text"]}, "binary column"),
        ({"diaSource": [1], "diaObject": [2]}, "row 1 is no alert packet"),
        ({"diaSource": [{"a": 1}], "prvDiaSources": ["text"]}, "row 1 is no alert packet"),
    ],
)
def test_a_table_without_alerts_is_told_for_what_it_is(tmp_path: Path, columns: dict, reason: str) -> None:
    pq.write_table(pa.table(columns), tmp_path / "other.parquet")
    with pytest.raises(ValueError, match=rf"other\.parquet.* {reason}"):
        packets.read_files(tmp_path / "other.parquet")


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


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("mine.csv", b"object,time_mjd,band,flux_njy,flux_err_njy\na,60000,g,1,1\n", "a table of light curves in text"),
        ("mine.csv", b"\xef\xbb\xbfname,jd,mag\na,2460000.5,20\n", "a table in CSV"),
        ("mine.ecsv", b"# %ECSV 1.0\n# ---\n# datatype:\nobject time_mjd\n", "a table in ECSV"),
        ("mine.txt", b"# object  time_mjd  band  flux_njy\na 60000 g 1\n", "a table of light curves in text"),
        ("mine.txt", "Δ object\tjd\nε\t1\n".encode() * 1_000, "a text file"),
        ("own.arff", b"% made up\n\n@RELATION 'x'\n", "a table in ARFF"),
        ("1.DAT", b"SURVEY: DES\nSNID: 7\n", "light curves in SNANA's text"),
        ("own.fits", b"SIMPLE  =                    T", "a FITS file"),
        ("own.h5", b"\x89HDF\r\n\x1a\n\0", "an HDF5 file"),
        ("README", b"Alerts of one night.\nFetched in March.\n", "a text file"),
        ("chart.png", b"\x89PNG\r\n", "a picture"),
        ("alerts.zst", b"\x28\xb5\x2f\xfd\0", "packed with zstd; unpack it first"),
    ],
)
def test_what_is_surely_no_alert_is_named_and_passed_over_in_a_folder(
    tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    folder = tmp_path / "night"
    folder.mkdir()
    (folder / "alert.avro").write_bytes(MESSAGE)
    (folder / name).write_bytes(content)
    (tmp_path / f"{name}.gz").write_bytes(gzip.compress(content))
    with tarfile.open(tmp_path / "night.tar", "w") as archive:
        archive.add(folder, "night")
    for file in (folder / name, tmp_path / f"{name}.gz"):
        with pytest.raises(NoAlertsError, match=rf"{name}.* holds no alerts: it is {reason}"):
            packets.read_files(file)
    for path in (folder, tmp_path / "night.tar"):
        passed_over: list[NoAlertsError] = []
        assert packets.read_files(path, passed_over.append)[0] == [MESSAGE]
        assert [reason in str(error) and name in str(error) for error in passed_over] == [True]


def test_what_may_be_a_damaged_alert_is_a_message(tmp_path: Path) -> None:
    for content in (b"rubbish", b"", b"\x07\0\xff", b"Obj\x01\n\n", b'{"payload": "x"}\n{\n', b"\xe9\n\n"):
        (tmp_path / "a.avro").write_bytes(content)
        assert packets.read_files(tmp_path / "a.avro")[0] == [content]


def test_the_truth_beside_a_stream_is_passed_over_in_folders_and_archives(tmp_path: Path) -> None:
    folder = tmp_path / "stream"
    folder.mkdir()
    pq.write_table(pa.table({"message": pa.array([MESSAGE], pa.binary())}), folder / "alerts.parquet")
    pq.write_table(pa.table({"object_id": [1], "class_id": [1], "class_name": ["SN"]}), folder / "truth.parquet")
    with zipfile.ZipFile(tmp_path / "stream.zip", "w") as archive:
        for file in folder.iterdir():
            archive.write(file, file.name)
    for path in (folder, tmp_path / "stream.zip"):
        passed_over: list[NoAlertsError] = []
        assert packets.read_files(path, passed_over.append)[0] == [MESSAGE]
        assert [str(error).partition(" holds")[0] for error in passed_over] == [str(path / "truth.parquet")]
