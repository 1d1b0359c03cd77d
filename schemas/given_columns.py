"""Columns as callers have them → the arrays of LightCurves: what is masked is missing, and no value changes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

NO_BAND = -1
EXACT_IN_A_DOUBLE = 2**53
"""Whole numbers up to this are exact as doubles; ids beyond have lost their last digits there."""


def band_column(values: ArrayLike, n_bands: int) -> NDArray[np.int8]:
    """Numbers of bands, -1 for what is masked or is no whole number from 0 to ``n_bands`` - 1. ValueError for text."""
    bare, mask = _unmasked("band", values)
    array = np.asarray(bare)
    if array.size and array.dtype.kind not in "iufb":
        raise ValueError(f"column 'band' must be numbers from 0 to {n_bands - 1}, found {array.dtype}")
    sound = (array >= 0) & (array < n_bands) & (array == np.floor(array)) & ~mask
    return np.where(sound, array, NO_BAND).astype(np.int8)


def column(name: str, values: ArrayLike, kind: type) -> NDArray:
    """A column as ``kind``; of real numbers what is masked is NaN.

    Raises ValueError where whole numbers or flags are masked, where a number is not whole or too large for ``kind``,
    where ids are doubles that have lost digits, and where the values have a unit of their own.
    """
    if type(values) is np.ndarray and values.dtype == kind:
        return values
    bare, mask = _unmasked(name, values)
    try:
        array = np.asarray(bare)
        array = _whole(name, array, kind) if np.issubdtype(kind, np.integer) else np.asarray(array, kind)
    except (TypeError, OverflowError) as error:
        raise ValueError(f"column {name!r} must be numbers: {error}") from error
    if not mask.any():
        return array
    if not np.issubdtype(kind, np.floating):
        raise ValueError(f"column {name!r} must have a value in every row, found a masked one in row {mask.argmax()}")
    return np.where(mask, np.nan, array).astype(kind)


def _unmasked(name: str, values: Any) -> tuple[Any, NDArray[np.bool_]]:
    """The bare values, and which of them are masked."""
    if getattr(values, "unit", None) is not None:
        raise ValueError(
            f"column {name!r} must be plain numbers in the unit of its name, found the unit {values.unit}: "
            f"give its .to_value(…)"
        )
    mask = getattr(values, "mask", None)
    if not isinstance(mask, np.ndarray | np.bool_):
        return values, np.zeros(np.shape(values), bool)
    bare = values.data if isinstance(values, np.ma.MaskedArray) else getattr(values, "unmasked", values)
    mask = np.broadcast_to(np.asarray(mask, bool), np.shape(bare))
    return np.where(mask, np.zeros_like(bare), bare), mask


def _whole(name: str, array: NDArray, kind: type) -> NDArray:
    if array.dtype.kind == "f":
        bad = (array != np.floor(array)) | ~np.isfinite(array) | (np.abs(array) > EXACT_IN_A_DOUBLE)
        if bad.any():
            row = int(bad.argmax())
            raise ValueError(
                f"column {name!r} must be whole numbers, exact to the last digit: found {array[row]} in row {row}"
            )
    if array.dtype.kind in "iuf" and array.size:
        limits = np.iinfo(kind)
        if int(array.min()) < limits.min or int(array.max()) > limits.max:
            raise ValueError(
                f"column {name!r} must be from {limits.min} to {limits.max}, found {array.min()} to {array.max()}"
            )
    return np.asarray(array, kind)
