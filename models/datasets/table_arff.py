"""Tables in Attribute-Relation File Format, as SciPy and Weka read it: numbers, and texts as nominal values."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import pandas as pd

from models.datasets.raw_table import RawTable, as_arrow

MISSING = "?"


def read(path: Path, wanted: Collection[str]) -> RawTable:
    """The wanted columns."""
    from scipy.io import arff

    with path.open(encoding="utf-8") as file:
        data, meta = arff.loadarff(file)
    columns = {}
    for name in meta.names():
        if name in wanted and meta[name][0] == "nominal":
            text = pd.Series(data[name]).str.decode("utf-8").str.strip('"').to_numpy(object)
            columns[name] = as_arrow(text, text == MISSING)
        elif name in wanted:
            columns[name] = as_arrow(data[name])
    return RawTable(tuple(meta.names()), len(data), columns)


def write(table: pd.DataFrame, path: Path, name: str) -> None:
    """Write the table; ValueError names a text that the format can't hold as SciPy reads it."""
    title = name if name.isascii() and name.isprintable() and "'" not in name else "light curves"
    lines = [f"@relation '{title}'", ""]
    columns = []
    for column, values in table.items():
        if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
            lines.append(f"@attribute {column} numeric")
            columns.append([MISSING if pd.isna(value) else repr(value) for value in values.tolist()])
        else:
            written = {text: _quoted(text, str(column)) for text in dict.fromkeys(map(str, values))}
            lines.append(f"@attribute {column} {{{','.join(sorted(written.values()))}}}")
            columns.append([written[str(value)] for value in values])
    lines += ["", "@data"]
    with path.open("w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
        file.writelines(",".join(row) + "\n" for row in zip(*columns, strict=True))


def _quoted(text: str, column: str) -> str:
    """As SciPy reads it, which knows both kinds of quotes and no escapes."""
    if text.isascii() and text.replace("_", "").replace("-", "").isalnum():
        return text
    quote = "'" if "'" not in text else '"'
    if not (text.isascii() and text.isprintable()) or quote in text or set(text) & set("{}\\%") or text == MISSING:
        raise ValueError(
            f"an ARFF table holds texts of printable ASCII without {{ }} \\ % and with one kind of quotes, found "
            f"{text!r} as {column}: write .parquet, .csv or .h5 instead"
        )
    return f"{quote}{text}{quote}"
