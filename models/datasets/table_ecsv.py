"""Tables in ECSV, astropy's text with a header of types and units, gzipped or not."""

from __future__ import annotations

import warnings
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from models.datasets.raw_table import RawTable, as_arrow
from models.datasets.table_astropy import astropy_table, texts_of


def read(path: Path, wanted: Collection[str]) -> RawTable:
    """The wanted columns, each of the type and in the unit that the header states; a value that is masked is missing.

    Raises ValueError for a wanted column that is no plain one, such as a Time, and what astropy raises.
    """
    from astropy.table import Column, Table

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what is not as the standard says, but can be read
        table = Table.read(path, format="ascii.ecsv")
    there = {name: table[name] for name in table.colnames if name in wanted}
    for name, column in there.items():
        if not isinstance(column, Column):
            raise ValueError(f"the column {name} must hold numbers or texts, found {type(column).__name__}")
    columns = {name: _as_arrow(column) for name, column in there.items()}
    units = {name: str(column.unit) for name, column in there.items() if column.unit is not None}
    return RawTable(tuple(table.colnames), len(table), columns, units)


def write(table: pd.DataFrame, path: Path, name: str) -> None:
    """Write the table; ValueError names a text that ECSV can't hold: one with line ends or other signs that are not
    printed, with a blank at an end, or with a # in front, which begins a comment."""
    for column, texts in texts_of(table).items():
        for text in dict.fromkeys(texts.tolist()):
            if not text.isprintable() or text != text.strip() or text.startswith("#"):
                raise ValueError(
                    f"an ECSV table holds printable texts without a blank at an end or a # in front, found {text!r} as "
                    f"{column}: write .parquet, .csv or .h5 instead"
                )
    astropy_table(table, {"NAME": name}).write(path, format="ascii.ecsv")


def _as_arrow(column: Any) -> pa.ChunkedArray:
    mask = getattr(column, "mask", None)
    return as_arrow(np.asarray(column), None if mask is None else np.broadcast_to(mask, column.shape))
