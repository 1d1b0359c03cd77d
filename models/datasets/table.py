"""A user's own light curves: a table with a point a row."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.datasets import table_files
from models.datasets.labelled import Labelled
from models.datasets.truth import Truth
from models.hashing import scramble
from schemas.light_curves import BANDS, FLUX_LIMIT_NJY, LightCurves
from schemas.photometry import LEAST_FLUX_ERR_NJY, is_detection
from schemas.taxonomy import NOT_CLASSIFIED, class_id_of, name_of

ID_SEED = 4004

TRUE, FALSE = ("1", "1.0", "True"), ("0", "0.0", "False")


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table: what it must be, in words and as a test of its values; ``default`` None: it must be
    there."""

    meaning: str
    holds: Callable[[pd.Series], NDArray[np.bool_]]
    default: object = None


def _numbers(low: float, high: float) -> Callable[[pd.Series], NDArray[np.bool_]]:
    def hold(values: pd.Series) -> NDArray[np.bool_]:
        number = pd.to_numeric(values, errors="coerce").to_numpy(np.float64)
        return np.asarray((number > low) & (number < high))

    return hold


def _is_class(value: object) -> bool:
    try:
        _class_id(value)
    except (LookupError, ValueError):
        return False
    return True


def _by_value(holds: Callable[[object], bool]) -> Callable[[pd.Series], NDArray[np.bool_]]:
    def hold(values: pd.Series) -> NDArray[np.bool_]:
        known = {value: holds(value) for value in values.unique()}
        return values.map(known).to_numpy(bool)

    return hold


COLUMNS: dict[str, Column] = {
    "object": Column("the object's name or number", _by_value(lambda v: not pd.isna(v) and str(v) != "")),
    "time_mjd": Column("a time, MJD TAI, between 10,000 and 100,000", _numbers(1e4, 1e5)),
    "band": Column(f"one of {' '.join(BANDS)}", _by_value(lambda v: isinstance(v, str) and v in tuple(BANDS))),
    "flux_njy": Column(
        f"a difference flux in nJy, within ±{FLUX_LIMIT_NJY:.0e}", _numbers(-FLUX_LIMIT_NJY, FLUX_LIMIT_NJY)
    ),
    "flux_err_njy": Column(
        f"the flux's standard error in nJy, greater than 0: {LEAST_FLUX_ERR_NJY:.0e} to {FLUX_LIMIT_NJY:.0e}",
        _numbers(0.999 * LEAST_FLUX_ERR_NJY, FLUX_LIMIT_NJY),
    ),
    "is_detection": Column("1 or 0, whether the point is a detection", _by_value(lambda v: str(v) in TRUE + FALSE), ""),
    "class": Column("a class of the taxonomy: its name, slug or id", _by_value(_is_class), NOT_CLASSIFIED),
    "ra_deg": Column("right ascension, 0 to 360 degrees", _numbers(-1e-12, 360.0), np.nan),
    "dec_deg": Column("declination, -90 to 90 degrees", _numbers(-90.1, 90.1), np.nan),
    "host_photoz": Column(
        "the host's photometric redshift, greater than 0; empty: none", lambda v: _or_none(v), np.nan
    ),
    "host_photoz_err": Column("its standard error, greater than 0; empty: none", lambda v: _or_none(v), np.nan),
}
"""The columns, those that must be there first; columns of other names are left unread."""


def _or_none(values: pd.Series) -> NDArray[np.bool_]:
    return np.asarray(values.isna().to_numpy() | _numbers(0.0, np.inf)(values))


