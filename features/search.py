"""Where the likelihood is greatest: a search over log amplitude² and log timescale², eight trial points at a time.

The first eight points scan four timescales and two amplitudes. After that eight points around the best one
determine a quadratic surface by least squares, the search moves to its highest point inside both the bounds and
the region in which the surface was learnt, and the pattern shrinks as the steps do. Trial points may lie just
outside the bounds, where the likelihood is as well defined as inside; the place that is returned never does.

Eight at a time, because a backend may evaluate them side by side. The search lives in one small array, so that
compiled backends can carry it through their own loops without any call back into Python.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from features.kernel import AMPLITUDE_CEILING_IN_FLUXES, AMPLITUDE_FLOOR_IN_ERRORS, TIMESCALE_BOUNDS_DAYS

TRIALS = 8
"""Trial points per round."""

# Places in the search's array. x is log amplitude² (nJy²), y is log timescale² (days²).
X, Y, HALF, BEST_X, BEST_Y, BEST, X_LOW, X_HIGH, Y_LOW, Y_HIGH, SCAN, ROUNDS, STATUS, SIZE = range(14)
RUNNING, CONVERGED, FAILED = 0.0, 1.0, 2.0

MAX_ROUNDS = 30
SCAN_TIMESCALES_DAYS = (0.8, 5.0, 30.0, 180.0)
SCAN_AMPLITUDES = (0.6, 1.8)  # in units of the root mean square flux above the noise
WIDE, NARROW, WARM = 0.6, 0.1, 0.25  # half-widths of the pattern, in log amplitude² and log timescale²
REACH = 2.5  # how far, in half-widths, the quadratic surface is believed
GAIN_TOLERANCE = 1e-3  # natural log of the likelihood: a thousandth tells no two models apart
SURPRISE = 0.05  # a trial point that beats the surface by this much is followed instead

_PATTERN = np.array([[0, 0], [1, 0], [-1, 0], [0, 1], [0, -1], [1, 1], [-1, -1], [1, -1]], np.float64)
_TERMS = np.stack(
    [
        np.ones(8),
        _PATTERN[:, 0],
        _PATTERN[:, 1],
        _PATTERN[:, 0] ** 2,
        _PATTERN[:, 1] ** 2,
        _PATTERN[:, 0] * _PATTERN[:, 1],
    ],
    axis=1,
)
_SURFACE = np.linalg.pinv(_TERMS)  # values at the pattern → coefficients of 1, x, y, x², y², xy
_Y_BOUNDS = (2 * math.log(TIMESCALE_BOUNDS_DAYS[0]), 2 * math.log(TIMESCALE_BOUNDS_DAYS[1]))


@njit(cache=True, nogil=True, error_model="numpy")
def begin(
    search: NDArray[np.float64],
    flux_njy: NDArray[np.float64],
    variance_njy2: NDArray[np.float64],
    start_x: float,
    start_y: float,
) -> None:
    """Set the search up for one light curve (at least one point); a finite start skips the scan."""
    n, weight, square, noise, largest = len(flux_njy), 0.0, 0.0, 0.0, 0.0
    for i in range(n):
        weight += 1.0 / variance_njy2[i]
        square += flux_njy[i] * flux_njy[i] / n
        noise += variance_njy2[i] / n
        largest = max(largest, flux_njy[i] * flux_njy[i], variance_njy2[i])
    search[:] = 0.0
    search[X_LOW] = math.log(AMPLITUDE_FLOOR_IN_ERRORS**2 / weight)
    search[X_HIGH] = math.log(AMPLITUDE_CEILING_IN_FLUXES**2 * largest)
    search[Y_LOW], search[Y_HIGH] = _Y_BOUNDS
    search[BEST] = -np.inf
    warm = math.isfinite(start_x) and math.isfinite(start_y)
    if warm:
        search[X] = min(max(start_x, search[X_LOW]), search[X_HIGH])
        search[Y] = min(max(start_y, search[Y_LOW]), search[Y_HIGH])
    else:
        search[X] = math.log(max(square - noise, 0.01 * (square + noise)))
    search[SCAN] = 0.0 if warm else 1.0
    search[HALF] = WARM if warm else WIDE
    search[STATUS] = RUNNING if math.isfinite(search[X] + search[X_LOW] + search[X_HIGH]) else FAILED


@njit(cache=True, nogil=True, error_model="numpy")
def propose(search: NDArray[np.float64], trial_x: NDArray[np.float64], trial_y: NDArray[np.float64]) -> None:
    """Write the next eight trial points."""
    for k in range(TRIALS):
        if search[SCAN] > 0.0:
            x = search[X] + 2.0 * math.log(SCAN_AMPLITUDES[k % 2])
            trial_x[k] = min(max(x, search[X_LOW]), search[X_HIGH])
            trial_y[k] = 2.0 * math.log(SCAN_TIMESCALES_DAYS[k // 2])
        else:
            trial_x[k] = search[X] + search[HALF] * _PATTERN[k, 0]
            trial_y[k] = search[Y] + search[HALF] * _PATTERN[k, 1]


@njit(cache=True, nogil=True, error_model="numpy")
def advance(
    search: NDArray[np.float64],
    trial_x: NDArray[np.float64],
    trial_y: NDArray[np.float64],
    value: NDArray[np.float64],
) -> None:
    """Learn from the log-likelihoods of the eight trial points, and move; sets STATUS when the search is over."""
    best_before = search[BEST]
    for k in range(TRIALS):
        if math.isfinite(value[k]) and value[k] > search[BEST] and _inside(search, trial_x[k], trial_y[k]):
            search[BEST], search[BEST_X], search[BEST_Y] = value[k], trial_x[k], trial_y[k]
    search[ROUNDS] += 1.0
    if search[BEST] == -np.inf or search[ROUNDS] > MAX_ROUNDS:
        search[STATUS] = FAILED
        return
    if search[SCAN] > 0.0:
        search[SCAN] = 0.0
        search[X], search[Y] = search[BEST_X], search[BEST_Y]
        return
    worse = not math.isfinite(value.sum()) or value[0] < best_before - 1e-9 * abs(best_before)
    if worse and search[BEST] <= best_before:  # the last step was bad, and nothing around its end is better
        search[X], search[Y] = search[BEST_X], search[BEST_Y]
        search[HALF] = max(0.4 * search[HALF], 0.25 * NARROW)
        return
    _climb(search, value)


@njit(cache=True, nogil=True, error_model="numpy")
def _climb(search: NDArray[np.float64], value: NDArray[np.float64]) -> None:
    half = search[HALF]
    surface = np.zeros(6)
    for i in range(6):
        for k in range(TRIALS):
            surface[i] += _SURFACE[i, k] * (value[k] - value[0])
    low_x, high_x = max(-REACH, (search[X_LOW] - search[X]) / half), min(REACH, (search[X_HIGH] - search[X]) / half)
    low_y, high_y = max(-REACH, (search[Y_LOW] - search[Y]) / half), min(REACH, (search[Y_HIGH] - search[Y]) / half)
    step_x, step_y = highest(surface, low_x, high_x, low_y, high_y)
    gain = _height(surface, step_x, step_y) - surface[0]
    if search[BEST] - value[0] > gain + SURPRISE:
        search[X], search[Y] = search[BEST_X], search[BEST_Y]
        search[HALF] = max(0.6 * half, NARROW)
        return
    search[X] = min(max(search[X] + half * step_x, search[X_LOW]), search[X_HIGH])
    search[Y] = min(max(search[Y] + half * step_y, search[Y_LOW]), search[Y_HIGH])
    if gain < GAIN_TOLERANCE and half <= 2.5 * NARROW:
        search[STATUS] = CONVERGED
    elif max(abs(step_x), abs(step_y)) < 1.0 or gain < GAIN_TOLERANCE:
        search[HALF] = max(0.35 * half, NARROW)


@njit(cache=True, nogil=True, error_model="numpy")
def highest(
    surface: NDArray[np.float64], low_x: float, high_x: float, low_y: float, high_y: float
) -> tuple[float, float]:
    """The highest point of a quadratic surface inside a box: the summit if it lies inside, else the best of the
    edges."""
    c, gx, gy, hxx, hyy, hxy = surface[0], surface[1], surface[2], surface[3], surface[4], surface[5]
    determinant = 4.0 * hxx * hyy - hxy * hxy
    if hxx < 0.0 and determinant > 0.0:
        x, y = (hxy * gy - 2.0 * hyy * gx) / determinant, (hxy * gx - 2.0 * hxx * gy) / determinant
        if low_x <= x <= high_x and low_y <= y <= high_y:
            return x, y
    best, best_x, best_y = -np.inf, 0.0, 0.0
    for edge in range(4):
        if edge < 2:
            x = low_x if edge == 0 else high_x
            y = _highest_on_line(gy + hxy * x, hyy, low_y, high_y)
        else:
            y = low_y if edge == 2 else high_y
            x = _highest_on_line(gx + hxy * y, hxx, low_x, high_x)
        height = c + gx * x + gy * y + hxx * x * x + hyy * y * y + hxy * x * y
        if height > best:
            best, best_x, best_y = height, x, y
    return best_x, best_y


@njit(cache=True, nogil=True, error_model="numpy")
def _highest_on_line(slope: float, curvature: float, low: float, high: float) -> float:
    if curvature < 0.0:
        return min(max(-0.5 * slope / curvature, low), high)
    return high if slope * (high - low) + curvature * (high * high - low * low) > 0.0 else low


@njit(cache=True, nogil=True, error_model="numpy")
def _height(surface: NDArray[np.float64], x: float, y: float) -> float:
    plane = surface[0] + surface[1] * x + surface[2] * y
    return plane + surface[3] * x * x + surface[4] * y * y + surface[5] * x * y


@njit(cache=True, nogil=True, error_model="numpy")
def _inside(search: NDArray[np.float64], x: float, y: float) -> bool:
    return search[X_LOW] <= x <= search[X_HIGH] and search[Y_LOW] <= y <= search[Y_HIGH]
