"""Where one night ends and the next begins: the one boundary that archive, candidates, p-values and requests share."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

LONGITUDE_DEG = -70.75
"""East longitude of Cerro Pachón, degrees (WGS 84)."""

UNIX_EPOCH_MJD = 40_587
"""1970-01-01, MJD."""

FIRST_NIGHT, LAST_NIGHT = 50_000, 80_000
"""The nights that can be planned, MJD: 1995-10-10 to 2077-11-28."""

_MS_PER_DAY = 86_400_000


def night_of(time_mjd: ArrayLike) -> NDArray[np.int64]:
    """The night of each time: the MJD of the evening's date at the site, in the shape of ``time_mjd``.

    ``time_mjd`` is MJD, TAI or UTC: they differ by 37 s, which does not matter at noon. Nights part at local mean noon
    of :data:`LONGITUDE_DEG`, 16:43 UTC. That is day, too, as far west as California, so no night is cut in two there.
    Times must be finite.

    >>> night_of([61_000.69, 61_000.70, 61_001.40]).tolist()
    [60999, 61000, 61000]
    """
    local_days = np.asarray(time_mjd, np.float64) + LONGITUDE_DEG / 360
    return np.floor(local_days - 0.5).astype(np.int64)


def night_of_unix_ms(time_ms: ArrayLike) -> NDArray[np.int64]:
    """:func:`night_of` for milliseconds since 1970-01-01 UTC: when alerts arrived, or what the clock says.

    >>> int(night_of_unix_ms(1_764_280_000_000))  # 2025-11-27 21:46 UTC
    61006
    """
    return night_of(UNIX_EPOCH_MJD + np.asarray(time_ms, np.float64) / _MS_PER_DAY)


def date_of(night_mjd: int) -> str:
    """The date of a night's evening, YYYY-MM-DD.

    >>> date_of(61_006)
    '2025-11-27'
    """
    return str(np.datetime64("1970-01-01") + np.timedelta64(int(night_mjd) - UNIX_EPOCH_MJD, "D"))


def night_of_date(date: str) -> int:
    """The night, MJD, whose evening has the date YYYY-MM-DD: the inverse of :func:`date_of`. ValueError for no date.

    >>> night_of_date("2025-11-27")
    61006
    """
    return UNIX_EPOCH_MJD + int((np.datetime64(date, "D") - np.datetime64("1970-01-01", "D")).astype(int))
