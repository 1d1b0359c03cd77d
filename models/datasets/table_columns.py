"""The columns of a table of light curves: the requirements on each, and the values that are checked and used."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from models.datasets import table_values
from models.datasets.raw_table import RawTable
from models.datasets.reading import UnreadableError
from models.datasets.table_units import factor_of
from schemas.light_curves import BANDS, FLUX_LIMIT_NJY
from schemas.photometry import JD_OF_MJD_ZERO, LEAST_FLUX_ERR_NJY
from schemas.taxonomy import class_id_of, leaves
from schemas.type_names import class_id_of_type

LONGEST_NAME = 255

YES_OR_NO = {"1": True, "1.0": True, "true": True, "0": False, "0.0": False, "false": False}


@dataclass(frozen=True, slots=True)
class Checked:
    """The values of a column, and which of them are invalid; both of shape (n,)."""

    values: NDArray[Any]
    is_wrong: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Column:
    """Requirement on a column in words, its reader, its unit, whether it is required, and what to do about a wrong
    value ("" if nothing is known)."""

    meaning: str
    read: Callable[[pa.ChunkedArray, float], Checked]
    unit: str | None = None
    required: bool = False
    advice: Callable[[object], str] = lambda value: ""


def _number(holds: Callable[[NDArray], NDArray], optional: bool = False) -> Callable[[pa.ChunkedArray, float], Checked]:
    def read(column: pa.ChunkedArray, factor: float) -> Checked:
        numbers = table_values.numbers(column)
        value = numbers.value * factor
        holding = holds(value)  # False for NaN
        if optional:
            holding |= np.isnan(value) & ~numbers.is_other
        return Checked(value, ~holding)

    return read


def _name(value_of: Callable[[str], Any], kind: type) -> Callable[[pa.ChunkedArray, float], Checked]:
    """A column of names; each distinct name is looked up once. ``value_of`` gives None for an invalid one."""

    def read(column: pa.ChunkedArray, factor: float) -> Checked:
        names = table_values.names(column)
        looked_up = [value_of(name) for name in names.distinct] + [None]
        is_wrong = np.array([value is None for value in looked_up])
        values: NDArray = np.array([kind() if value is None else value for value in looked_up], kind)
        return Checked(values[names.code], is_wrong[names.code])

    return read


_redshift = _number(lambda value: (value >= 0) & (value < np.inf), optional=True)


def _object(name: str) -> str | None:
    return name if name.strip() and len(name) <= LONGEST_NAME and "\x00" not in name else None


def _class(name: str) -> int | None:
    try:
        return class_id_of(re.sub(r"(?a:^(\d+)\.0*$)", r"\1", name.strip()))
    except LookupError:
        return class_id_of_type(name)


def _band(name: str) -> int | None:
    return BANDS.index(name) if len(name) == 1 and name in BANDS else None


def _named_classes() -> list[str]:
    """The classes that people name: the leaves of the tree, without those that stand for the rest of their group."""
    return [leaf.name for leaf in leaves() if leaf.parent_id and not leaf.name.endswith("/Other")]


def _of_julian_dates(value: object) -> str:
    days = table_values.number(value) if isinstance(value, str) else value
    is_julian = isinstance(days, int | float) and 1e4 < days - JD_OF_MJD_ZERO < 1e5
    return "; it looks like a Julian Date: subtract 2,400,000.5" if is_julian else ""


COLUMNS: dict[str, Column] = {
    "object": Column(
        f"the object's name or number, at most {LONGEST_NAME} characters", _name(_object, object), required=True
    ),
    "time_mjd": Column(
        "a time, MJD TAI, between 10,000 and 100,000",
        _number(lambda v: (v > 1e4) & (v < 1e5)),
        "d",
        required=True,
        advice=_of_julian_dates,
    ),
    "band": Column(f"one of {' '.join(BANDS)}", _name(_band, np.int64), required=True),
    "flux_njy": Column(
        f"a difference flux in nJy, within ±{FLUX_LIMIT_NJY:.0e}",
        _number(lambda v: np.abs(v) < FLUX_LIMIT_NJY),
        "nJy",
        required=True,
    ),
    "flux_err_njy": Column(
        f"the flux's standard error in nJy, greater than 0: {LEAST_FLUX_ERR_NJY:.0e} to {FLUX_LIMIT_NJY:.0e}",
        _number(lambda v: (v >= LEAST_FLUX_ERR_NJY) & (v < FLUX_LIMIT_NJY)),
        "nJy",
        required=True,
    ),
    "is_detection": Column(
        "1 or 0, whether the point is a detection", _name(lambda name: YES_OR_NO.get(name.lower()), np.bool_)
    ),
    "class": Column(
        f"a class of the taxonomy, by name or id: {', '.join(_named_classes())}, or a group of them",
        _name(_class, np.int64),
    ),
    "ra_deg": Column("right ascension, 0 to 360 degrees", _number(lambda v: (v >= 0) & (v <= 360), True), "deg"),
    "dec_deg": Column("declination, -90 to 90 degrees", _number(lambda v: np.abs(v) <= 90, True), "deg"),
    "host_photoz": Column("the host's photometric redshift, 0 or greater; empty: unknown", _redshift, ""),
    "host_photoz_err": Column("its standard error, 0 or greater; empty: unknown", _redshift, ""),
}
"""The columns, required ones first. Columns with other names are not read."""


def check(table: RawTable, path: Path, columns: Mapping[str, Column] = COLUMNS) -> Mapping[str, NDArray]:
    """The values of those of ``columns`` that the table has, converted and checked: times in days, fluxes in nJy,
    angles in degrees, bands as an index, classes as ids of the taxonomy.

    Raises UnreadableError with the column, its requirement and the first invalid row.
    """
    for name, column in columns.items():
        if column.required and name not in table.columns:
            there = ", ".join(table.names)[:500]
            raise UnreadableError(f"{path}: the column {name} is missing ({column.meaning}); found {there}")
    if not table.n_rows:
        raise UnreadableError(f"{path}: the table must have at least one row, found none")
    return {name: _checked(name, column, table, path) for name, column in columns.items() if name in table.columns}


def _not_a_type(error: Exception) -> str:
    """A type that is none of the column's, or bytes that are no text."""
    return "bytes that are not UTF-8 text" if isinstance(error, pa.ArrowException) else f"the type {error}"


