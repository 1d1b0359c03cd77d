"""Alert files → messages: wire messages, Avro containers, tar archives of them, and Parquet tables of whole packets."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import fastavro

from schemas import lsst

TAR_SUFFIXES = (".tar", ".tar.gz", ".tgz", ".tar.xz", ".tar.bz2")
_UNKNOWN = {"string": "", "bytes": b"", "boolean": False, "float": float("nan"), "double": float("nan")}


def read_files(paths: Iterable[str | Path]) -> tuple[list[bytes], list[Path]]:
    """The messages in files, and the file of each; a folder gives its files in the order of their names.

    Anything but Parquet and tar is one message, whatever it holds: ``schemas.packets.read`` judges it. Each row of a
    Parquet table of LSST packets becomes a wire message of the version the row states. Raises OSError for a file that
    cannot be read, and ValueError for a table that holds no packets.
    """
    messages: list[bytes] = []
    files: list[Path] = []
    for path in paths:
        for file in _files(Path(path)):
            for message, origin in _messages(file):
                messages.append(message)
                files.append(origin)
    return messages, files


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(file for file in path.rglob("*") if file.is_file() and not file.name.startswith("."))
    return [path]


def _messages(file: Path) -> Iterator[tuple[bytes, Path]]:
    name = file.name.lower()
    if name.endswith(".parquet"):
        for message in _packets_of_table(file):
            yield message, file
    elif name.endswith(TAR_SUFFIXES):
        try:
            with tarfile.open(file) as archive:
                for member in archive:
                    content = archive.extractfile(member) if member.isfile() else None
                    if content:
                        yield content.read(), file / member.name
        except tarfile.TarError as error:
            raise ValueError(f"{file} is no tar archive that can be read: {error}") from error
    else:
        yield file.read_bytes(), file


def _packets_of_table(file: Path) -> Iterator[bytes]:
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(file)
    except (OSError, ValueError) as error:
        raise ValueError(f"{file} is no Parquet table that can be read: {error}") from error
    names = table.schema_arrow.names
    if "diaSource" not in names:
        raise ValueError(
            f"{file} must have the columns of an alert packet, diaSource among them; found {', '.join(names)}"
        )
    for batch in table.iter_batches(batch_size=16):
        for row in batch.to_pylist():
            yield _wire_message(row)


def _wire_message(row: dict[str, Any]) -> bytes:
    schema_id = lsst.version_id(str(row.get("lsst_schema_version"))) or lsst.known_ids()[-1]
    source, dia_object = row["diaSource"], row.get("diaObject")
    if isinstance(dia_object, dict) and isinstance(dia_object.get("diaObjectId"), float):
        dia_object["diaObjectId"] = source.get("diaObjectId")  # as a double the id has lost its last digits
    buffer = io.BytesIO(bytes([lsst.WIRE_MAGIC]) + schema_id.to_bytes(4, "big"))
    buffer.seek(0, io.SEEK_END)
    definition, parsed = _schema(schema_id)
    fastavro.schemaless_writer(buffer, parsed, _conformed(row, definition, schema_id))
    return buffer.getvalue()


@lru_cache(maxsize=16)
def _schema(schema_id: int) -> tuple[Any, Any]:
    alert, records = lsst.definitions(schema_id)
    named: dict[str, Any] = {}
    for definition in records.values():
        fastavro.parse_schema(definition, named_schemas=named)
    return alert, fastavro.parse_schema(alert, named_schemas=named)


def _conformed(value: Any, schema: Any, schema_id: int) -> Any:
    """A value as its schema wants it: an empty structure is null, a required value that is missing is unknown."""
    if isinstance(schema, list):
        other = next(branch for branch in schema if branch != "null")
        return None if value is None or _all_null(value) else _conformed(value, other, schema_id)
    if isinstance(schema, str) and "." in schema:
        schema = lsst.definitions(schema_id)[1][schema]
    if isinstance(schema, dict) and schema["type"] == "record":
        found = value if isinstance(value, dict) else {}
        return {f["name"]: _conformed(found.get(f["name"]), f["type"], schema_id) for f in schema["fields"]}
    if isinstance(schema, dict) and schema["type"] == "array":
        return [_conformed(item, schema["items"], schema_id) for item in value or []]
    if value is None:
        return _UNKNOWN.get(str(schema), 0)
    if schema in ("int", "long") and isinstance(value, float):  # a table with nulls may hold counts as doubles
        return int(value) if value == value else 0
    return value


def _all_null(value: Any) -> bool:
    return isinstance(value, dict) and all(item is None or _all_null(item) for item in value.values())
