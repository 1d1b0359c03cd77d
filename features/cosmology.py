"""Distances in a flat universe with matter and a cosmological constant (Hogg 1999, arXiv:astro-ph/9905116)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

HUBBLE_KM_S_MPC, MATTER_DENSITY = 70.0, 0.3
"""Close to the parameters of the challenge's simulation (arXiv:1001.5210, section 3)."""
LIGHT_KM_S = 299_792.458

LARGEST_REDSHIFT = 10.0

_Z = np.linspace(0.0, LARGEST_REDSHIFT, 20_001)
_INVERSE_EXPANSION = 1 / np.sqrt(MATTER_DENSITY * (1 + _Z) ** 3 + 1 - MATTER_DENSITY)
_COMOVING = np.concatenate([[0.0], np.cumsum((_INVERSE_EXPANSION[1:] + _INVERSE_EXPANSION[:-1]) / 2 * np.diff(_Z))])


def luminosity_distance_mpc(redshift: ArrayLike) -> NDArray[np.float64]:
    """Luminosity distance, Mpc, for redshifts up to 10; same shape (equations 15 and 21)."""
    z = np.asarray(redshift, np.float64)
    return (1 + z) * LIGHT_KM_S / HUBBLE_KM_S_MPC * np.interp(z, _Z, _COMOVING)


def volume_per_redshift(redshift: ArrayLike) -> NDArray[np.float64]:
    """Comoving volume per unit of redshift, all sky, Mpc³; same shape (equation 28)."""
    z = np.asarray(redshift, np.float64)
    hubble_distance = LIGHT_KM_S / HUBBLE_KM_S_MPC
    comoving = hubble_distance * np.interp(z, _Z, _COMOVING)
    return 4 * np.pi * hubble_distance * comoving**2 * np.interp(z, _Z, _INVERSE_EXPANSION)
