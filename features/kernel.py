"""The covariance of the Gaussian process, and the constants every backend shares.

Flux at time t (days) and wavelength w (nm) has mean zero and covariance

    amplitude² × matern(|t - t'| / timescale) × matern(|w - w'| / WAVELENGTH_LENGTH_NM)
    matern(r) = (1 + √3 r) exp(-√3 r)

(Matérn-3/2; Rasmussen & Williams 2006, eq. 4.17), a product of two one-dimensional kernels. Boone 2019
(arXiv:1907.04690) has one two-dimensional kernel; the product allows an exact solution in linear time. Amplitude and
timescale are fitted to every light curve by maximum likelihood within bounds, without a prior.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numba import njit
from numpy.typing import NDArray

from schemas.light_curves import BANDS
from schemas.passbands import SURVEYS, wavelength_nm

N_BANDS = len(BANDS)

WAVELENGTH_LENGTH_NM = 600.0
"""Correlation length in wavelength, nm: the 6000 Å of Boone 2019 (arXiv:1907.04690), fixed because the few epochs
of an early light curve do not constrain it."""

ERROR_FLOOR_FRACTION = 0.01
"""Standard error added in quadrature to every point, as a fraction of the absolute flux of that point. Photometric
calibration is accurate to about 1 % (Ivezić et al. 2019, arXiv:0805.2366, require 10 mmag), and a smooth model does not
describe a changing spectrum better than that."""

TIMESCALE_BOUNDS_DAYS = (0.3, 1000.0)
"""Bounds of the fitted timescale. A night lasts a third of a day: faster changes are sampled about once a cycle and
look like noise. A packet covers about a year: changes over 1,000 days are constant for it."""

AMPLITUDE_FLOOR_IN_ERRORS = 0.1
"""Lower bound of the amplitude in standard errors of the mean of all points: a smaller one has
practically the same likelihood as no signal at all."""

AMPLITUDE_CEILING_IN_FLUXES = 10.0
"""Upper bound of the amplitude in units of the largest absolute flux or error: the probability that
a zero-mean process stays within a tenth of its standard deviation is 8 %, even if all its points are equal."""

FASTMATH = {"contract", "nsz", "arcp", "reassoc"}
"""Floating-point options of the compiled loops: they may reorder sums; NaN and infinities keep their meaning."""

SQRT3 = float(np.sqrt(3.0))
LOG_2_PI = float(np.log(2.0 * np.pi))


@cache
def wavelengths_nm() -> NDArray[np.float64]:
    """Effective wavelengths, nm, shape (surveys, 6); for a band that a survey lacks, that of the first survey."""
    survey, band = np.indices((len(SURVEYS), N_BANDS))
    return wavelength_nm(survey, band)


@cache
def band_correlations() -> NDArray[np.float64]:
    """Correlation of the flux between bands at one time, 0 to 1, shape (surveys, 6, 6)."""
    wavelength = wavelengths_nm()
    distance = np.abs(wavelength[:, :, None] - wavelength[:, None, :]) / WAVELENGTH_LENGTH_NM
    return (1 + SQRT3 * distance) * np.exp(-SQRT3 * distance)


@njit(cache=True, nogil=True, error_model="numpy")
def floored_variance(
    flux_njy: NDArray[np.float64], flux_err_njy: NDArray[np.float64], error_floor: float
) -> NDArray[np.float64]:
    """Variance of each point with the error floor, a fraction of its flux: nJy², same shape; infinite if it
    overflows."""
    floor = error_floor * flux_njy
    return flux_err_njy * flux_err_njy + floor * floor


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def matern(scaled: float) -> float:
    """Matérn-3/2 correlation at ``scaled`` = √3 × distance / length, 0 or greater."""
    return (1.0 + scaled) * np.exp(-scaled)
