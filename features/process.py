"""The Gaussian process itself: how strong, how fast, how much better than silence, and what it leaves unexplained."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from features.definition import LOG_DAYS, LOG_FLUX, NUMBER, Feature
from features.gaussian_process import GaussianProcessFits
from features.grid import GridFlux
from features.kernel import LOG_2_PI, floored_variance
from schemas.light_curves import BANDS, LightCurves

_BLOCK = "process"
_BOONE = "arXiv:1907.04690"
_R = BANDS.index("r")
FEATURES = (
    Feature("amplitude", LOG_FLUX, _BLOCK, 1, "Fitted amplitude of the Gaussian process.", _BOONE),
    Feature("timescale", LOG_DAYS, _BLOCK, 2, "Fitted timescale of the Gaussian process.", _BOONE),
    Feature(
        "signal_per_point", NUMBER, _BLOCK, 1, "asinh of the gain in log-likelihood over no signal at all, per point."
    ),
    Feature(
        "misfit",
        NUMBER,
        _BLOCK,
        2,
        "Mean square residual of the points from the process, in errors with the error floor.",
    ),
    Feature(
        "uncertainty_now", NUMBER, _BLOCK, 1, "Standard deviation of the process in r at the alert over its amplitude."
    ),
)


def columns(curves: LightCurves, fits: GaussianProcessFits, grid: GridFlux) -> NDArray[np.float64]:
    """Measure the block: (n, features)."""
    n, owner = curves.n_points, curves.alert_of_point
    variance = floored_variance(curves.flux_njy, curves.flux_err_njy)
    silence = -0.5 * np.bincount(
        owner, curves.flux_njy**2 / variance + np.log(variance) + LOG_2_PI, minlength=len(curves)
    )
    # α = (K + variance)⁻¹ flux, so the residual of a point is its variance times its α
    misfit = np.bincount(owner, fits.weights_per_njy**2 * variance, minlength=len(curves))
    count = np.where(n > 0, n, np.nan)
    out = np.stack(
        [
            np.log10(fits.amplitude_njy),
            np.log10(fits.timescale_days),
            np.arcsinh((fits.log_likelihood - silence) / count),
            misfit / count,
            grid.std_now_njy[:, _R] / fits.amplitude_njy,
        ],
        axis=1,
    )
    out[~fits.converged] = np.nan
    return out
