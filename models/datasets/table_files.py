"""Tables in files of common formats: Parquet, FITS, CSV, HDF5 (by astropy) and ARFF; the file's ending tells which."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from models.datasets.reading import reading

HDF5_PATH = "light_curves"
"""The table's place within an HDF5 file."""

MISSING_IN_ARFF = "?"


def read(path: Path) -> pd.DataFrame:
    """The table in a file; text columns hold str. Raises ValueError where the ending is not one of :data:`READERS` or
    the file is not in the format that its ending says."""
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise ValueError(f"{path}: a table's file must end in one of {', '.join(READERS)}")
    with reading(path, f"a {path.suffix} table"):
        return reader(path)


def write(table: pd.DataFrame, path: Path, name: str = "light curves") -> None:
    """Write a table in the format that the ending of ``path`` says, whole or not at all.

    Raises ValueError where the ending is not one of :data:`WRITERS`.
    """
    writer = WRITERS.get(path.suffix.lower())
    if writer is None:
        raise ValueError(f"{path}: a table's file must end in one of {', '.join(WRITERS)}")
    draft = path.with_name(f".{os.getpid()}-{path.name}")
    try:
        writer(table, draft, name)
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def _read_astropy(kind: str) -> Callable[[Path], pd.DataFrame]:
    def read_with_astropy(path: Path) -> pd.DataFrame:
        from astropy.table import Table

        where = {"path": HDF5_PATH} if kind == "hdf5" else {"hdu": 1}
        found = Table.read(path, format=kind, **where)
        found.convert_bytestring_to_unicode()
        table: pd.DataFrame = found.to_pandas()
        return table

    return read_with_astropy


def _write_astropy(kind: str) -> Callable[[pd.DataFrame, Path, str], None]:
    def write_with_astropy(table: pd.DataFrame, path: Path, name: str) -> None:
        from astropy.table import Table

        columns = {
            column: values.to_numpy(np.str_) if values.dtype == object or str(values.dtype) == "str" else values
            for column, values in table.items()
        }
        found = Table({str(column): np.asarray(values) for column, values in columns.items()}, meta={"NAME": name})
        if kind == "hdf5":
            found.convert_unicode_to_bytestring()
            found.write(path, format=kind, path=HDF5_PATH, compression=True)
        else:
            found.write(path, format=kind)

    return write_with_astropy


def _read_arff(path: Path) -> pd.DataFrame:
    from scipy.io import arff

    data, meta = arff.loadarff(path)
    table = pd.DataFrame(data)
    for column in meta.names():
        if meta[column][0] == "nominal":
            table[column] = table[column].str.decode("utf-8").str.strip('"')
    return table


def _write_arff(table: pd.DataFrame, path: Path, name: str) -> None:
    """Attribute-Relation File Format as SciPy and Weka read it: numbers, and text as nominal values."""
    lines = [f"@relation '{name}'", ""]
    columns = []
    for column, values in table.items():
        if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
            lines.append(f"@attribute {column} numeric")
            columns.append([MISSING_IN_ARFF if pd.isna(value) else repr(value) for value in values.tolist()])
        else:
            text = [_quoted(str(value)) for value in values]
            lines.append(f"@attribute {column} {{{','.join(sorted(set(text)))}}}")
            columns.append(text)
    lines += ["", "@data"]
    with path.open("w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
        file.writelines(",".join(row) + "\n" for row in zip(*columns, strict=True))


def _quoted(text: str) -> str:
    """As SciPy reads it, which knows both kinds of quotes and no escapes."""
    if text.replace("_", "").replace("-", "").isalnum():
        return text
    return f"'{text}'" if "'" not in text else '"' + text.replace('"', "'") + '"'


READERS: dict[str, Callable[[Path], pd.DataFrame]] = {
    ".parquet": pd.read_parquet,
    ".csv": lambda path: pd.read_csv(path, float_precision="round_trip"),
    ".fits": _read_astropy("fits"),
    ".h5": _read_astropy("hdf5"),
    ".hdf5": _read_astropy("hdf5"),
    ".arff": _read_arff,
}

WRITERS: dict[str, Callable[[pd.DataFrame, Path, str], None]] = {
    ".parquet": lambda table, path, name: table.to_parquet(path, index=False),
    ".csv": lambda table, path, name: table.to_csv(path, index=False),
    ".fits": _write_astropy("fits"),
    ".h5": _write_astropy("hdf5"),
    ".hdf5": _write_astropy("hdf5"),
    ".arff": _write_arff,
}
