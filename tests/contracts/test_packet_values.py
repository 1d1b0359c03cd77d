"""Every value that is read is the one that fastavro reads, bit for bit: real packets, and made ones of every schema.

What is compared are the columns as they come from the bytes (``schemas.packet_rows``), before any unit is changed.
"""

from __future__ import annotations

import io
import json
import struct
import tarfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import fastavro
import numpy as np
import pytest
from hypothesis import given, settings

from schemas import elasticc, lsst, packets, ztf
from schemas.avro_values import MISSING, STRING_TOO_LONG
from schemas.columns import Column, Compiler, Layout, Program
from schemas.packet_rows import PacketRows
from tests.unit.schemas.made_packets import MANNER, Manner, Writer

SURVEY = {"candidate": ztf, "diaSource": lsst}


class Reading(NamedTuple):
    """A schema in one piece, the records it names, and how it is read."""

    schema: Any
    named: dict[str, Any]
    layout: Layout
    program: Program


def reading(schema: Any, named: dict[str, Any], layout: Layout) -> Reading:
    return Reading(schema, named, layout, Compiler(layout, named).compile(schema))


@cache
def wire_reading(schema_id: int) -> Reading:
    alert, records = lsst.definitions(schema_id)
    return reading(alert, records, lsst.LAYOUT)


def found_in(record: Any, path: str) -> Any:
    """The value at a dotted path, None where anything on the way is null or not in the schema."""
    for name in path.split("."):
        record = record.get(name) if isinstance(record, dict) else None
    return record


def expected(record: Any, column: Column) -> tuple:
    """What the registers of a column must hold, from a record as fastavro gives it."""
    value = next((at_path for path in column.paths if (at_path := found_in(record, path)) is not None), None)
    if column.kind == "present":
        return (1 if value is not None else MISSING,)
    if column.kind == "text":
        data = None if value is None else value.encode()
        if data is not None and len(data) <= 16:
            return struct.unpack("<qq", data.ljust(16, b"\0"))
        return (MISSING, MISSING) if data is None else (STRING_TOO_LONG, STRING_TOO_LONG)
    if value is None:
        return (np.nan,) if column.kind == "float" else (MISSING,)
    return (float(value),) if column.kind == "float" else (int(value),)


def bits(column: Column, values: Any) -> np.ndarray:
    """The values as 64-bit patterns; every NaN is one NaN."""
    if column.kind != "float":
        return np.asarray(values, np.int64).ravel()
    doubles = np.asarray(values, np.float64).ravel()
    return np.where(np.isnan(doubles), np.nan, doubles).view(np.int64)


def check(rows: PacketRows, records: list[dict]) -> None:
    layout = rows.layout
    items = [
        (owner, number, item)
        for owner, record in enumerate(records)
        for array, number in sorted(
            layout.arrays.items(), key=lambda pair: list(record).index(pair[0]) if pair[0] in record else 99
        )
        for item in record.get(array) or []
    ]
    assert rows.n_alerts == len(records)
    assert rows.owner.tolist() == [owner for owner, _, _ in items]
    assert rows.array.tolist() == [number for _, number, _ in items]
    for name, column in layout.alert.items():
        wanted = [expected(record, column) for record in records]
        np.testing.assert_array_equal(bits(column, rows.alert(name)), bits(column, wanted), name)
    for name, column in layout.point.items():
        wanted = [expected(item, column) for _, _, item in items]
        np.testing.assert_array_equal(bits(column, rows.point(name)), bits(column, wanted), name)


def without_logical_types(schema: Any) -> Any:
    """The schema with plain numbers in the place of dates, which cannot hold every number."""
    if isinstance(schema, list):
        return [without_logical_types(branch) for branch in schema]
    if isinstance(schema, dict):
        return {key: without_logical_types(value) for key, value in schema.items() if key != "logicalType"}
    return schema


@cache
def _peer_schema(text: str, named: str) -> Any:
    by_schema_id: dict[str, Any] = {}
    for record in json.loads(named):
        fastavro.parse_schema(without_logical_types(record), named_schemas=by_schema_id)
    return fastavro.parse_schema(without_logical_types(json.loads(text)), named_schemas=by_schema_id)


def by_fastavro(reading: Reading, data: bytes) -> dict:
    stream = io.BytesIO(data)
    schema = _peer_schema(json.dumps(reading.schema), json.dumps(list(reading.named.values())))
    record = fastavro.schemaless_reader(stream, schema, None)
    assert stream.read() == b""
    return record


def read_wire(schema_id: int, bodies: list[bytes]) -> PacketRows:
    messages = [b"\0" + struct.pack(">I", schema_id) + body for body in bodies]
    _, program = lsst.wire_program(messages[0])
    rows = PacketRows(lsst.LAYOUT, 1, 1)
    assert rows.read_messages(program, messages, lsst.WIRE_HEADER_BYTES, list(range(len(messages))), schema_id) == []
    return rows


