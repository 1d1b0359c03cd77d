"""Constant values: numbers that differ by no more than the rounding of a sum."""

from __future__ import annotations

from numba import njit

ROUNDING = 1e-13
"""Numbers that differ by less than this fraction of the largest count as equal. A double has a precision of 1e-16; a
weighted mean or the mean of a process accumulates up to a hundred such errors. Real differences are far larger:
calibration is accurate to 1e-2, and the process changes by 1e-12 in a minute."""


@njit(cache=True, nogil=True, error_model="numpy")
def is_constant(low: float, high: float) -> bool:
    """Whether numbers from ``low`` to ``high`` are equal within rounding; False if either is NaN."""
    return high - low <= ROUNDING * max(abs(low), abs(high))
