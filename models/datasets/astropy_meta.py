"""What astropy writes beside the columns of a Parquet or an HDF5 table: their units, and where values are masked."""

from __future__ import annotations

MASK = ".mask"
"""A masked column is written as two: the values, and one of this ending that says where there are none."""


def units_of(lines: list[str]) -> dict[str, str]:
    """The units by column, from the lines of astropy's YAML; none where there are no lines."""
    if not lines:
        return {}
    from astropy.table.meta import get_header_from_yaml

    columns = get_header_from_yaml(lines)["datatype"]
    return {column["name"]: str(column["unit"]) for column in columns if "unit" in column}
