"""The Gaussian process on a grid of past times, from which shape and colour are measured."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from features.gaussian_process import GaussianProcessFits
from features.rounding import is_constant
from schemas.light_curves import LightCurves

LEAST_PEAK = 1e-6
"""A positive peak below this part of the band's largest absolute flux is none: in a long gap the process falls to zero
but for rounding, on one side or the other."""

LEAST_STD = 1e-7
"""The process's standard deviation is not known better than this part of its amplitude: its square is one less a number
that has a rounding of 1e-14."""

GRID_TIMES = 100
PER_DAY = 2.0**30
"""The grid's times lie on this many marks a day before the alert (0.08 ms apart). A double holds them exactly, so that
a light curve at another time has the same grid to the last bit: a fit that a rounding can tip would differ."""

BEFORE_FIRST_DETECTION_DAYS = 50.0
"""The grid begins this long before the first detection (or at the first point, if that is later): longer than
supernovae rise, and short enough that years of silence before a transient don't thin the grid out."""


@dataclass(frozen=True, slots=True)
class GridFlux:
    """``time_mjd`` (n, m), ascending, ends at the alert; ``mean_njy`` (n, 6, m); ``std_now_njy`` (n, 6), at the
    alert, at least :data:`LEAST_STD` of the amplitude.

    A band whose mean is one number but for rounding (:mod:`features.rounding`) has the alert's at every time: it has no
    peak anywhere else.

    NaN where the process has no points or has not converged.
    """

    time_mjd: NDArray[np.float64]
    mean_njy: NDArray[np.float64]
    std_now_njy: NDArray[np.float64]


def predict_grid(fits: GaussianProcessFits) -> GridFlux:
    """Predict on times from the beginning to the alert, their distance to the alert growing as the square: finest
    now."""
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
