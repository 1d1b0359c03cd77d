"""Features from a redshift: luminosities, and times, colours and decline rates in the rest frame."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from features.catalogue import columns_of
from features.cosmology import luminosity_distance_mpc
from features.definition import FLUX_SOFTENING_NJY
from models.scoring.rest_frame import faded, magnitudes_at_rest

LEAST_REDSHIFT = 1e-3
"""Below this redshift the distance does not follow the Hubble flow."""

FLUXES = ("peak_flux", "sigmoid_amplitude", "bazin_amplitude", "spm_amplitude", "first_detection_flux", "latest_flux")
LOG_FLUXES = ("amplitude",)
DAYS = ("rise_days", "decline_days", "width_days", "equivalent_width_days", "days_since_first_detection", "duration")
LOG_DAYS = ("timescale", "bazin_rise", "bazin_fall", "spm_rise", "spm_fall", "spm_gamma")


def redshift_features(
    features: NDArray[np.float64], redshift: NDArray[np.float64], error: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Columns (m, 40) beside those of the catalogue (m, f).

    The redshift, its error, log10 of luminosities in nJy × (100 Mpc)², and times divided by 1 + z. From
    :mod:`rest_frame` the colours at the peak and at the alert, the luminosities at the peak, and the decline. NaN where
    the redshift or an input of the column is missing.
    """
    z = np.where(redshift >= 0, redshift, np.nan)
    distance = 2 * np.log10(luminosity_distance_mpc(np.maximum(z, LEAST_REDSHIFT)) / 100.0)
    softened = np.sinh(np.clip(columns_of(features, FLUXES), -60, 60)) * FLUX_SOFTENING_NJY
    log_flux = np.log10(np.where(softened > 0, softened, np.nan))
    stretched = np.log10(1 + z)[:, None]
    at_peak, now = (magnitudes_at_rest(features, z, when) for when in ("peak", "now"))
    # Flux per frequency is (1 + z) L / (4 π d²) (Hogg 1999, equation 22).
    peak_luminosity = log_flux[:, [FLUXES.index("peak_flux")]] - 0.4 * at_peak + distance[:, None] - stretched
    return np.concatenate(
        [
            np.stack([z, error], axis=1),
            log_flux + distance[:, None],
            columns_of(features, LOG_FLUXES) + distance[:, None],
            columns_of(features, DAYS) / (1 + z)[:, None],
            columns_of(features, LOG_DAYS) - stretched,
            np.diff(at_peak, axis=1),
            np.diff(now, axis=1),
            peak_luminosity,
            faded(features, z),
        ],
        axis=1,
    )
