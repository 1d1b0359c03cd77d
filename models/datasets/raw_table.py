"""RawTable: columns of a table as they are in its file, before any check."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


def row_number(row: int) -> str:
    """The place of a row in a file without lines: its number, from 1."""
    return f"row {row + 1}"


@dataclass(frozen=True, slots=True)
class RawTable:
    """Columns of a file.

    - ``names``: names of all columns of the file, in order; ``n_rows``: number of rows.
    - ``columns``: the requested columns, by name, each with ``n_rows`` values; null where missing.
    - ``units``: the units that the file states, by column.
    - ``place``: the place of a row, such as "line 7".
    """

    names: tuple[str, ...]
    n_rows: int
    columns: Mapping[str, pa.ChunkedArray]
    units: Mapping[str, str] = field(default_factory=dict)
    place: Callable[[int], str] = row_number


def as_arrow(values: NDArray, missing: NDArray[np.bool_] | None = None) -> pa.ChunkedArray:
    """A NumPy column as an Arrow column; bytes become text. Raises UnicodeDecodeError if bytes are not UTF-8."""
    if values.ndim != 1:
        return pa.chunked_array([pa.array(list(values.reshape(len(values), -1)))])  # one list per row
    if values.dtype.kind == "S":
        values = np.char.decode(values, "utf-8")
    if values.dtype.kind == "O":
        text = [value.decode() if isinstance(value, bytes) else value for value in values]
        return pa.chunked_array([pa.array(text, mask=missing)])
    if values.dtype.kind != "U":
        values = values.astype(values.dtype.newbyteorder("="))
    return pa.chunked_array([pa.array(values, mask=missing)])
