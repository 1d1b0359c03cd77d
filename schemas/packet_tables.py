"""Parquet tables → messages: whole packets of the LSST, a row each, or messages as ``gueststar convert`` writes."""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

import fastavro

from schemas import lsst
from schemas.other_files import LIGHT_CURVES, NoAlertsError

MESSAGE_COLUMN = "message"
"""A table with this binary column holds messages, one a row."""

OTHER_TABLES = {
    ("class_ids", "p_flat"): "it is an archive of classified alerts: results without light curves, for pandas or Spark",
    ("object_id", "class_id", "class_name"): "it is the truth of a stream; its alerts are in alerts.parquet beside it",
    ("band", "flux_njy"): f"it is a table of light curves; {LIGHT_CURVES}",
    ("alert_id", "amplitude"): "it is a matrix of features, for pandas",
}
"""Tables that other commands write, by some of their columns, and what they are: they hold no alerts to be read."""

_UNKNOWN = {"string": "", "bytes": b"", "boolean": False, "float": float("nan"), "double": float("nan")}


def messages_of_table(content: IO[bytes], origin: Path) -> Iterator[bytes]:
    """The messages of a table; each row of whole packets becomes a wire message of the version the row states.

    Raises NoAlertsError for a table that holds no packets, ValueError naming the file and where it can the row for one
    that is damaged.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(content)
        schema = table.schema_arrow
        if MESSAGE_COLUMN in schema.names and _is_binary(schema.field(MESSAGE_COLUMN).type):
            for batch in table.iter_batches(batch_size=1_000, columns=[MESSAGE_COLUMN]):
                yield from (message or b"" for message in batch.column(0).to_pylist())
            return
        if "diaSource" not in schema.names:
            raise NoAlertsError(f"{origin} {_what_it_lacks(schema.names)}")
        row = 0
        for batch in table.iter_batches(batch_size=16):
            for record in batch.to_pylist():
                row += 1
                yield _packet_of_row(record, f"{origin}: row {row}")
    except (pa.ArrowException, OSError) as error:
        raise ValueError(f"{origin} is no Parquet table that can be read: {str(error).splitlines()[0]}") from error


def _is_binary(kind: Any) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind))


def _what_it_lacks(names: list[str]) -> str:
    for columns, what in OTHER_TABLES.items():
        if set(columns) <= set(names):
            return f"holds no alerts: {what}"
    shown = ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")
    return (
        f"must have the columns of an alert packet, diaSource among them, or messages in a binary column "
        f"{MESSAGE_COLUMN}; found {shown}"
    )


def _packet_of_row(record: dict[str, Any], where: str) -> bytes:
    try:
        return _wire_message(record)
    except Exception as error:  # a column of another type than the packets' can do anything
        raise ValueError(f"{where} is no alert packet: {type(error).__name__}: {str(error)[:200]}") from error


def _wire_message(row: dict[str, Any]) -> bytes:
    schema_id = lsst.version_id(str(row.get("lsst_schema_version"))) or lsst.known_ids()[-1]
    source, dia_object = row["diaSource"], row.get("diaObject")
    if not isinstance(source, dict):
        raise TypeError(f"diaSource must be a structure, found {source!r}")
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
        if not isinstance(value, dict | None):
            raise TypeError(f"{schema['name']} must be a structure, found {value!r}")
        members = value or {}
        return {f["name"]: _conformed(members.get(f["name"]), f["type"], schema_id) for f in schema["fields"]}
    if isinstance(schema, dict) and schema["type"] == "array":
        if not isinstance(value, list | None):
            raise TypeError(f"a list must stand where {value!r} does")
        return [_conformed(item, schema["items"], schema_id) for item in value or []]
    if value is None:
        return _UNKNOWN.get(str(schema), 0)
    if schema in ("int", "long") and isinstance(value, float):  # a table with nulls may hold counts as doubles
        return int(value) if value == value else 0
    return value


def _all_null(value: Any) -> bool:
    return isinstance(value, dict) and all(item is None or _all_null(item) for item in value.values())
