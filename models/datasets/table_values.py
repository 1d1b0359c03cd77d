"""Raw columns to numbers and names: one conversion, whose result is both checked and used."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

NO_NUMBER = ("", "NA", "N/A", "n/a", "<NA>", "nan", "NaN", "NAN", "null", "NULL", "None", "--")
"""Texts for a missing number (those of pandas, and of astropy's masked cells). They are allowed as names."""

LARGEST_EXACT = 2.0**53
"""Whole numbers up to this one are exact as a double."""


@dataclass(frozen=True, slots=True)
class Names:
    """A column of names: ``code``, shape (n,), is an index into ``distinct``; -1 where missing."""

    code: NDArray[np.int64]
    distinct: list[str]


@dataclass(frozen=True, slots=True)
class Numbers:
    """A column of numbers, shape (n,), NaN where missing; ``is_other``: there is a value, but not a number."""

    value: NDArray[np.float64]
    is_other: NDArray[np.bool_]


def names(column: pa.ChunkedArray) -> Names:
    """Text unchanged, whole numbers in digits. Raises TypeError if the type of the column is not one for names."""
    column = _plain(column)
    kind = column.type
    if pa.types.is_null(kind):
        return Names(np.full(len(column), -1, np.int64), [])
    if pa.types.is_floating(kind):
        code, distinct = _encoded(column)
        return Names(code, [_digits(value) for value in distinct])
    if not (_is_text(kind) or pa.types.is_integer(kind) or pa.types.is_decimal(kind) or pa.types.is_boolean(kind)):
        raise TypeError(str(kind))
    column = column.cast(pa.large_string())
    return Names(*_encoded(pc.if_else(pc.equal(column, ""), None, column)))


def numbers(column: pa.ChunkedArray) -> Numbers:
    """Numbers of any type, or as text, as doubles."""
    column = _plain(column)
    kind = column.type
    if pa.types.is_null(kind):
        return Numbers(np.full(len(column), np.nan), np.zeros(len(column), bool))
    if _is_text(kind):
        return _parsed(column.cast(pa.large_string()))
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)):
        return Numbers(np.full(len(column), np.nan), column.is_valid().to_numpy().astype(bool))
    value = column.cast(pa.float64(), safe=False)
    return Numbers(_doubles(value), np.zeros(len(column), bool))


def in_words(value: object) -> str:
    """A cell for messages."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "nothing"
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column


def _is_text(kind: pa.DataType) -> bool:
    return any(
        test(kind)
        for test in (
            pa.types.is_string,
            pa.types.is_large_string,
            pa.types.is_string_view,
            pa.types.is_binary,
            pa.types.is_large_binary,
            pa.types.is_fixed_size_binary,
        )
    )


def _encoded(column: pa.ChunkedArray) -> tuple[NDArray[np.int64], list]:
    """An index into the distinct values for each row, -1 where missing; and the distinct values."""
    coded = column.combine_chunks().dictionary_encode()
    coded = coded.combine_chunks() if isinstance(coded, pa.ChunkedArray) else coded
    code = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    return code, coded.dictionary.to_pylist()


def _digits(value: float) -> str:
    """A name given as a double: its digits if it is whole and exact. Rounded numbers could give two objects the same
    name."""
    if math.isnan(value):
        return ""
    return str(int(value)) if abs(value) < LARGEST_EXACT and value == int(value) else repr(value)


def _parsed(column: pa.ChunkedArray) -> Numbers:
    nothing = pc.fill_null(pc.is_in(column, value_set=pa.array(NO_NUMBER, pa.large_string())), True)
    column = pc.if_else(nothing, None, column)
    try:
        return Numbers(_doubles(column.cast(pa.float64())), np.zeros(len(column), bool))
    except pa.ArrowInvalid:
        code, distinct = _encoded(column)
    read = [number(text) for text in distinct]
    value = np.array([np.nan if one is None else one for one in read] + [np.nan])[code]
    return Numbers(value, np.array([one is None for one in read] + [False])[code])


def number(text: str) -> float | None:
    """A number, perhaps with blanks around it; Python's underscores and digits of other scripts are not allowed."""
    try:
        return float(text) if text.isascii() and "_" not in text else None
    except ValueError:
        return None


def _doubles(column: pa.ChunkedArray) -> NDArray[np.float64]:
    return np.asarray(column.to_numpy(), np.float64)
