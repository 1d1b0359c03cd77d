"""Magnitudes, zero points and times as surveys give them → nJy and MJD TAI."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import ArrayLike, NDArray

NJY_ZERO_POINT = 31.4
"""AB magnitude of 1 nJy: 31.4 = 8.90 + 2.5 log10(1e9), with 3631 Jy at magnitude 0 (Oke and Gunn 1983,
DOI 10.1086/160817)."""

FLUXCAL_ZERO_POINT = 27.5
"""AB zero point of SNANA's FLUXCAL (Kessler et al. 2009, DOI 10.1086/605984)."""

NJY_PER_FLUXCAL = 10 ** ((NJY_ZERO_POINT - FLUXCAL_ZERO_POINT) / 2.5)
"""nJy of one unit of FLUXCAL: 36.3078."""

FLUX_LIMIT_NJY = 1e9
"""A flux of this or more, either sign, is no measurement: magnitude 8.9 saturates every survey's camera. So is one
with an error of this or more: nothing was measured there."""

LEAST_FLUX_ERR_NJY = 1e-6
"""A smaller error is none: a hundredth of what the deepest images reach is a thousand times this, and squares of it
still can be told from 0."""

BRIGHTEST_MAG, FAINTEST_MAG = 8.9, 35.0
"""AB magnitudes, limits and zero points outside of this are no such thing: tables write -999, -99, 0, 99 or 9999 where
they know nothing. The brightest is :data:`FLUX_LIMIT_NJY`; no telescope reaches a point source of magnitude 32."""

LARGEST_MAG_ERR = 5.0
"""An error of a magnitude above this tells nothing (1.09 is a flux as large as its error), and 9.99 is a filler."""

DETECTION_SIGNAL_TO_NOISE = 5.0
"""Where nothing says what was detected, a flux of at least five times its error counts: the threshold of Rubin's
difference images (LSE-163)."""

MAGNITUDE_SIGNAL_TO_NOISE = 3.0
"""People are told the magnitude of a flux from so many times its error on: below, a magnitude's error says little."""

LIMIT_SIGMA = DETECTION_SIGNAL_TO_NOISE
"""A limiting magnitude is that of a flux of so many times the error."""

EARLIEST_MJD, LATEST_MJD = 50_000.0, 80_000.0
"""Times (MJD) outside of 1995 to 2077 are errors."""

JD_OF_MJD_ZERO = 2_400_000.5
_JD_OF_UNIX_ZERO = 2_440_587.5


def njy_per_unit(zero_point_mag: ArrayLike) -> NDArray[np.float64]:
    """nJy of one unit of flux on an AB zero point: 10^((31.4 - zero point) / 2.5); NaN where it can be none, that is
    outside of :data:`BRIGHTEST_MAG` to :data:`FAINTEST_MAG`."""
    mag = np.asarray(zero_point_mag, np.float64)
    possible = (mag >= BRIGHTEST_MAG) & (mag <= FAINTEST_MAG)  # False for NaN
    return 10 ** (0.4 * (NJY_ZERO_POINT - np.where(possible, mag, np.nan)))


def flux_of_magnitude(
    magnitude: ArrayLike, magnitude_err: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Flux and its standard error, nJy, of an AB magnitude; the error to first order, flux × err × ln(10) / 2.5.

    NaN where the magnitude cannot be one (see :func:`njy_per_unit`) or its error is not from 0 to
    :data:`LARGEST_MAG_ERR`: ``LightCurves.from_points`` drops and counts such points.
    """
    flux_njy, err = njy_per_unit(magnitude), np.asarray(magnitude_err, np.float64)
    err = np.where((err >= 0) & (err <= LARGEST_MAG_ERR), err, np.nan)
    return flux_njy, flux_njy * err * (0.4 * np.log(10))


def flux_err_of_limit(limiting_magnitude: ArrayLike) -> NDArray[np.float64]:
    """Standard error of the flux, nJy, in an image whose AB limiting magnitude is that of :data:`LIMIT_SIGMA` errors;
    NaN where it can be no magnitude."""
    return njy_per_unit(limiting_magnitude) / LIMIT_SIGMA


def magnitude_of_flux(flux_njy: ArrayLike) -> NDArray[np.float64]:
    """AB magnitude 31.4 − 2.5 log₁₀(flux / nJy); NaN where the flux is not greater than 0."""
    flux = np.asarray(flux_njy, np.float64)
    return NJY_ZERO_POINT - 2.5 * np.log10(np.where(flux > 0, flux, np.nan))


def is_detection(flux_njy: ArrayLike, flux_err_njy: ArrayLike) -> NDArray[np.bool_]:
    """Whether a flux counts as detected where nothing else says so: at least :data:`DETECTION_SIGNAL_TO_NOISE` times
    its error. For sources that may also fade below the template give the flux's absolute value."""
    return np.asarray(flux_njy, np.float64) >= DETECTION_SIGNAL_TO_NOISE * np.asarray(flux_err_njy, np.float64)


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
