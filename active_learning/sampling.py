"""A number for every object that no property of the object can influence: what makes the random pool unbiased."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

_WEYL = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)


def lot_of(object_ids: ArrayLike, seed: int) -> NDArray[np.float64]:
    """Each object's lot: a fixed number in [0, 1), uniform over objects, the same for every alert of an object.

    The finaliser of SplitMix64 (Steele, Lea & Flood 2014, doi:10.1145/2660193.2660195) over the
    64-bit object id and the seed. An object belongs to the random pool because its lot is low, so
    that the pool is a sample of the objects, not of their alerts.
    """
    start = np.uint64((seed * 0x2545F4914F6CDD1D + 1) % 2**64)
    mixed = np.asarray(object_ids, np.int64).view(np.uint64) ^ start
    mixed = mixed + _WEYL
    mixed = (mixed ^ (mixed >> np.uint64(30))) * _MIX_1
    mixed = (mixed ^ (mixed >> np.uint64(27))) * _MIX_2
    mixed = mixed ^ (mixed >> np.uint64(31))
    return (mixed >> np.uint64(11)).astype(np.float64) * 2.0**-53
