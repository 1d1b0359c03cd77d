"""The Gaussian process itself: amplitude, timescale, gain over no signal, and residuals.

A residual is the flux of a point less the process at that point, in standard errors with the error floor.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from features.definition import (
    FRACTION,
    LOG_DAYS,
    LOG_FLUX,
    NUMBER,
    POSITIVE,
    SIGNED_FRACTION,
    Feature,
    columns_by_name,
)
from features.gaussian_process import GaussianProcessFits
from features.grid import GridFlux
from features.kernel import LOG_2_PI
from features.points import Points
from schemas.light_curves import BANDS, LightCurves

Array = NDArray[np.float64]
_BLOCK = "process"
_BOONE = "arXiv:1907.04690"
_R = BANDS.index("r")
_N_BANDS = len(BANDS)
LARGE_RESIDUAL = 2.0
FEATURES = (
    Feature("amplitude", LOG_FLUX, _BLOCK, 1, "Fitted amplitude of the Gaussian process.", _BOONE),
    Feature("timescale", LOG_DAYS, _BLOCK, 2, "Fitted timescale of the Gaussian process.", _BOONE, (-0.53, 3.01)),
    Feature(
        "signal_per_point", NUMBER, _BLOCK, 1, "asinh of the gain in log-likelihood over no signal at all, per point."
    ),
    Feature(
        "misfit",
        NUMBER,
        _BLOCK,
        2,
        "Mean square residual of the points from the process, in errors with the error floor.",
        range=POSITIVE,
    ),
    Feature(
        "uncertainty_now",
        NUMBER,
        _BLOCK,
        1,
        "Standard deviation of the process in r at the alert over its amplitude.",
        range=(0.0, 1.001),
    ),
    Feature("snr_now", NUMBER, _BLOCK, 1, "asinh of the process in r at the alert over its standard deviation there."),
    Feature(
        "amplitude_over_error",
        NUMBER,
        _BLOCK,
        1,
        "log10 of the amplitude over the root mean square error of the points.",
    ),
    Feature("durations_per_timescale", NUMBER, _BLOCK, 2, "log10 of the light curve's length over the timescale."),
    Feature("residual_largest", NUMBER, _BLOCK, 2, "asinh of the largest absolute residual.", range=POSITIVE),
    Feature("residual_skewness", NUMBER, _BLOCK, 3, "Mean cube of the residuals over their mean square to the 3/2."),
    Feature("residual_outliers", NUMBER, _BLOCK, 2, "Fraction of residuals beyond 2 standard errors.", range=FRACTION),
    Feature(
        "residual_memory",
        NUMBER,
        _BLOCK,
        4,
        "Sum of the products of neighbouring residuals in one band over the sum of their squares: a change too fast "
        "for the process leaves runs of one sign; missing without a band with two points.",
        range=SIGNED_FRACTION,
    ),
    Feature(
        "residual_growth",
        NUMBER,
        _BLOCK,
        4,
        "log10 of the mean square residual of the later half of the points over that of the earlier half, 0.01 added "
        "to each.",
    ),
    Feature(
        "residual_chromatic",
        NUMBER,
        _BLOCK,
        2,
        "asinh of the largest |sum of residuals| / √points of a band: a colour that the process can't follow.",
        range=POSITIVE,
    ),
    Feature(
        "noise_factor",
        NUMBER,
        _BLOCK,
        1,
        "log10 of the factor by which the stated errors are too small, fitted with the process.",
        "doi:10.1201/b16018",
        range=(0.0, 1.0),
    ),
    Feature(
        "n_points_set_aside",
        NUMBER,
        _BLOCK,
        1,
        "Points that stand alone: no neighbour or other band bears them out. Only the block detections counts them in.",
        range=POSITIVE,
    ),
    Feature(
        "set_aside_largest",
        NUMBER,
        _BLOCK,
        1,
        "asinh of how far the point set aside that is furthest from the process is from it, with its sign, in standard "
        "deviations; 0 without one.",
    ),
)
COLUMN = columns_by_name(FEATURES)


class Fitted(NamedTuple):
    """Properties of the process for n light curves: nJy, days; ``std_now_njy`` and ``mean_now_njy`` in r at the
    alert."""

    amplitude_njy: Array
    timescale_days: Array
    log_likelihood: Array
    std_now_njy: Array
    mean_now_njy: Array
    converged: NDArray[np.bool_]


def columns(curves: LightCurves, fits: GaussianProcessFits, grid: GridFlux) -> Array:
    """Measure the block: (n, features)."""
    out = np.full((len(curves), len(FEATURES)), np.nan)
    fitted = Fitted(
        amplitude_njy=fits.amplitude_njy,
        timescale_days=fits.timescale_days,
        log_likelihood=fits.log_likelihood,
        std_now_njy=grid.std_now_njy[:, _R].copy(),
        mean_now_njy=grid.mean_njy[:, _R, -1].copy(),
        converged=fits.converged,
    )
    _measure(fits.points, fits.weights_per_njy, fitted, out)
    out[:, COLUMN.noise_factor] = np.log10(fits.noise_factor)
    out[:, COLUMN.n_points_set_aside] = fits.n_points_set_aside
    out[:, COLUMN.set_aside_largest] = np.arcsinh(_furthest(fits))
    return out


def _furthest(fits: GaussianProcessFits) -> Array:
    """Of each light curve's points set aside the one furthest from the process: how far, with its sign, in standard
    deviations; 0 without one, (n,)."""
    deviation = np.nan_to_num(fits.set_aside)
    everywhere = np.ones(len(deviation), np.bool_)
    high, low = fits.given.largest(deviation, everywhere), -fits.given.largest(-deviation, everywhere)
    return np.where(high > -low, high, low)


@njit(cache=True, nogil=True, error_model="numpy")
def _measure(points: Points, alpha: Array, fitted: Fitted, out: Array) -> None:
    for i in range(len(fitted.converged)):
        a, b = points.offsets[i], points.offsets[i + 1]
        if not fitted.converged[i] or a == b:
            continue
        amplitude, timescale, std_now = fitted.amplitude_njy[i], fitted.timescale_days[i], fitted.std_now_njy[i]
        silence, noise = 0.0, 0.0
        residual = np.empty(b - a)
        for j in range(a, b):
            v = points.variance[j]
            silence -= 0.5 * (points.flux[j] * points.flux[j] / v + math.log(v) + LOG_2_PI)
            noise += v
            residual[j - a] = alpha[j] * math.sqrt(v)  # the residual of a point is its variance times its α
        row, duration = out[i], points.time[b - 1] - points.time[a]
        row[COLUMN.amplitude], row[COLUMN.timescale] = math.log10(amplitude), math.log10(timescale)
        row[COLUMN.signal_per_point] = math.asinh((fitted.log_likelihood[i] - silence) / (b - a))
        row[COLUMN.uncertainty_now] = std_now / amplitude
        row[COLUMN.snr_now] = math.asinh(fitted.mean_now_njy[i] / std_now)
        row[COLUMN.amplitude_over_error] = math.log10(amplitude / math.sqrt(noise / (b - a)))
        row[COLUMN.durations_per_timescale] = math.log10(duration / timescale) if duration > 0.0 else np.nan
        _measure_residuals(residual, points.band[a:b], row)


@njit(cache=True, nogil=True, error_model="numpy")
def _measure_residuals(residual: NDArray[np.float64], band: NDArray[np.int8], row: NDArray[np.float64]) -> None:
    n, last = len(residual), np.full(_N_BANDS, -1)
    count, total = np.zeros(_N_BANDS), np.zeros(_N_BANDS)
    largest, square, cube, outliers, early, late = 0.0, 0.0, 0.0, 0, 0.0, 0.0
    product, norm = 0.0, 0.0
    for j in range(n):
        r, k = residual[j], band[j]
        largest, outliers = max(largest, abs(r)), outliers + (abs(r) > LARGE_RESIDUAL)
        square, cube = square + r * r, cube + r * r * r
        early, late = early + (r * r if 2 * j + 1 < n else 0.0), late + (r * r if 2 * j + 1 > n else 0.0)
        count[k], total[k] = count[k] + 1.0, total[k] + r
        if last[k] >= 0:
            s = residual[last[k]]
            product, norm = product + r * s, norm + 0.5 * (r * r + s * s)
        last[k] = j
    row[COLUMN.misfit] = square / n
    row[COLUMN.residual_largest] = math.asinh(largest)
    row[COLUMN.residual_outliers] = outliers / n
    row[COLUMN.residual_skewness] = cube / n / (square / n) ** 1.5 if square > 0.0 else np.nan
    row[COLUMN.residual_memory] = product / norm if norm > 0.0 else np.nan
    row[COLUMN.residual_growth] = math.log10((late / (n // 2) + 0.01) / (early / (n // 2) + 0.01)) if n > 1 else np.nan
    chromatic = 0.0
    for k in range(_N_BANDS):
        if count[k] > 0.0:
            chromatic = max(chromatic, abs(total[k]) / math.sqrt(count[k]))
    row[COLUMN.residual_chromatic] = math.asinh(chromatic)