def _checked(name: str, column: Column, table: RawTable, path: Path) -> NDArray:
    unit = table.units.get(name, "")
    factor = 1.0 if column.unit is None or not unit else factor_of(unit, column.unit)
    if factor is None:
        raise UnreadableError(
            f"{path}: {name} must be {column.meaning}, found the unit {unit!r}, which does not convert to "
            f"{column.unit or 'a plain number'}"
        )
    try:
        checked = column.read(table.columns[name], factor)
    except (TypeError, pa.ArrowException) as error:
        raise UnreadableError(f"{path}: {name} must be {column.meaning}, found {_not_a_type(error)}") from error
    wrong = np.flatnonzero(checked.is_wrong)
    if len(wrong):
        row = int(wrong[0])
        more = f", and {len(wrong) - 1:,} more like it" if len(wrong) > 1 else ""
        raise UnreadableError(
            f"{path}, {table.place(row)}: {name} must be {column.meaning}, found {cell(table, name, row)}{more}"
            f"{column.advice(table.columns[name][row].as_py())}"
        )
    return checked.values


def cell(table: RawTable, name: str, row: int) -> str:
    """A cell for messages: text in quotes, numbers without, with the unit that the file states."""
    value = table.columns[name][row].as_py()
    if value == "":
        value = None
    if COLUMNS[name].unit is not None and isinstance(value, str):
        number = table_values.number(value)
        value = value if number is None else number
    unit = table.units.get(name, "") if isinstance(value, float) else ""
    return f"{table_values.in_words(value)} {unit}".rstrip()
