"""Columns of data sets, checked like those of users' tables: the values that were checked are the values used."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import ArrayLike, NDArray

from models.datasets import table_values
from models.datasets.reading import UnreadableError
from models.datasets.table_columns import COLUMNS, Column
from schemas.positions import around_the_circle

Place = Callable[[int], str]
"""The place of a value, by its number: the file and the line, row or object."""

TIME_MJD = COLUMNS["time_mjd"]
UNKNOWN_DEG = (-9.0, -99.0, -999.0, -9999.0)
"""Values that simulations write for both coordinates of an unknown position."""


def require(columns: Sequence[str], names: Sequence[str], file: Path) -> None:
    """Raise UnreadableError with the columns of ``names`` that a file lacks and those that it has."""
    missing = [name for name in names if name not in columns]
    if missing:
        word = "columns" if len(missing) > 1 else "column"
        verb = "are" if len(missing) > 1 else "is"
        raise UnreadableError(f"{file}: the {word} {', '.join(missing)} {verb} missing; found {', '.join(columns)}")


def object_names(values: Sequence[str], name: str, place: Place) -> Sequence[str]:
    """The names of objects, unchanged. Raises UnreadableError for the first that holds NUL: arrays of text drop NUL at
    the end of a name, so two names would become one."""
    for row, value in enumerate(values):
        if "\x00" in value:
            raise UnreadableError(f"{place(row)}: {name} must not hold the character NUL, found {value[:40]!r}")
    return values


def numbers(values: ArrayLike, name: str, place: Place, column: Column | None = None) -> NDArray[np.float64]:
    """The values as float64, NaN where missing.

    ``name``: the name of the column in the file. Raises UnreadableError for the first value that is not a number or,
    with ``column``, is not allowed in that column.
    """
    number, is_none = _converted(values)
    wrong = np.isnan(number) & ~is_none
    meaning = "a number"
    if column is not None:
        meaning = column.meaning
        wrong |= column.read(pa.chunked_array([number]), 1.0).is_wrong
    if wrong.any():
        at = np.flatnonzero(wrong)
        advice = "" if column is None else column.advice(float(number[at[0]]))
        raise UnreadableError(_refusal(values, at, name, meaning, place) + advice)
    return number


def whole_numbers(
    values: ArrayLike, name: str, meaning: str, place: Place, low: int, high: int = 2**63 - 1
) -> NDArray[np.int64]:
    """The values as int64, from ``low`` to ``high``. Values that the file stores as floating-point numbers may be at
    most 2^53, so that no digit is lost. Raises UnreadableError as :func:`numbers`, also for a missing value."""
    array = np.asarray(values)
    if array.dtype.kind in "iu":
        number, wrong = array, (array < low) | (array > high)
    else:
        number, _ = _converted(values)
        wrong = ~((number >= low) & (number <= min(high, 2**53)) & (number == np.floor(number)))
    if wrong.any():
        raise UnreadableError(_refusal(values, np.flatnonzero(wrong), name, meaning, place))
    return number.astype(np.int64)


def positions(
    ra: ArrayLike, dec: ArrayLike, names: tuple[str, str], place: Place
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Right ascension in [0, 360) and declination in [-90, 90], degrees; both NaN for an unknown position.

    A position is unknown if a value is missing, or both are the same number of :data:`UNKNOWN_DEG`. Raises
    UnreadableError for a right ascension outside -180 to 360 degrees or a declination outside -90 to 90.
    """
    ra_deg, dec_deg = (numbers(values, name, place) for values, name in zip((ra, dec), names, strict=True))
    unknown = np.isnan(ra_deg) | np.isnan(dec_deg) | (np.isin(ra_deg, UNKNOWN_DEG) & (ra_deg == dec_deg))
    for degrees, name, meaning, low, high in (
        (ra_deg, names[0], "right ascension, -180 to 360 degrees", -180.0, 360.0),
        (dec_deg, names[1], "declination, -90 to 90 degrees", -90.0, 90.0),
    ):
        wrong = np.flatnonzero(~unknown & ~((degrees >= low) & (degrees <= high)))
        if len(wrong):
            raise UnreadableError(_refusal(degrees, wrong, name, meaning, place))
    turned = around_the_circle(np.where(unknown, np.nan, ra_deg))
    return turned, np.where(unknown, np.nan, dec_deg)


def _converted(values: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The values as float64, NaN where they cannot be converted, and which of them are missing."""
    array = np.asarray(values)
    if array.dtype.kind in "iufb":
        number = array.astype(np.float64)
        return number, np.isnan(number)
    if array.dtype.kind in "Mmc":  # dates and complex numbers
        return np.full(len(array), np.nan), np.zeros(len(array), bool)
    pairs = [_number(value) for value in array.tolist()]
    return np.array([pair[0] for pair in pairs], np.float64), np.array([pair[1] for pair in pairs], bool)


def _number(value: object) -> tuple[float, bool]:
    """A value as a number, and whether it is missing."""
    if value is None or value is pd.NA or (isinstance(value, str) and value.strip() in table_values.NO_NUMBER):
        return np.nan, True
    if isinstance(value, str):
        number = table_values.number(value)
        return (np.nan, False) if number is None else (number, number != number)
    try:
        return (float(value), value != value) if isinstance(value, (int, float)) else (np.nan, False)
    except OverflowError:  # an integer of more than 308 digits
        return np.nan, False


def _refusal(values: ArrayLike, wrong: NDArray[np.intp], name: str, meaning: str, place: Place) -> str:
    at = int(wrong[0])
    value = np.asarray(values)[at : at + 1].tolist()[0]  # a plain value, not NumPy's
    more = f", and {len(wrong) - 1:,} more like it" if len(wrong) > 1 else ""
    cell = table_values.in_words(None if value == "" else value)
    return f"{place(at)}: {name} must be {meaning}, found {cell}{more}"
