"""What a redshift adds: luminosities and times in the source's own frame."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from features.catalogue import NAMES
from features.cosmology import luminosity_distance_mpc
from features.definition import FLUX_SOFTENING_NJY

LEAST_REDSHIFT = 1e-3
"""Below this the distance is not the Hubble flow's."""

FLUXES = ("peak_flux", "sigmoid_amplitude", "bazin_amplitude", "spm_amplitude", "first_detection_flux", "latest_flux")
LOG_FLUXES = ("amplitude",)
DAYS = ("rise_days", "decline_days", "width_days", "equivalent_width_days", "days_since_first_detection", "duration")
LOG_DAYS = ("timescale", "bazin_rise", "bazin_fall", "spm_rise", "spm_fall", "spm_gamma")


def redshift_features(
    features: NDArray[np.float64], redshift: NDArray[np.float64], error: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Columns to set beside the catalogue's (m, f): the redshift, its error, log10 of luminosities in nJy × (100 Mpc)²
    and times over 1 + z, (m, 21). NaN where the redshift is."""
    z = np.where(redshift >= 0, redshift, np.nan)
    distance = 2 * np.log10(luminosity_distance_mpc(np.maximum(z, LEAST_REDSHIFT)) / 100.0)
    softened = np.sinh(np.clip(_columns(features, FLUXES), -60, 60)) * FLUX_SOFTENING_NJY
    log_flux = np.log10(np.where(softened > 0, softened, np.nan))
    stretched = np.log10(1 + z)[:, None]
    return np.concatenate(
        [
            np.stack([z, error], axis=1),
            log_flux + distance[:, None],
            _columns(features, LOG_FLUXES) + distance[:, None],
            _columns(features, DAYS) / (1 + z)[:, None],
            _columns(features, LOG_DAYS) - stretched,
        ],
        axis=1,
    )


def _columns(features: NDArray[np.float64], names: tuple[str, ...]) -> NDArray[np.float64]:
    return features[:, [NAMES.index(name) for name in names]]
