"""What packets tell of an alert's surroundings, made alike for every survey: a value that cannot be is missing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from schemas.avro_values import MISSING
from schemas.light_curves import FLAGS_UNKNOWN, FLUX_LIMIT_NJY, IMAGE_FLAGS
from schemas.photometry import EARLIEST_MJD, LATEST_MJD


def within(values: NDArray, lowest: float, highest: float = np.inf) -> NDArray[np.float32]:
    """Values from ``lowest`` to ``highest`` (both included, infinity not), NaN for others: surveys write -9, -99 or
    -999 where they know nothing."""
    inside = (values >= lowest) & (values <= highest) & (values < np.inf)
    return np.where(inside, values, np.nan).astype(np.float32)


def flux_or_nan(flux_njy: NDArray) -> NDArray[np.float32]:
    """Fluxes that can be, nJy; NaN for others."""
    return np.where(np.abs(flux_njy) < FLUX_LIMIT_NJY, flux_njy, np.nan).astype(np.float32)


def time_or_nan(mjd: NDArray) -> NDArray[np.float64]:
    """Times in the years that can be right, MJD; NaN for others."""
    return np.where((mjd >= EARLIEST_MJD) & (mjd <= LATEST_MJD), mjd, np.nan)


def image_flags(raised: dict[str, NDArray[np.int64]]) -> NDArray[np.int16]:
    """The bits of ``LightCurves.image_flags`` from integer columns by name: 1 is raised, a column that was not read is
    :data:`~schemas.avro_values.MISSING`; -1 where none was read."""
    bits = np.zeros(len(next(iter(raised.values()))), np.int16)
    was_read = np.zeros(len(bits), bool)
    for name, column in raised.items():
        was_read |= column != MISSING
        bits |= (column == 1).astype(np.int16) << IMAGE_FLAGS.index(name)
    return np.where(was_read, bits, FLAGS_UNKNOWN).astype(np.int16)
