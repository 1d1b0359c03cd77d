"""Magnitudes, zero points and times as surveys give them → nJy and MJD TAI."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import ArrayLike, NDArray

NJY_ZERO_POINT = 31.4
"""AB magnitude of 1 nJy: 31.4 = 8.90 + 2.5 log10(1e9), with 3631 Jy at magnitude 0 (Oke and Gunn 1983,
DOI 10.1086/160817)."""

DETECTION_SIGNAL_TO_NOISE = 5.0
"""Where nothing says what was detected, a flux of at least five times its error counts: the threshold of Rubin's
difference images (LSE-163)."""

EARLIEST_MJD, LATEST_MJD = 50_000.0, 80_000.0
"""Times (MJD) outside of 1995 to 2077 are errors."""

JD_OF_MJD_ZERO = 2_400_000.5
_JD_OF_UNIX_ZERO = 2_440_587.5


def njy_per_unit(zero_point_mag: ArrayLike) -> NDArray[np.float64]:
    """nJy of one unit of flux on an AB zero point: 10^((31.4 - zero point) / 2.5)."""
    return 10 ** (0.4 * (NJY_ZERO_POINT - np.asarray(zero_point_mag, np.float64)))


def flux_of_magnitude(
    magnitude: ArrayLike, magnitude_err: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Flux and its standard error, nJy, of an AB magnitude; the error to first order, flux × err × ln(10) / 2.5."""
    flux_njy = njy_per_unit(magnitude)
    return flux_njy, flux_njy * np.asarray(magnitude_err, np.float64) * (0.4 * np.log(10))


def mjd_tai_of_jd_utc(jd: ArrayLike) -> NDArray[np.float64]:
    """MJD on the TAI scale of Julian dates on the UTC scale; NaN outside of the years that can be right."""
    jd = np.asarray(jd, np.float64)
    mjd = jd - JD_OF_MJD_ZERO
    sane = (mjd > EARLIEST_MJD) & (mjd < LATEST_MJD)  # False for NaN
    tai = np.full(jd.shape, np.nan)
    if sane.any():
        from astropy.time import Time  # takes a second, and only one survey needs it

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # leap seconds of years to come are not known: the last one counts
            tai[sane] = Time(JD_OF_MJD_ZERO, mjd[sane], format="jd", scale="utc").tai.mjd
    return tai


def mjd_tai_of_unix_us(unix_us: ArrayLike) -> NDArray[np.float64]:
    """MJD on the TAI scale of microseconds since 1970-01-01 UTC (Avro's timestamp-micros); NaN as above."""
    return mjd_tai_of_jd_utc(np.asarray(unix_us, np.float64) / 86_400e6 + _JD_OF_UNIX_ZERO)


def tai_ahead_of_utc_s(mjd_tai: float) -> int:
    """Seconds that TAI is ahead of UTC at a time (MJD TAI, clipped to the years that can be right): 37 since 2017."""
    from astropy.time import Time

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as above
        moment = Time(min(max(mjd_tai, EARLIEST_MJD), LATEST_MJD), format="mjd", scale="tai")
        return round((moment.mjd - moment.utc.mjd) * 86_400)
