"""Tables in FITS and HDF5 files, through astropy."""

from __future__ import annotations

import gzip
import io
import warnings
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from models.datasets.astropy_meta import MASK, units_of
from models.datasets.raw_table import RawTable, as_arrow

HDF5_PATH = "light_curves"
"""Path of the table within an HDF5 file."""

COLUMN_META = ".__table_column_meta__"
"""Suffix of the path beside it under which astropy stores the units."""

LARGEST_UNPACKED = 2_000_000_000
"""Bytes that a gzipped FITS file may hold: they are unpacked in memory."""

LARGEST_RATIO = 1_100
"""A gzip file cannot expand to this many times its size."""


def read_fits(path: Path, wanted: Collection[str]) -> RawTable:
    """The requested columns of the first table in the file. A value is missing if it is the column's TNULL or an empty
    text. The print format (TDISP) is ignored."""
    from astropy.io import fits

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # warnings on deviations from the standard that can be read
        with fits.open(unpacked(path), memmap=False, character_as_bytes=True) as file:
            hdu = next((hdu for hdu in file if isinstance(hdu, fits.BinTableHDU | fits.TableHDU)), None)
            if hdu is None:
                raise ValueError(f"it holds no table, but {', '.join(type(hdu).__name__ for hdu in file)}")
            names = tuple(hdu.columns.names)
            chosen = [column for column in hdu.columns if column.name in wanted and names.count(column.name) == 1]
            columns = {column.name: _fits_column(hdu, column) for column in chosen}
            units = {column.name: str(column.unit) for column in chosen if column.unit}
            n_rows = len(hdu.data) if hdu.data is not None else 0
    return RawTable(names, n_rows, columns, units)


def unpacked(path: Path) -> Path | io.BytesIO:
    """The file itself, or the content of one whose name ends in .gz, unpacked and compared with its checksum.

    astropy unpacks as it reads, and on a damaged gzip file may search for the end of a header for ever. Raises
    EOFError, zlib.error or an OSError where the file is damaged, ValueError beyond :data:`LARGEST_UNPACKED`.
    """
    if path.suffix.lower() != ".gz":
        return path
    with gzip.open(path) as file:
        content = file.read(LARGEST_UNPACKED + 1)
        if len(content) > LARGEST_UNPACKED:
            raise ValueError(f"it unpacks to more than {LARGEST_UNPACKED:,} bytes: unpack it first")
    return io.BytesIO(content)


def _fits_column(hdu: Any, column: Any) -> pa.ChunkedArray:
    values = np.asarray(hdu.data.field(column.name))
    if values.dtype.kind in "SU" and values.ndim == 1:
        text = np.char.decode(np.asarray(values, np.bytes_), "utf-8") if values.dtype.kind == "S" else values
        text = np.char.rstrip(text, " \x00")
        return as_arrow(text, text == "")
    if column.null in (None, "") or values.ndim != 1:
        return as_arrow(values)
    return as_arrow(values, values == column.null)


def read_hdf5(path: Path, wanted: Collection[str]) -> RawTable:
    """The requested columns of the table at :data:`HDF5_PATH`; values that astropy masked are missing.

    The file is read without astropy, which also reads attributes: a damaged one can have any size.
    """
    import h5py

    with h5py.File(path) as file:
        table = file.get(HDF5_PATH)
        if not isinstance(table, h5py.Dataset):
            held = ", ".join(sorted(file)[:5]) or "nothing"
            raise ValueError(f"a table of columns must lie at {HDF5_PATH}, found {held}")
        names = table.dtype.names or ()
        if table.ndim != 1 or table.nbytes > LARGEST_RATIO * path.stat().st_size:
            raise ValueError(f"a table of columns must lie at {HDF5_PATH}, found {table.shape} of {table.dtype}")
        meta = file.get(f"{HDF5_PATH}{COLUMN_META}")
        lines = [] if meta is None else [line.decode() for line in meta[()]]
        there = [name for name in names if name in wanted]
        masked = {name: f"{name}{MASK}" for name in there if lines and f"{name}{MASK}" in names}
        values = table.fields([*there, *masked.values()])[()] if there else {}
        n_rows = len(table)
    columns = {name: as_arrow(values[name], values[masked[name]] if name in masked else None) for name in there}
    return RawTable(tuple(names), n_rows, columns, units_of(lines))


def write_fits(table: pd.DataFrame, path: Path, name: str) -> None:
    """Write the table; raises ValueError with a text that FITS cannot hold: not printable ASCII, or with a blank at its
    end."""
    for column, values in texts_of(table).items():
        for text in dict.fromkeys(values.tolist()):
            if not (text.isascii() and text.isprintable() and text == text.rstrip()):
                raise ValueError(
                    f"a FITS table holds texts of printable ASCII without blanks at their end, found {text!r} as "
                    f"{column}: write .parquet, .csv or .h5 instead"
                )
    title = name if name.isascii() and name.isprintable() else "light curves"
    astropy_table(table, {"NAME": title}).write(path, format="fits")


def write_hdf5(table: pd.DataFrame, path: Path, name: str) -> None:
    """Write the table at :data:`HDF5_PATH`; texts are stored as UTF-8."""
    made = astropy_table(table, {"NAME": name})
    made.convert_unicode_to_bytestring()
    made.write(path, format="hdf5", path=HDF5_PATH, compression=True)


def astropy_table(table: pd.DataFrame, meta: dict[str, str]) -> Any:
    from astropy.table import Table

    return Table({str(name): values.to_numpy() for name, values in table.items()} | texts_of(table), meta=meta)


def texts_of(table: pd.DataFrame) -> dict[str, np.ndarray]:
    """The text columns as NumPy string arrays."""
    return {
        str(name): values.to_numpy(np.str_)
        for name, values in table.items()
        if values.dtype == object or str(values.dtype) == "str"
    }
