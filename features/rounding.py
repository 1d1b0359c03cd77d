"""What is constant: numbers that differ by no more than the rounding of a sum."""

from __future__ import annotations

from numba import njit

ROUNDING = 1e-13
"""Numbers that differ by less than this part of the largest of them are one number. A double holds 1e-16; a weighted
mean or a process's mean adds up to a hundred such errors. What is measured differs by far more: calibration is good
to 1e-2, and the process changes by 1e-12 in a minute."""


@njit(cache=True, nogil=True, error_model="numpy")
def is_constant(low: float, high: float) -> bool:
    """Whether numbers from ``low`` to ``high`` are one number but for rounding; False where either is NaN."""
    return high - low <= ROUNDING * max(abs(low), abs(high))