def load(path: Path) -> Labelled:
    """The light curves of a table's file (see :mod:`models.datasets.table_files`) with the columns :data:`COLUMNS`.

    Without a class, objects are of class 300, not classified. Raises ValueError naming the column, what it must be, and
    the line where it is not: nothing is half read.
    """
    table = table_files.read(path)
    _require(table, path)
    names, first, row = np.unique(table["object"].astype(str), return_index=True, return_inverse=True)
    per_object = table.iloc[first]
    for name in ("class", "ra_deg", "dec_deg", "host_photoz", "host_photoz_err"):
        _require_one_value(table, name, row, first, path)
    detected = is_detection(table["flux_njy"], table["flux_err_njy"])
    if "is_detection" in table:
        detected = table["is_detection"].astype(str).isin(TRUE).to_numpy()
    last = np.full(len(names), -np.inf)
    np.maximum.at(last, row, table["time_mjd"].to_numpy(np.float64))
    class_id = np.array([_class_id(value) for value in _column(per_object, "class")], np.int64)
    light_curves = LightCurves.from_points(
        alert=row,
        columns={
            "time_mjd": table["time_mjd"].to_numpy(np.float64),
            "flux_njy": table["flux_njy"].to_numpy(np.float64),
            "flux_err_njy": table["flux_err_njy"].to_numpy(np.float64),
            "band": table["band"].map(BANDS.index).to_numpy(),
            "is_detection": detected,
        },
        alerts=_alerts(names, last, per_object),
    )
    fingerprint = hashlib.sha256(path.read_bytes()).hexdigest()
    on_sky = np.isfinite(light_curves.ra_deg) & np.isfinite(light_curves.dec_deg)
    truth = Truth.of(len(names), name=names, on_sky=on_sky)
    return Labelled(light_curves, class_id, path.name, fingerprint, truth)


def _alerts(names: NDArray, last: NDArray[np.float64], per_object: pd.DataFrame) -> dict:
    n = len(names)
    digests = [int.from_bytes(hashlib.sha256(str(name).encode()).digest()[:8], "big") >> 2 for name in names]
    number = {
        name: pd.to_numeric(_column(per_object, name), errors="coerce").to_numpy(np.float64)
        for name in ("ra_deg", "dec_deg", "host_photoz", "host_photoz_err")
    }
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


def to_table(labelled: Labelled) -> pd.DataFrame:
    """The table that :func:`load` reads back: a point a row, with everything of :data:`COLUMNS`."""
    curves, owner = labelled.light_curves, labelled.light_curves.alert_of_point
    known = labelled.truth.name
    names = np.where(known == "", curves.object_id.astype(str), known)
    classes = np.array([name_of(int(class_id)) for class_id in labelled.class_id])
    return pd.DataFrame(
        {
            "object": names[owner],
            "time_mjd": curves.time_mjd,
            "band": np.array(list(BANDS))[curves.band],
            "flux_njy": curves.flux_njy,
            "flux_err_njy": curves.flux_err_njy,
            "is_detection": curves.is_detection.astype(np.int64),
            "class": classes[owner],
            **{
                name: getattr(curves, name)[owner].astype(np.float64)
                for name in ("ra_deg", "dec_deg", "host_photoz", "host_photoz_err")
            },
        }
    )


def _column(table: pd.DataFrame, name: str) -> pd.Series:
    return table[name] if name in table else pd.Series([COLUMNS[name].default] * len(table))


def _class_id(value: object) -> int:
    text = str(value)
    return class_id_of(int(float(text)) if text.replace(".", "", 1).isdigit() else text)


def _require(table: pd.DataFrame, path: Path) -> None:
    for name, column in COLUMNS.items():
        if name not in table:
            if column.default is None:
                there = ", ".join(map(str, table.columns))
                raise ValueError(f"{path}: the column {name} is missing ({column.meaning}); found {there}")
            continue
        wrong = np.flatnonzero(~column.holds(table[name]))
        if len(wrong):
            found = table[name].iloc[[wrong[0]]].tolist()[0]  # a plain value, not NumPy's
            more = f", and {len(wrong) - 1:,} more like it" if len(wrong) > 1 else ""
            raise ValueError(
                f"{path}, {_line(path, int(wrong[0]))}: {name} must be {column.meaning}, found {found!r}{more}"
            )
    if not len(table):
        raise ValueError(f"{path}: the table must have at least one row, found none")


def _require_one_value(table: pd.DataFrame, name: str, row: NDArray, first: NDArray, path: Path) -> None:
    if name not in table:
        return
    values = table[name].astype(str).to_numpy()
    wrong = np.flatnonzero(values != values[first][row])
    if len(wrong):
        at = int(wrong[0])
        raise ValueError(
            f"{path}, {_line(path, at)}: {name} must be the same in all rows of the object {table['object'].iloc[at]}, "
            f"found {values[at]} after {values[first][row][at]}"
        )


def _line(path: Path, row: int) -> str:
    """Where a person finds the row: a CSV's line, with its header as line 1, or the row's number from 1."""
    return f"line {row + 2}" if path.suffix.lower() == ".csv" else f"row {row + 1}"