def read_records(reading: Reading, bodies: list[bytes]) -> PacketRows:
    rows = PacketRows(reading.layout, 1, 1)
    for i, body in enumerate(bodies):
        end = rows.read(reading.program, np.frombuffer(body, np.uint8), 0, len(body), (i, 0, ""))
        assert end == len(body)
    return rows


def check_made(reading: Reading, manners: tuple[Manner, Manner], schema_id: int | None = None) -> None:
    """Packets made in two manners, in turn: what was read before must not matter."""
    bodies = [Writer(manner, dict(reading.named)).written(reading.schema) for manner in manners]
    records = [by_fastavro(reading, body) for body in bodies]
    bodies, records = [*bodies, *bodies], [*records, *records]
    check(read_records(reading, bodies), records)
    if schema_id is not None:
        check(read_wire(schema_id, bodies), records)


@pytest.mark.parametrize("schema_id", lsst.known_ids())
@settings(deadline=None, max_examples=15)
@given(one=MANNER, two=MANNER)
def test_made_packets_of_every_wire_schema(schema_id: int, one: Manner, two: Manner) -> None:
    check_made(wire_reading(schema_id), (one, two), schema_id)


def container_schemas(shared_data: Path) -> dict[str, Reading]:
    """Of each version of the containers at hand, and of ELAsTiCC's published files."""
    readings = {}
    for file in sorted((shared_data / "ztf").glob("[vs]*/*.avro")):
        schema = json.loads(fastavro.reader(io.BytesIO(file.read_bytes())).metadata["avro.schema"])
        readings.setdefault(f"{schema['version']}", (schema, {}, ztf.LAYOUT))
    folder = shared_data / "elasticc" / "schema"
    parts = {file.name.removesuffix(".avsc"): json.loads(file.read_text()) for file in folder.glob("*dia*.avsc")}
    alert = json.loads((folder / "elasticc.v0_9_1.alert.avsc").read_text())
    readings["elasticc 0.9.1"] = (alert, parts, elasticc.LAYOUT)
    return {name: reading(*parts) for name, parts in readings.items()}


def test_made_packets_of_every_container_schema(shared_data: Path) -> None:
    readings = container_schemas(shared_data)
    assert set(readings) == {"1.8", "3.3", "4.01", "4.02", "elasticc 0.9.1"}

    @settings(deadline=None, max_examples=15)
    @given(one=MANNER, two=MANNER)
    def made(one: Manner, two: Manner) -> None:
        for reading in readings.values():
            check_made(reading, (one, two))

    made()


def real_messages(shared_data: Path) -> Iterator[bytes]:
    folders = ("rubin", "rubin-wire", "ztf/v1_8", "ztf/v3_3", "ztf/v4_01", "ztf/v4_02", "ztf/sn2021rhu")
    for folder in folders:
        files = sorted(file for file in (shared_data / folder).rglob("*") if file.is_file())
        yield from packets.read_files(files)[0]
    with tarfile.open(next((shared_data / "elasticc").glob("*.tar.xz"))) as archive:
        for member in archive:
            if member.isfile():
                yield archive.extractfile(member).read()  # type: ignore[union-attr]


def test_real_packets(shared_data: Path) -> None:
    n_alerts = n_points = 0
    for message in real_messages(shared_data):
        if message[0] == 0:
            schema_id = int.from_bytes(message[1:5], "big")
            body = message[lsst.WIRE_HEADER_BYTES :]
            rows, records = read_wire(schema_id, [body]), [by_fastavro(wire_reading(schema_id), body)]
        else:
            rows, records = read_container(message)
        check(rows, records)
        n_alerts, n_points = n_alerts + rows.n_alerts, n_points + rows.n_points
    assert n_alerts > 300  # the large folder has 5,700
    assert n_points > 5_000


def read_container(message: bytes) -> tuple[PacketRows, list[dict]]:
    """A container's alerts by us, from its blocks as fastavro unpacks them, and by fastavro."""
    reading, bodies = None, []
    for block in fastavro.block_reader(io.BytesIO(message)):
        reading = reading or _container_reading(json.dumps(block.writer_schema))
        bodies.append((block.bytes_.getvalue(), block.num_records))
    assert reading is not None
    rows, records = PacketRows(reading.layout, 1, 1), []
    for data, count in bodies:
        at, stream = 0, io.BytesIO(data)
        for _ in range(count):
            at = rows.read(reading.program, np.frombuffer(data, np.uint8), at, len(data), (0, 0, ""))
            records.append(fastavro.schemaless_reader(stream, _peer_schema(json.dumps(reading.schema), "[]"), None))
            assert at == stream.tell()
    return rows, records


@cache
def _container_reading(text: str) -> Reading:
    schema = json.loads(text)
    names = {item["name"] for item in schema["fields"]}
    return reading(schema, {}, SURVEY["candidate" if "candidate" in names else "diaSource"].LAYOUT)
