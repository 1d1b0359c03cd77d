"""The Gaussian process itself: how strong, how fast, how much better than silence, and what it leaves unexplained."""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from features.definition import LOG_DAYS, LOG_FLUX, NUMBER, Feature
from features.gaussian_process import GaussianProcessFits
from features.grid import GridFlux
from features.kernel import LOG_2_PI
from features.points import Points, points_of
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
    out = np.full((len(curves), len(FEATURES)), np.nan)
    known = np.stack([fits.amplitude_njy, fits.timescale_days, fits.log_likelihood, grid.std_now_njy[:, _R]], axis=1)
    _measure(points_of(curves), fits.weights_per_njy, known, fits.converged, out)
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def _measure(
    points: Points,
    alpha: NDArray[np.float64],
    known: NDArray[np.float64],
    converged: NDArray[np.bool_],
    out: NDArray[np.float64],
) -> None:
    for i in range(len(converged)):
        a, b = points.offsets[i], points.offsets[i + 1]
        if not converged[i] or a == b:
            continue
        amplitude, timescale, log_likelihood, std_now = known[i]
        silence, misfit = 0.0, 0.0
        for j in range(a, b):
            v = points.variance[j]
            silence -= 0.5 * (points.flux[j] * points.flux[j] / v + math.log(v) + LOG_2_PI)
            misfit += alpha[j] * alpha[j] * v  # the residual of a point is its variance times its α
        row = out[i]
        row[0], row[1] = math.log10(amplitude), math.log10(timescale)
        row[2] = math.asinh((log_likelihood - silence) / (b - a))
        row[3], row[4] = misfit / (b - a), std_now / amplitude
