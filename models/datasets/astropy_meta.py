"""Metadata that astropy writes with a Parquet or HDF5 table: units and masks."""

from __future__ import annotations

MASK = ".mask"
"""astropy writes a masked column as two: the values, and the mask under the name with this suffix."""


def units_of(lines: list[str]) -> dict[str, str]:
    """The units by column, from the lines of astropy's YAML; empty if there are no lines."""
    if not lines:
        return {}
    from astropy.table.meta import get_header_from_yaml

    columns = get_header_from_yaml(lines)["datatype"]
    return {column["name"]: str(column["unit"]) for column in columns if "unit" in column}
