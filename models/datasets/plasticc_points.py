"""The points of PLAsTiCC's light curves: large CSV files, read fast and checked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
from numpy.typing import ArrayLike, NDArray

from models.datasets.checked import TIME_MJD, numbers, require, whole_numbers
from models.datasets.reading import reading
from schemas.light_curves import BANDS
from schemas.photometry import NJY_PER_FLUXCAL

OBJECT_ID = "the object's number, a whole one from 0"
DETECTED = ("detected_bool", "detected")
"""The column that marks detections, as named at the two places of publication."""

NEEDED = ("object_id", "mjd", "passband", "flux", "flux_err")


def read(files: list[Path], object_ids: NDArray[np.int64]) -> tuple[dict[str, ArrayLike], NDArray[np.int64]]:
    """The points of the objects with these ids, as columns for ``LightCurves.from_points``, and the index in
    ``object_ids`` of the object of each point. Points of other objects are left out.

    Raises UnreadableError with the file and the line if a value is invalid.
    """
    parts = [_of_file(file, object_ids) for file in files]
    columns: dict[str, ArrayLike] = {
        name: np.concatenate([points[name] for points, _ in parts]) for name in parts[0][0]
    }
    return columns, np.concatenate([row for _, row in parts])


def _of_file(file: Path, object_ids: NDArray[np.int64]) -> tuple[dict[str, NDArray], NDArray[np.int64]]:
    table = _table(file)
    lines = np.arange(len(table["object_id"])) + 2

    def place(point: int) -> str:
        return f"{file}, line {lines[point]}"

    object_id = whole_numbers(table["object_id"], "object_id", OBJECT_ID, place, 0)
    row, is_known = _rows(object_id, object_ids)
    lines = lines[is_known]
    values = {name: column[is_known] for name, column in table.items()}
    detected = next(name for name in DETECTED if name in values)
    return {
        "time_mjd": numbers(values["mjd"], "mjd", place, TIME_MJD),
        "flux_njy": numbers(values["flux"], "flux", place) * NJY_PER_FLUXCAL,
        "flux_err_njy": numbers(values["flux_err"], "flux_err", place) * NJY_PER_FLUXCAL,
        "band": whole_numbers(values["passband"], "passband", f"0 to 5 for {BANDS}", place, 0, len(BANDS) - 1),
        "is_detection": whole_numbers(values[detected], detected, "1 or 0", place, 0, 1) == 1,
    }, row


def _table(file: Path) -> dict[str, NDArray]:
    """The required columns; others are not parsed."""
    with reading(file, "a CSV table"), pyarrow.csv.open_csv(file) as stream:
        names = stream.schema.names
    detected = next((name for name in DETECTED if name in names), " or ".join(DETECTED))
    require(names, (*NEEDED, detected), file)
    wanted = pyarrow.csv.ConvertOptions(include_columns=[*NEEDED, detected])
    with reading(file, "a CSV table"):
        table: pa.Table = pyarrow.csv.read_csv(file, convert_options=wanted)
        return {name: table[name].to_numpy() for name in table.column_names}


def _rows(object_id: NDArray[np.int64], known_ids: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The row of the object of each point, and which points have one; points of other objects are left out."""
    if not len(known_ids):
        return np.empty(0, np.int64), np.zeros(len(object_id), bool)
    order = np.argsort(known_ids)
    place = np.minimum(np.searchsorted(known_ids, object_id, sorter=order), len(order) - 1)
    row = order[place]
    is_known = known_ids[row] == object_id
    return row[is_known], is_known
