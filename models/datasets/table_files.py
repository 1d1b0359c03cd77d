"""Tables in files of common formats: Parquet, CSV, ECSV, FITS, HDF5 and ARFF, by the suffix of the file."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path

import pandas as pd

from models.datasets import table_arff, table_astropy, table_csv, table_ecsv, table_parquet
from models.datasets.raw_table import RawTable
from models.datasets.reading import UnreadableError, in_words, reading
from schemas.whole_file import whole_file


def read(path: Path, wanted: Collection[str]) -> RawTable:
    """Those of the columns ``wanted`` that the table in a file has, unconverted.

    Raises UnreadableError if the suffix is not one of :data:`READERS`, the file is not in the format of its suffix, or
    it has one of these columns twice. Other columns are ignored.
    """
    reader = READERS.get(ending_of(path))
    if reader is None:
        raise UnreadableError(f"{path}: a table's file must end in one of {', '.join(READERS)}")
    with reading(path, f"a {ending_of(path)} table"):
        table = reader(path, wanted)
    for name in wanted:
        if table.names.count(name) > 1:
            raise UnreadableError(
                f"{path}: the column {name} must be there once, found it {table.names.count(name)} times"
            )
    return table


def ending_of(path: Path) -> str:
    """The ending that tells a table's format, in small letters; of a gzipped file the last two, such as .csv.gz."""
    endings = [ending.lower() for ending in path.suffixes[-2:]]
    return "".join(endings if endings[1:] == [".gz"] else endings[-1:])


def require_writable(path: Path) -> None:
    """ValueError if the suffix is not one of :data:`WRITERS`: ask before the work."""
    if ending_of(path) not in WRITERS:
        raise ValueError(f"{path}: a table's file must end in one of {', '.join(WRITERS)}")


def write(
    table: pd.DataFrame, path: Path, name: str = "light curves", check: Callable[[Path], object] = lambda draft: None
) -> None:
    """Write a table whole or not at all, in the format given by the suffix of ``path``.

    ``check`` reads the draft before it gets its name. Raises ValueError if the suffix is not one of :data:`WRITERS`,
    the format cannot hold the table, or ``check`` refuses it.
    """
    require_writable(path)
    writer = WRITERS[ending_of(path)]
    with whole_file(path) as draft:
        try:
            writer(table, draft, name)
        except UnicodeEncodeError as error:
            raise ValueError(f"{path}: {ending_of(path)} can't hold a text of the table: {in_words(error)}") from error
        check(draft)


READERS: dict[str, Callable[[Path, Collection[str]], RawTable]] = {
    ".parquet": table_parquet.read,
    ".csv": table_csv.read,
    ".csv.gz": table_csv.read,
    ".ecsv": table_ecsv.read,
    ".ecsv.gz": table_ecsv.read,
    ".fits": table_astropy.read_fits,
    ".fits.gz": table_astropy.read_fits,
    ".h5": table_astropy.read_hdf5,
    ".hdf5": table_astropy.read_hdf5,
    ".arff": table_arff.read,
}

WRITERS: dict[str, Callable[[pd.DataFrame, Path, str], None]] = {
    ".parquet": lambda table, path, name: table.to_parquet(path, index=False),
    ".csv": table_csv.write,
    ".csv.gz": table_csv.write,
    ".ecsv": table_ecsv.write,
    ".ecsv.gz": table_ecsv.write,
    ".fits": table_astropy.write_fits,
    ".fits.gz": table_astropy.write_fits,
    ".h5": table_astropy.write_hdf5,
    ".hdf5": table_astropy.write_hdf5,
    ".arff": table_arff.write,
}
