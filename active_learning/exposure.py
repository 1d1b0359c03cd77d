"""How long a spectrum takes: the signal-to-noise equation of a slit spectrograph, solved for the time."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from schemas.light_curves import BANDS
from schemas.photometry import magnitude_of_flux

AB_PHOTONS_CM2_S = 3.631e-20 / 6.62607015e-27
"""Photons s⁻¹ cm⁻² per unit of ln(wavelength) of a source of 0 mag AB: its flux density (erg s⁻¹ cm⁻² Hz⁻¹) over
Planck's constant (CODATA 2018)."""

DARK_SKY_MAG_ARCSEC2 = (22.99, 22.26, 21.20, 20.48, 19.60, 18.61)
"""Dark sky at zenith in u, g, r, i, z, y, AB mag arcsec⁻²: Ivezić et al. 2019, table 2
(doi:10.3847/1538-4357/ab042c)."""


@dataclass(frozen=True, slots=True)
class Spectrograph:
    """A telescope of the 8-metre class with a low-resolution slit spectrograph; others differ in these numbers.

    The defaults are round figures of such an instrument in grey conditions, not those of one in particular.
    """

    name: str = "8 m telescope, low resolution"
    aperture_m: float = 8.0
    obstructed_fraction: float = 0.1
    throughput: float = 0.10
    """Photons detected of those that reach the aperture: atmosphere, slit, optics, grating, detector."""
    resolving_power: float = 600.0
    """λ/Δλ of the element that the signal-to-noise ratio is asked for: 10 Å at 6000 Å, enough to class a supernova."""
    sky_aperture_arcsec2: float = 2.0
    """Slit width (1″) × height extracted (2″)."""
    sky_brightening_mag: float = 0.5
    """Sky above the dark one: Moon in its quarters, airmass 1.3."""
    pixels: float = 35.0
    """Pixels read in an element: 5 along the dispersion × 7 along the slit."""
    read_noise_electrons: float = 4.0
    dark_electrons_s: float = 0.001
    signal_to_noise: float = 5.0
    """S/N per element that is asked for: enough to tell the class of a supernova by its broad lines."""
    overhead_s: float = 600.0
    """Slew, acquisition and read-out, charged to every object."""
    longest_exposure_s: float = 3600.0
    sky_mag_arcsec2: tuple[float, ...] = field(default=DARK_SKY_MAG_ARCSEC2)


def photon_rates(
    magnitude: ArrayLike, band: ArrayLike, telescope: Spectrograph
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Detected photons s⁻¹ per resolution element of the source and of the sky in its aperture; both shape (n,)."""
    area_cm2 = np.pi * (50 * telescope.aperture_m) ** 2 * (1 - telescope.obstructed_fraction)
    of_zero_mag = AB_PHOTONS_CM2_S * area_cm2 * telescope.throughput / telescope.resolving_power
    sky_mag = np.asarray(telescope.sky_mag_arcsec2)[np.asarray(band, np.int64)] - telescope.sky_brightening_mag
    source = of_zero_mag * 10 ** (-0.4 * np.asarray(magnitude, np.float64))
    return source, of_zero_mag * 10 ** (-0.4 * sky_mag) * telescope.sky_aperture_arcsec2


def exposure_s(magnitude: ArrayLike, band: ArrayLike, telescope: Spectrograph | None = None) -> NDArray[np.float64]:
    """Seconds on target to reach the telescope's S/N at this AB magnitude, overhead not included, shape (n,).

    From S/N = S t / √(S t + (B + n D) t + n R²) (Merline & Howell 1995, doi:10.1007/BF00421131), with
    source S and sky B in photons s⁻¹ per element, n pixels, dark current D, read noise R; the
    positive root of the quadratic in t. ``band`` (index into ``BANDS``) says how bright the sky is.
    NaN for a NaN magnitude; not limited by ``longest_exposure_s``.
    """
    telescope = telescope or Spectrograph()
    source, sky = photon_rates(magnitude, band, telescope)
    background = sky + telescope.pixels * telescope.dark_electrons_s
    noise = telescope.pixels * telescope.read_noise_electrons**2
    ratio2 = telescope.signal_to_noise**2
    total = ratio2 * (source + background)
    return (total + np.sqrt(total**2 + 4 * source**2 * ratio2 * noise)) / (2 * source**2)


def cost_s(flux_njy: float, band: str, telescope: Spectrograph | None = None) -> tuple[float, float, str]:
    """Magnitude, exposure (s) and, where it cannot be observed, the reason in words ("" where it can).

    ``flux_njy`` is the object's latest flux in ``band``; the exposure is NaN where there is no magnitude.
    """
    telescope = telescope or Spectrograph()
    if band not in BANDS or len(band) != 1:
        return np.nan, np.nan, f"its band must be one of {', '.join(BANDS)}, found {band!r}"
    magnitude = float(magnitude_of_flux(flux_njy))
    if not np.isfinite(magnitude):
        return np.nan, np.nan, f"no magnitude: its latest difference flux is {flux_njy:.0f} nJy, not above 0"
    seconds = float(exposure_s(magnitude, BANDS.index(band), telescope))
    too_long = seconds > telescope.longest_exposure_s
    return magnitude, seconds, _too_faint(magnitude, band, seconds, telescope) if too_long else ""


def _too_faint(magnitude: float, band: str, seconds: float, telescope: Spectrograph) -> str:
    return (
        f"too faint: {band} = {magnitude:.1f} mag needs {seconds / 3600:.1f} h for S/N {telescope.signal_to_noise:.0f} "
        f"({telescope.name}), the longest exposure is {telescope.longest_exposure_s / 3600:.1f} h"
    )
