"""Tables in Attribute-Relation File Format, as SciPy and Weka read it: numbers, and text as nominal values."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import pandas as pd

from models.datasets.raw_table import RawTable, as_arrow

MISSING = "?"


def read(path: Path, wanted: Collection[str]) -> RawTable:
    """The requested columns."""
    from scipy.io import arff

    with path.open(encoding="utf-8") as file:
        try:
            data, meta = arff.loadarff(file)
        except StopIteration:
            raise ValueError("it must hold @relation, @attribute and @data lines, and ends before them") from None
    columns = {}
    for name in meta.names():
        if name in wanted and meta[name][0] == "nominal":
            text = pd.Series(data[name]).str.decode("utf-8").str.strip('"').to_numpy(object)
            columns[name] = as_arrow(text, text == MISSING)
        elif name in wanted:
            columns[name] = as_arrow(data[name])
    return RawTable(tuple(meta.names()), len(data), columns)


def write(table: pd.DataFrame, path: Path, name: str) -> None:
    """Write the table; raises ValueError with a text that SciPy could not read from this format."""
    title = name if name.isascii() and name.isprintable() and "'" not in name else "light curves"
    texts = {str(column): values.map(str) for column, values in table.items() if not _is_number(values)}
    quote = _quote(texts)
    lines = [f"@relation '{title}'", ""]
    columns = []
    for column, values in table.items():
        if column in texts:
            written = [f"{quote}{text}{quote}" for text in texts[column]]
            lines.append(f"@attribute {column} {{{','.join(sorted(set(written)))}}}")
            columns.append(written)
        else:
            lines.append(f"@attribute {column} numeric")
            columns.append([MISSING if pd.isna(value) else repr(value) for value in values.tolist()])
    lines += ["", "@data"]
    with path.open("w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
        file.writelines(",".join(row) + "\n" for row in zip(*columns, strict=True))


def _quote(texts: dict[str, pd.Series]) -> str:
    """The quote character for all texts of the table: SciPy guesses it from the first row and knows no escapes."""
    distinct = [(text, column) for column, values in texts.items() for text in values.unique()]
    for text, column in distinct:
        if not (text.isascii() and text.isprintable()) or set(text) & set("{}\\%") or text == MISSING:
            raise ValueError(
                f"an ARFF table holds texts of printable ASCII without {{ }} \\ %, found {text!r} as {column}: "
                "write .parquet, .csv or .h5 instead"
            )
    if all(text.replace("_", "").replace("-", "").isalnum() for text, _ in distinct):
        return ""
    quote = next((quote for quote in "'\"" if not any(quote in text for text, _ in distinct)), None)
    if quote is None:
        raise ValueError(
            "an ARFF table holds texts with one kind of quotes, found both: write .parquet, .csv or .h5 instead"
        )
    return quote


def _is_number(values: pd.Series) -> bool:
    return bool(pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values))
