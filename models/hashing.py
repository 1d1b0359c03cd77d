"""Keyed mixing of 64-bit integers: reproducible draws that depend on the id of an object alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

_MASK = np.uint64((1 << 63) - 1)
_GOLDEN = 0x9E3779B97F4A7C15
"""2^64 divided by the golden ratio, made odd: the increment of splitmix64 (doi:10.1145/2660193.2660195)."""
_MULTIPLIERS = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
"""The two odd multipliers of splitmix64's finaliser."""


def scramble(ids: ArrayLike, seed: int) -> NDArray[np.int64]:
    """A keyed one-to-one map of [0, 2^63) onto itself; same shape as ``ids``.

    Each round multiplies by an odd number modulo 2^63 and xors the number with its own high bits, as splitmix64 does
    (doi:10.1145/2660193.2660195). Both steps can be inverted, so two ids never get the same result. The map hides
    order and origin of the ids; it is not a cipher.
    """
    mixed = np.asarray(ids, np.int64).astype(np.uint64) & _MASK
    key = np.uint64((_GOLDEN * (2 * seed + 1)) & int(_MASK))
    with np.errstate(over="ignore"):
        mixed = (mixed + key) & _MASK
        for shift, multiplier in zip((30, 27), _MULTIPLIERS, strict=True):
            mixed ^= mixed >> np.uint64(shift)
            mixed = (mixed * multiplier) & _MASK
        mixed ^= mixed >> np.uint64(31)
    return mixed.astype(np.int64)


def uniform(ids: ArrayLike, seed: int) -> NDArray[np.float64]:
    """A number in [0, 1) for each id, the same in every run with the same ``seed``."""
    return scramble(ids, seed).astype(np.float64) / 2.0**63 * (1 - 2.0**-53)
