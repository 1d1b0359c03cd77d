"""The Gaussian process on a grid of past times. Shape and colour are measured on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from features.gaussian_process import GaussianProcessFits
from features.rounding import is_constant
from schemas.light_curves import LightCurves

LEAST_PEAK = 1e-6
"""A positive peak below this fraction of the band's largest absolute flux is not counted: in a long gap the process
falls to zero, and rounding makes it slightly positive or negative."""

LEAST_STD = 1e-7
"""Lower limit of the standard deviation of the process, as a fraction of its amplitude. Its square is computed as one
less a number with a rounding error of 1e-14."""

GRID_TIMES = 100
PER_DAY = 2.0**30
"""The times of the grid are multiples of a day divided by this number, counted from the alert (0.08 ms). A double holds
them exactly, so a light curve that is shifted in time has the same grid to the last bit. Otherwise rounding could
change the result of a fit."""

BEFORE_FIRST_DETECTION_DAYS = 50.0
"""The grid begins this long before the first detection, or at the first point if that is later. This is longer than the
rise of supernovae, and short enough that years without signal before a transient do not make the grid coarse."""


@dataclass(frozen=True, slots=True)
class GridFlux:
    """``time_mjd`` (n, m), ascending, ends at the alert; ``mean_njy`` (n, 6, m); ``std_now_njy`` (n, 6), at the
    alert, at least :data:`LEAST_STD` of the amplitude.

    A band whose mean is constant within rounding (:mod:`features.rounding`) gets the value at the alert at all times,
    so that it has no peak elsewhere.

    NaN if the process has no points or did not converge.
    """

    time_mjd: NDArray[np.float64]
    mean_njy: NDArray[np.float64]
    std_now_njy: NDArray[np.float64]


def predict_grid(fits: GaussianProcessFits) -> GridFlux:
    """Predict at times from the beginning to the alert. Their distance from the alert grows quadratically, so the grid
    is finest at the alert."""
    curves = fits.light_curves
    beginning = first_time(curves, curves.is_detection) - BEFORE_FIRST_DETECTION_DAYS
    first = first_time(curves, np.ones(len(curves.time_mjd), bool))
    beginning = np.fmax(first, beginning)
    back = np.linspace(1.0, 0.0, GRID_TIMES) ** 2
    days = np.ceil((curves.alert_mjd - beginning)[:, None] * back * PER_DAY) / PER_DAY
    time = curves.alert_mjd[:, None] - days
    time = np.where(np.isfinite(time), time, 0.0)
    mean = fits.predict_mean(time)
    _flatten(mean)
    std = np.maximum(fits.predict_std_now(curves.alert_mjd), LEAST_STD * fits.amplitude_njy[:, None])
    mean[~fits.converged] = np.nan
    std[~fits.converged] = np.nan
    return GridFlux(time, mean, std)


@njit(cache=True, nogil=True, error_model="numpy")
def _flatten(mean: NDArray[np.float64]) -> None:
    n, bands, last = mean.shape[0], mean.shape[1], mean.shape[2] - 1
    for i in range(n):
        for band in range(bands):
            flux = mean[i, band]
            if is_constant(flux.min(), flux.max()):
                flux[:] = flux[last]


def first_time(curves: LightCurves, which: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Time of each alert's first point among ``which`` (points,), MJD TAI, (n,); NaN where there is none."""
    return -curves.largest(-curves.time_mjd, which)
