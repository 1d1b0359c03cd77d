"""RawTable: columns of a table as its file has them, before anything is checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


def row_number(row: int) -> str:
    """Where a person finds a row in a file that has no lines: its number, from 1."""
    return f"row {row + 1}"


@dataclass(frozen=True, slots=True)
class RawTable:
    """Columns of a file.

    - ``names``: of all the file's columns, in their order; ``n_rows``: how many rows it has.
    - ``columns``: those that were wanted, by name, each of ``n_rows`` values; null: nothing is there.
    - ``units``: the unit that the file states, by column, where it states one.
    - ``place``: where a person finds a row, such as "line 7".
    """

    names: tuple[str, ...]
    n_rows: int
    columns: Mapping[str, pa.ChunkedArray]
    units: Mapping[str, str] = field(default_factory=dict)
    place: Callable[[int], str] = row_number


def as_arrow(values: NDArray, missing: NDArray[np.bool_] | None = None) -> pa.ChunkedArray:
    """A column of NumPy's as one of Arrow's; bytes become text. UnicodeDecodeError where bytes are not UTF-8."""
    if values.ndim != 1:
        return pa.chunked_array([pa.array(list(values.reshape(len(values), -1)))])  # a list a row
    if values.dtype.kind == "S":
        values = np.char.decode(values, "utf-8")
    if values.dtype.kind == "O":
        text = [value.decode() if isinstance(value, bytes) else value for value in values]
        return pa.chunked_array([pa.array(text, mask=missing)])
    if values.dtype.kind != "U":
        values = values.astype(values.dtype.newbyteorder("="))
    return pa.chunked_array([pa.array(values, mask=missing)])
