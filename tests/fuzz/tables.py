"""Damaged tables of light curves, in every format that is read."""

from __future__ import annotations

import gzip
import io
import tempfile
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from models.datasets import table, table_files
from tests.fuzz.damage import HOSTILE_CELLS, damaged, damaged_cells
from tests.fuzz.files import Kind

TEXT = (".csv", ".arff")
HOSTILE_NUMBERS = (np.nan, np.inf, -np.inf, 0.0, -1.0, 1e300, 2**53 + 1, -99.0, 2_460_000.5)


def make(rng: np.random.Generator, folder: Path) -> Path:
    """A table's file whose bytes, cells or types are damaged; one in twenty is compressed and keeps its ending."""
    ending = str(rng.choice(sorted(table_files.WRITERS)))
    file, way = folder / f"own{ending}", rng.random()
    data = _good(ending)
    if way < 0.4 and ending == ".parquet":
        data = _of_another_type(rng)
    elif way < 0.4 and ending in TEXT:
        data = damaged_cells(data.decode(), ",", rng).encode()
    elif way < 0.6:
        data = _written(_with_wrong_types(_points(), rng), ending) or damaged(data, rng)
    else:
        data = damaged(data, rng)
    file.write_bytes(gzip.compress(data, 1) if rng.random() < 0.05 else data)
    return file


def read(path: Path) -> object:
    """As ``gueststar data export`` reads a table."""
    return table.load(path)


def _points() -> pd.DataFrame:
    n = 12
    names = np.array(["000651", "NA", "1e5"])[np.arange(n) // 4]
    points = {"object": names, "time_mjd": 6e4 + np.arange(n) / 3, "band": np.array(list("ugrizy"))[np.arange(n) % 6]}
    points |= {"flux_njy": 100.0 * np.arange(n) - 50.5, "flux_err_njy": 5.0 + np.arange(n)}
    points |= {"is_detection": np.arange(n) % 2, "class": np.array(["Ia", "II", "TDE"])[np.arange(n) // 4]}
    points |= {"ra_deg": 10.0 + np.arange(n) // 4, "dec_deg": -5.0 - np.arange(n) // 4}
    return pd.DataFrame(points | {"host_photoz": 0.3, "host_photoz_err": 0.05, "note": "x"})


def _with_wrong_types(points: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """The table with a column that is missing, renamed, of another type, or with a hostile value in one row."""
    points, name = points.copy(), str(rng.choice(points.columns))
    way, row = rng.integers(6), int(rng.integers(len(points)))
    if way == 0:
        return points.drop(columns=name)
    if way == 1:
        return points.rename(columns={name: str(rng.choice(points.columns)).upper()})
    if way == 2 or pd.api.types.is_object_dtype(points[name]):
        points[name] = points[name].astype(str)
        points.loc[row, name] = HOSTILE_CELLS[rng.integers(len(HOSTILE_CELLS))]
    elif way == 3:
        points[name] = points[name] > points[name].median()
    elif way == 4:
        points[name] = points[name].astype(np.float32)
    else:
        points[name] = points[name].astype(np.float64)
        points.loc[row, name] = HOSTILE_NUMBERS[rng.integers(len(HOSTILE_NUMBERS))]
    return points


def _of_another_type(rng: np.random.Generator) -> bytes:
    """A Parquet table with a column of a type that only Arrow has; some of these hold the values as well."""
    table = pa.Table.from_pandas(_points(), preserve_index=False)
    at = int(rng.integers(table.num_columns))
    values, name = table.column(at).combine_chunks(), table.column_names[at]
    n, numbers = len(values), pa.array(np.arange(len(values)) + 6e4)
    others = [
        values.dictionary_encode(),
        pa.nulls(n),
        pa.array([None if k == rng.integers(n) else value for k, value in enumerate(values.to_pylist())], values.type),
        pa.array([[value] for value in values.to_pylist()]),
        pa.array([{"value": value} for value in values.to_pylist()]),
        pa.array([str(value).encode() for value in values.to_pylist()]),
        pa.array([b"\xff\xfe"] * n),
        values.cast(pa.large_string()),
        values.cast(pa.string_view()),
        numbers.cast(pa.decimal128(18, 3)),
        numbers.cast(pa.int64()).cast(pa.timestamp("us")),
        numbers.cast(pa.int32()).cast(pa.date32()),
        numbers.cast(pa.int64()).cast(pa.duration("ns")),
        numbers.cast(pa.float32()),
        numbers.cast(pa.float16()),
        pa.array(np.arange(n) % 2 == 0),
        pa.array(2**64 - 1 - np.arange(n, dtype=np.uint64)),
    ]
    changed = table.set_column(at, name, others[rng.integers(len(others))])
    if rng.random() < 0.2:
        changed = changed.append_column(name, values)  # the name twice
    sink = io.BytesIO()
    pq.write_table(changed, sink)
    return sink.getvalue()


@lru_cache
def _good(ending: str) -> bytes:
    data = _written(_points(), ending)
    assert data is not None
    return data


def _written(points: pd.DataFrame, ending: str) -> bytes | None:
    """The table's bytes; None where the format can't hold it."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        file = Path(folder) / f"own{ending}"
        try:
            table_files.write(points, file)
        except ValueError:
            return None
        return file.read_bytes()


KIND = Kind(make, read)
