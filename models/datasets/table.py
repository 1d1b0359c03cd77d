"""Users' light curves: a table with one row per point."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.datasets import table_files
from models.datasets.labelled import Labelled
from models.datasets.raw_table import RawTable
from models.datasets.reading import UnreadableError, reading
from models.datasets.table_columns import COLUMNS, cell, check
from models.datasets.truth import Truth
from models.hashing import scramble
from schemas.light_curves import BANDS, LightCurves
from schemas.photometry import is_detection
from schemas.taxonomy import NOT_CLASSIFIED, name_of

ID_SEED = 4004

OF_THE_OBJECT = ("ra_deg", "dec_deg", "host_photoz", "host_photoz_err")
"""Optional columns of numbers that are the same in all rows of an object."""


def load(path: Path) -> Labelled:
    """The light curves of a table's file (see :mod:`models.datasets.table_files`) with the columns :data:`COLUMNS`.

    Without a column of classes, objects have class 300, not classified. If an object has several points at the same
    time in the same band, the first is kept, and a note says so. Raises UnreadableError with the column, its
    requirement and the row if a value is invalid; the table is read as a whole or not at all.
    """
    table = table_files.read(path, COLUMNS)
    points = check(table, path)
    with reading(path, "a file"), path.open("rb") as file:
        fingerprint = hashlib.file_digest(file, "sha256").hexdigest()
    names, first, row = np.unique(points["object"].astype(np.str_), return_index=True, return_inverse=True)
    for name in ("class", *OF_THE_OBJECT):
        if name in points:
            _require_one_value(name, points[name], table, row, first, path)
    alerts = _alerts(names, points, row, first)
    _require_whole_positions(alerts, table, first, path)
    class_id = points["class"][first] if "class" in points else np.full(len(names), NOT_CLASSIFIED)
    on_sky = np.isfinite(alerts["ra_deg"]) & np.isfinite(alerts["dec_deg"])
    return Labelled(
        LightCurves.from_points(
            alert=row,
            columns={
                "time_mjd": points["time_mjd"],
                "flux_njy": points["flux_njy"],
                "flux_err_njy": points["flux_err_njy"],
                "band": points["band"],
                "is_detection": _detected(points),
            },
            alerts=alerts,
        ),
        np.asarray(class_id, np.int64),
        path.name,
        fingerprint,
        Truth.of(len(names), name=names, on_sky=on_sky),
        _repeats(points, table, row, path),
    )


def _detected(points: Mapping[str, NDArray]) -> NDArray[np.bool_]:
    if "is_detection" in points:
        return points["is_detection"]
    return is_detection(points["flux_njy"], points["flux_err_njy"])


def _alerts(names: NDArray, points: Mapping[str, NDArray], row: NDArray, first: NDArray) -> dict[str, Any]:
    n = len(names)
    digests = [int.from_bytes(hashlib.sha256(str(name).encode()).digest()[:8], "big") >> 2 for name in names]
    last = np.full(n, -np.inf)
    np.maximum.at(last, row, points["time_mjd"])
    number = {name: points[name][first] if name in points else np.full(n, np.nan) for name in OF_THE_OBJECT}
    number["ra_deg"] = number["ra_deg"] % 360.0
    return {
        "alert_id": np.arange(n),
        "object_id": scramble(digests, ID_SEED),
        "alert_mjd": last,
        "survey": np.zeros(n),
        "schema_id": np.zeros(n),
        "is_solar_system": np.zeros(n, bool),
        "reliability": np.full(n, np.nan),
        **number,
    }


def _require_one_value(name: str, values: NDArray, table: RawTable, row: NDArray, first: NDArray, path: Path) -> None:
    of_the_first = values[first][row]
    differs = values != of_the_first
    if values.dtype.kind == "f":
        differs &= ~(np.isnan(values) & np.isnan(of_the_first))
    wrong = np.flatnonzero(differs)
    if len(wrong):
        at, before = int(wrong[0]), int(first[row[wrong[0]]])
        raise UnreadableError(
            f"{path}, {table.place(at)}: {name} must be the same in all rows of the object "
            f"{_plain(table, 'object', at)}, found {_plain(table, name, at)} after {_plain(table, name, before)}"
        )


def _plain(table: RawTable, name: str, row: int) -> str:
    return cell(table, name, row).strip("'")


def _require_whole_positions(alerts: Mapping[str, NDArray], table: RawTable, first: NDArray, path: Path) -> None:
    half = np.flatnonzero(np.isnan(alerts["ra_deg"]) != np.isnan(alerts["dec_deg"]))
    if len(half):
        at = int(first[half].min())
        raise UnreadableError(
            f"{path}, {table.place(at)}: ra_deg and dec_deg must both be there or both be missing, found one of them "
            f"for the object {_plain(table, 'object', at)}"
        )


def _repeats(points: Mapping[str, NDArray], table: RawTable, row: NDArray, path: Path) -> tuple[str, ...]:
    """A note if an object has several points at the same time in the same band; otherwise empty."""
    order = np.lexsort((points["band"], points["time_mjd"], row))
    same = np.ones(len(order) - 1, bool)
    for key in (row, points["time_mjd"], points["band"]):
        same &= key[order][1:] == key[order][:-1]
    repeats = np.sort(order[1:][same])
    if not len(repeats):
        return ()
    at = int(repeats[0])
    what = "1 point is" if len(repeats) == 1 else f"{len(repeats):,} points are"
    return (
        f"{path}: {what} left out, of the same object, time and band as an earlier one; the first is that of "
        f"{_plain(table, 'object', at)} in {table.place(at)}",
    )


def to_table(labelled: Labelled) -> pd.DataFrame:
    """The table that :func:`load` reads: one row per point, with all columns of :data:`COLUMNS`.

    An object without a name gets its id as the name. Objects that share a name get it followed by the id. Raises
    ValueError if there is no point.
    """
    curves, owner = labelled.light_curves, labelled.light_curves.alert_of_point
    if not len(owner):
        raise ValueError(f"a table of light curves must have at least one point, found none in {labelled.source}")
    classes = np.array([name_of(int(class_id)) for class_id in labelled.class_id])
    return pd.DataFrame(
        {
            "object": _distinct_names(labelled)[owner],
            "time_mjd": curves.time_mjd,
            "band": np.array(list(BANDS))[curves.band],
            "flux_njy": curves.flux_njy,
            "flux_err_njy": curves.flux_err_njy,
            "is_detection": curves.is_detection.astype(np.int64),
            "class": classes[owner],
            **{name: getattr(curves, name)[owner].astype(np.float64) for name in OF_THE_OBJECT},
        }
    )


def _distinct_names(labelled: Labelled) -> NDArray[np.object_]:
    names, ids = labelled.truth.name.astype(object), labelled.light_curves.object_id.astype(str).astype(object)
    names = np.where(names == "", ids, names)
    _, which, count = np.unique(names.astype(np.str_), return_inverse=True, return_counts=True)
    shared = count[which] > 1
    return np.where(shared, names + " " + ids, names)


def write(labelled: Labelled, path: Path) -> pd.DataFrame:
    """Write light curves as a table that :func:`load` reads back; returns the table.

    The suffix of ``path`` gives the format. The file is read again before it gets its name. Raises ValueError if the
    format cannot hold the table: it would change a name, or a value is outside the range of its column.
    """
    points = to_table(labelled)
    names = sorted(set(points["object"]))

    def read_back(draft: Path) -> None:
        try:
            names_read = load(draft).truth.name.tolist()
        except UnreadableError as error:
            raise ValueError(f"{path} would not be read again: {str(error).replace(str(draft), path.name)}") from error
        if names_read != names:
            lost = next(iter(sorted(set(names) - set(names_read))))
            raise ValueError(f"{path} can't hold the name {lost!r}: it would be read as another")

    table_files.write(points, path, labelled.source, read_back)
    return points
