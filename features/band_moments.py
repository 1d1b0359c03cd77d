"""Mean and scatter of the flux in each band of a light curve."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from features.rounding import is_constant
from schemas.light_curves import BANDS

Array = NDArray[np.float64]
_N_BANDS = len(BANDS)


class BandMoments(NamedTuple):
    """For each band, (6,): ``n_points``; ``mean`` flux weighted by 1/error², nJy; ``square``, the sum of the
    squared differences from it, and ``noise``, the sum of the squared errors, nJy².

    ``square`` is exactly 0 for a band that is constant within rounding (:mod:`features.rounding`). Otherwise the
    rounding of the mean alone would determine everything that is divided by the scatter.
    """

    n_points: Array
    mean: Array
    square: Array
    noise: Array


@njit(cache=True, nogil=True, error_model="numpy")
def moments_of(flux: Array, error: Array, band: NDArray[np.int8]) -> BandMoments:
    """The moments of the points of one light curve, each (m,)."""
    count, mean, square, noise = np.zeros(_N_BANDS), np.zeros(_N_BANDS), np.zeros(_N_BANDS), np.zeros(_N_BANDS)
    weight, low, high = np.zeros(_N_BANDS), np.full(_N_BANDS, np.inf), np.full(_N_BANDS, -np.inf)
    for j in range(len(flux)):
        k, w = band[j], 1.0 / (error[j] * error[j])
        count[k], weight[k], mean[k] = count[k] + 1.0, weight[k] + w, mean[k] + w * flux[j]
        noise[k] += error[j] * error[j]
        low[k], high[k] = min(low[k], flux[j]), max(high[k], flux[j])
    for k in range(_N_BANDS):
        mean[k] /= weight[k]
    for j in range(len(flux)):
        square[band[j]] += (flux[j] - mean[band[j]]) ** 2
    for k in range(_N_BANDS):
        if count[k] > 0.0 and is_constant(low[k], high[k]):
            square[k] = 0.0
    return BandMoments(count, mean, square, noise)


@njit(cache=True, nogil=True, error_model="numpy")
def residual(flux: float, band: int, moments: BandMoments) -> float:
    """Flux of a point less the mean of its band, nJy; exactly 0 in a constant band."""
    return flux - moments.mean[band] if moments.square[band] != 0.0 else 0.0
