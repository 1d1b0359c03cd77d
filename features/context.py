"""Position on the sky, and the surroundings of the alert from the packet, as far as they help to classify it.

If the packet lacks a field, its features are missing; so they are for light curves without packets.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from features.definition import ASINH_FLUX, DEGREES, FLUX_SOFTENING_NJY, NUMBER, Feature, columns_by_name
from features.grid import GridFlux
from schemas.light_curves import FLAGS_UNKNOWN, IMAGE_FLAGS, LightCurves

_BLOCK = "context"
GALACTIC_POLE_RA_DEG, GALACTIC_POLE_DEC_DEG = 192.85948, 27.12825
"""North Galactic pole, ICRS, degrees (ESA 1997, The Hipparcos and Tycho Catalogues, vol. 1, section 1.5.3)."""

ARCSEC_PER_DEG = 3600.0
DIPOLE = 1 << IMAGE_FLAGS.index("dipole")

FEATURES = (
    Feature(
        "galactic_latitude", DEGREES, _BLOCK, 0, "Absolute galactic latitude, 0 to 90; missing where the position is."
    ),
    Feature(
        "host_separation",
        DEGREES,
        _BLOCK,
        0,
        "Distance to the nearest catalogued source, the host's candidate; missing where the packet names none.",
    ),
    Feature(
        "host_separation_in_radii",
        NUMBER,
        _BLOCK,
        0,
        "That distance over the candidate's radius; missing where the packet does not tell its size.",
        "doi:10.3847/0004-6256/152/6/154",
    ),
    Feature(
        "host_ambiguity",
        NUMBER,
        _BLOCK,
        0,
        "Distance of the nearest candidate over that of the second, 0 (one host alone) to 1; missing without two.",
        "doi:10.3847/0004-6256/152/6/154",
    ),
    Feature(
        "host_ellipticity",
        NUMBER,
        _BLOCK,
        0,
        "Ellipticity of the nearest candidate; missing where the packet does not tell.",
    ),
    Feature(
        "star_score",
        NUMBER,
        _BLOCK,
        0,
        "How much the nearest catalogued source looks like a star, 0 to 1; missing where the packet does not tell.",
        "doi:10.1088/1538-3873/aae3d9",
    ),
    Feature(
        "extendedness",
        NUMBER,
        _BLOCK,
        0,
        "How much the triggering source is extended, 0 to 1; missing where the packet does not tell.",
    ),
    Feature(
        "template_flux",
        ASINH_FLUX,
        _BLOCK,
        0,
        "Flux of the template image at the alert's place; missing where the packet does not tell.",
    ),
    Feature(
        "template_contrast",
        NUMBER,
        _BLOCK,
        1,
        "Largest absolute flux of a detection over its sum with the template's flux, 0 (a small change of something "
        "bright) to 1 (from nothing); missing without either.",
    ),
    Feature("is_dipole", NUMBER, _BLOCK, 0, "1 where the source is a dipole of two images; missing where not given."),
    Feature(
        "n_image_flags",
        NUMBER,
        _BLOCK,
        0,
        "Flags of the image that are raised, the dipole apart; missing where the packet does not tell.",
    ),
    Feature(
        "solar_system_separation",
        DEGREES,
        _BLOCK,
        0,
        "Distance to where the nearest known Solar System object should be; missing where the packet names none.",
    ),
)
COLUMN = columns_by_name(FEATURES)


def columns(curves: LightCurves, grid: GridFlux) -> NDArray[np.float64]:
    """Measure the block: (n, features)."""
    separation, second = curves.host_separation_arcsec, curves.host2_separation_arcsec
    template = curves.template_flux_njy.astype(np.float64)
    brightest = curves.largest(np.abs(curves.flux_njy), curves.is_detection)
    flags = curves.image_flags.astype(np.int64)
    has_flags = flags != FLAGS_UNKNOWN
    out = np.full((len(curves), len(FEATURES)), np.nan)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        out[:, COLUMN.galactic_latitude] = galactic_latitude_deg(curves.ra_deg, curves.dec_deg)
        out[:, COLUMN.host_separation] = separation / ARCSEC_PER_DEG
        out[:, COLUMN.host_separation_in_radii] = separation / curves.host_radius_arcsec
        out[:, COLUMN.host_ambiguity] = np.where(second > 0, separation / second, np.nan)
        out[:, COLUMN.host_ellipticity] = curves.host_ellipticity
        out[:, COLUMN.star_score] = curves.star_score
        out[:, COLUMN.extendedness] = curves.extendedness
        out[:, COLUMN.template_flux] = np.arcsinh(template / FLUX_SOFTENING_NJY)
        out[:, COLUMN.template_contrast] = brightest / (brightest + np.maximum(template, 0.0))
        out[:, COLUMN.is_dipole] = np.where(has_flags, (flags & DIPOLE) > 0, np.nan)
        out[:, COLUMN.n_image_flags] = np.where(
            has_flags, np.bitwise_count(np.where(has_flags, flags & ~DIPOLE, 0)), np.nan
        )
        out[:, COLUMN.solar_system_separation] = curves.solar_system_separation_arcsec / ARCSEC_PER_DEG
    return out


def galactic_latitude_deg(ra_deg: NDArray[np.float64], dec_deg: NDArray[np.float64]) -> NDArray[np.float64]:
    """Absolute galactic latitude of ICRS positions, degrees, 0 to 90."""
    dec, pole = np.radians(dec_deg), np.radians(GALACTIC_POLE_DEC_DEG)
    along = np.cos(np.radians(ra_deg - GALACTIC_POLE_RA_DEG))
    sine = np.sin(dec) * np.sin(pole) + np.cos(dec) * np.cos(pole) * along
    return np.abs(np.degrees(np.arcsin(np.clip(sine, -1.0, 1.0))))
