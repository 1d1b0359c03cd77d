"""Tables in CSV files, also gzipped: cells stay text, and messages give the line of the file."""

from __future__ import annotations

import codecs
import csv
import gzip
from collections.abc import Collection, Iterator
from functools import partial
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.csv as arrow_csv

from models.datasets.raw_table import RawTable
from models.datasets.reading import UnreadableError

csv.field_size_limit(2**31 - 1)
"""What a cell may hold is judged by its column, not here."""


def read(path: Path, wanted: Collection[str]) -> RawTable:
    """The requested columns as text; an empty cell is an empty text. Raises UnreadableError with the line that has more
    or fewer cells than the first."""
    with path.open("rb") as file:
        if file.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            raise UnreadableError(f"{path} must be UTF-8, found UTF-16: save it as UTF-8")
    names = next((tuple(cells) for _, cells in _records(path)), ())
    there = [name for name in dict.fromkeys(names) if name in wanted]
    try:
        table = arrow_csv.read_csv(
            path,
            parse_options=arrow_csv.ParseOptions(newlines_in_values=True),
            convert_options=arrow_csv.ConvertOptions(
                include_columns=there, column_types=dict.fromkeys(there, pa.string())
            ),
        )
    except pa.ArrowInvalid:
        _require_whole_lines(path, len(names))
        raise
    columns = {name: table[name] for name in there}
    return RawTable(names, table.num_rows, columns, place=partial(line_of, path))


def write(table: pd.DataFrame, path: Path, name: str) -> None:
    """Write the table; a missing number is an empty cell."""
    returns = any("\r" in str(text) for _, values in table.items() if _is_text(values) for text in values.unique())
    # without quotes, a carriage return would end the line
    table.to_csv(path, index=False, quoting=csv.QUOTE_NONNUMERIC if returns else csv.QUOTE_MINIMAL)


def line_of(path: Path, row: int) -> str:
    """The line of the file on which a row begins: the header, blank lines and lines within quotes count."""
    for number, (line, _) in enumerate(_records(path)):
        if number == row + 1:
            return f"line {line}"
    return f"row {row + 1}"


def _records(path: Path) -> Iterator[tuple[int, list[str]]]:
    """The line on which each record begins, and its cells; the header is the first."""
    opened = gzip.open if path.suffix.lower() == ".gz" else open
    with opened(path, "rt", encoding="utf-8-sig", errors="replace", newline="") as file:
        reader, line = csv.reader(file), 1
        for cells in reader:
            if cells:
                yield line, cells
            line = reader.line_num + 1


def _require_whole_lines(path: Path, width: int) -> None:
    for line, cells in _records(path):
        if len(cells) != width:
            raise UnreadableError(
                f"{path}, line {line}: each line must have {width} cells as the first, found {len(cells)}"
            )


def _is_text(values: pd.Series) -> bool:
    return bool(pd.api.types.is_object_dtype(values) or pd.api.types.is_string_dtype(values))
