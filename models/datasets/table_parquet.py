"""Tables in Parquet files."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from models.datasets.astropy_meta import MASK, units_of
from models.datasets.raw_table import RawTable

ASTROPY_META = b"table_meta_yaml"
"""Where astropy's Parquet files hold the units of columns."""


def read(path: Path, wanted: Collection[str]) -> RawTable:
    """The requested columns; an index that pandas wrote counts as a column."""
    with pq.ParquetFile(path) as file:
        schema, n_rows = file.schema_arrow, file.metadata.num_rows
        there = [name for name in schema.names if name in wanted]
        by_astropy = ASTROPY_META in (schema.metadata or {})
        masked = [name for name in there if by_astropy and f"{name}{MASK}" in schema.names]
        table = file.read(columns=there + [f"{name}{MASK}" for name in masked])
    columns = {name: table[name] for name in there if there.count(name) == 1}
    for name in masked:
        columns[name] = pc.if_else(table[f"{name}{MASK}"], None, columns[name])
    return RawTable(tuple(schema.names), n_rows, columns, _units(schema) if there else {})


def _units(schema: pa.Schema) -> dict[str, str]:
    """The units from the metadata of the fields, or from astropy's metadata of the table."""
    units = {field.name: field.metadata[b"unit"].decode() for field in schema if b"unit" in (field.metadata or {})}
    return units | units_of((schema.metadata or {}).get(ASTROPY_META, b"").decode().splitlines())
