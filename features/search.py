"""Search for the maximum of the likelihood over log amplitude² and log timescale², eight trial points at a time.

Without a start, four rounds scan eight timescales and three amplitudes, and large amplitudes at short timescales.
Then a quadratic surface is fitted to eight points around the best place by least squares. The search moves to the
highest point of the surface inside the bounds and inside the region where the surface was fitted; the pattern of points
shrinks with the steps. Trial points may lie just outside the bounds, where the likelihood is equally well defined; the
result never does.

The likelihood can have several maxima. The search also climbs a second one if it may be higher: one that the scan
found, or one on the other side of the dip that fast variables have near a day. A start skips the scan. The scan is done
after all if the climb goes far, takes long or ends at a bound, or if a check of all timescales from the maximum finds
another.

There are eight trial points because a backend may evaluate them in parallel. The state of the search is one small
array, so that compiled backends can use it in their loops without calls to Python.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from features.kernel import AMPLITUDE_CEILING_IN_FLUXES, AMPLITUDE_FLOOR_IN_ERRORS, TIMESCALE_BOUNDS_DAYS

TRIALS = 8
"""Trial points per round."""

# Places in the search's array. x is log amplitude² (nJy²), y is log timescale² (days²). START: where it began, or NaN.
X, Y, HALF, BEST_X, BEST_Y, BEST, X_LOW, X_HIGH, Y_LOW, Y_HIGH, ROUNDS, CLIMBED, STATUS = range(13)
SCAN, CENTRE, START_X, START_Y, TOP_X, TOP_Y, TOP, NEXT_X, NEXT_Y, NEXT, DIP, LOOK, SCANNED = range(13, 26)
RUNNING, CONVERGED, FAILED = 0.0, 1.0, 2.0

MAX_ROUNDS = 60
SCAN_TIMESCALES_DAYS = (0.3, 0.9, 2.5, 7.0, 20.0, 55.0, 160.0, 500.0)
SCAN_AMPLITUDES = (0.45, 1.1, 2.7)  # in units of the root mean square flux above the noise
WILD_AMPLITUDES = (6.0, 1.25, 6.0, 1.25)  # in units of the largest flux: a few wild points can ask for as much ...
WILD_TIMESCALES_DAYS = (0.3, 1.0, 4.0, 25.0)
QUIET_AMPLITUDE = 0.2  # ... and where most is noise, the process is as weak as this, in units of SCAN_AMPLITUDES ...
QUIET_TIMESCALES_DAYS = (3.0, 10.0, 30.0, 100.0)
WILD = 4
SCANS = len(SCAN_AMPLITUDES) + 1
SIZE = SCANNED + SCANS * TRIALS
WIDE, NARROW, WARM = 0.6, 0.1, 0.25  # half-widths of the pattern, in log amplitude² and log timescale²
REACH = 2.5  # how far, in half-widths, the quadratic surface is trusted
GAIN_TOLERANCE = 1e-3  # natural log of the likelihood: a difference of a thousandth is not significant
EXACT = 3e-3  # a surface within this of all trial points is trusted on the maximum inside
SURPRISE = 0.05  # a trial point that is higher than the surface by this much is followed instead
RIVAL = 6.0  # a second maximum of the scan is climbed if it is at most this far below the first
DIP_DAYS = 4.0  # maxima below this may have another on the far side of the dip ...
DIP_SIDES_DAYS = (0.3, 1.8)  # ... found from one of these
WARM_ROUNDS, WARM_REACH = 5, 1.0  # a start is discarded after this many rounds, or this far away (log², either way)
LOOK_TIMESCALES_DAYS = (0.3, 0.8, 2.5, 8.0, 30.0, 150.0, 1000.0)  # for the check of the maximum that a start led to ...
LOOK_OUTLIER = (6.0, 0.3)  # ... with an amplitude in units of the largest flux at a timescale in days
LOOK_RIVAL = 3.0  # a second maximum at most this far below the first one requires a scan

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
    search[CENTRE] = math.log(max(square - noise, 0.01 * (square + noise)))
    search[BEST] = search[TOP] = search[NEXT] = -np.inf
    search[START_X], search[START_Y] = start_x, start_y
    if math.isfinite(start_x) and math.isfinite(start_y):
        _climb_from(search, start_x, start_y, WARM)
    else:
        search[START_X], search[X], search[SCAN] = np.nan, search[CENTRE], SCANS
    search[STATUS] = RUNNING if math.isfinite(search[X] + search[X_LOW] + search[X_HIGH]) else FAILED


@njit(cache=True, nogil=True, error_model="numpy")
def _climb_from(search: NDArray[np.float64], x: float, y: float, half: float) -> None:
    search[X] = min(max(x, search[X_LOW]), search[X_HIGH])
    search[Y] = min(max(y, search[Y_LOW]), search[Y_HIGH])
    search[HALF], search[BEST], search[CLIMBED] = half, -np.inf, 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def propose(search: NDArray[np.float64], trial_x: NDArray[np.float64], trial_y: NDArray[np.float64]) -> None:
    """Write the next eight trial points."""
    stage = SCANS - int(search[SCAN])
    for k in range(TRIALS):
        if stage < SCANS - 1:
            trial_x[k] = search[CENTRE] + 2.0 * math.log(SCAN_AMPLITUDES[stage])
            trial_y[k] = 2.0 * math.log(SCAN_TIMESCALES_DAYS[k])
        elif search[LOOK] == 1.0:
            _look(search, trial_x, trial_y)
            return
        elif stage == SCANS - 1:
            if k < WILD:
                trial_x[k] = search[X_HIGH] + 2.0 * math.log(WILD_AMPLITUDES[k] / AMPLITUDE_CEILING_IN_FLUXES)
                trial_y[k] = 2.0 * math.log(WILD_TIMESCALES_DAYS[k])
            else:
                trial_x[k] = search[CENTRE] + 2.0 * math.log(QUIET_AMPLITUDE)
                trial_y[k] = 2.0 * math.log(QUIET_TIMESCALES_DAYS[k - WILD])
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
    """Update the search with the log-likelihoods of the eight trial points; sets STATUS when the search is over."""
    search[ROUNDS] += 1.0
    if search[SCAN] > 0.0:
        _scan(search, trial_x, trial_y, value)
        return
    if search[LOOK] == 1.0:
        _judge_summit(search, value)
        return
    search[CLIMBED] += 1.0
    best_before = search[BEST]
    for k in range(TRIALS):
        if math.isfinite(value[k]) and value[k] > search[BEST] and _inside(search, trial_x[k], trial_y[k]):
            search[BEST], search[BEST_X], search[BEST_Y] = value[k], trial_x[k], trial_y[k]
    if search[BEST] == -np.inf or search[ROUNDS] > MAX_ROUNDS:
        search[STATUS] = FAILED
        return
    worse = not math.isfinite(value.sum()) or value[0] < best_before - 1e-9 * abs(best_before)
    if worse and search[BEST] <= best_before:  # the last step went down, and no point around its end is higher
        search[X], search[Y] = search[BEST_X], search[BEST_Y]
        if search[HALF] < 0.3 * NARROW:  # nor any point close enough to matter
            search[STATUS] = CONVERGED
        search[HALF] = max(0.4 * search[HALF], 0.25 * NARROW)
    else:
        _climb(search, value)
    if math.isfinite(search[START_X]):
        _judge_start(search)
    if search[STATUS] == CONVERGED:
        _try_another(search)


@njit(cache=True, nogil=True, error_model="numpy")
def _scan(
    search: NDArray[np.float64],
    trial_x: NDArray[np.float64],
    trial_y: NDArray[np.float64],
    value: NDArray[np.float64],
) -> None:
    """Store a round of the scan; after the last, choose where to climb."""
    stage = SCANS - int(search[SCAN])
    for k in range(TRIALS):
        search[SCANNED + stage * TRIALS + k] = value[k] if math.isfinite(value[k]) else -np.inf
    search[SCAN] -= 1.0
    if search[SCAN] > 0.0:
        return
    place_x, height = np.empty(TRIALS), np.empty(TRIALS)
    first = _ridge(search, place_x, height)
    wild = np.argmax(value)
    if not math.isfinite(max(height[first], value[wild])):
        search[STATUS] = FAILED
        return
    for j in range(TRIALS):
        low, high = height[max(j - 1, 0)], height[min(j + 1, TRIALS - 1)]
        if j != first and height[j] >= low and height[j] >= high and height[j] > search[NEXT]:
            search[NEXT], search[NEXT_X], search[NEXT_Y] = (
                height[j],
                place_x[j],
                2.0 * math.log(SCAN_TIMESCALES_DAYS[j]),
            )
    if value[wild] > height[first]:
        search[NEXT], search[NEXT_X] = height[first], place_x[first]
        search[NEXT_Y] = 2.0 * math.log(SCAN_TIMESCALES_DAYS[first])
        _climb_from(search, trial_x[wild], trial_y[wild], WIDE)
        return
    if value[wild] > search[NEXT]:
        search[NEXT], search[NEXT_X], search[NEXT_Y] = value[wild], trial_x[wild], trial_y[wild]
    x, y = _between(place_x, height, first)
    _climb_from(search, x, y, WIDE)


@njit(cache=True, nogil=True, error_model="numpy")
def _ridge(search: NDArray[np.float64], place_x: NDArray[np.float64], height: NDArray[np.float64]) -> int:
    """For each scanned timescale the best amplitude and its log-likelihood, from a parabola through three amplitudes;
    returns the best of all."""
    apart = math.log(SCAN_AMPLITUDES[2] / SCAN_AMPLITUDES[0])
    for j in range(TRIALS):
        a, b, c = search[SCANNED + j], search[SCANNED + TRIALS + j], search[SCANNED + 2 * TRIALS + j]
        bend = a - 2.0 * b + c
        step = 1.0 if c > a else -1.0
        if bend < 0.0 and math.isfinite(bend):
            step = min(max(0.5 * (a - c) / bend, -1.0), 1.0)
        place_x[j] = search[CENTRE] + 2.0 * math.log(SCAN_AMPLITUDES[1]) + step * apart
        height[j] = max(a, b, c)
        if math.isfinite(bend):
            height[j] = max(height[j], b + 0.5 * step * (c - a + bend * step))
    return int(np.argmax(height))


@njit(cache=True, nogil=True, error_model="numpy")
def _between(place_x: NDArray[np.float64], height: NDArray[np.float64], first: int) -> tuple[float, float]:
    """The maximum of a parabola through the best scanned timescale and its neighbours."""
    x, y = place_x[first], 2.0 * math.log(SCAN_TIMESCALES_DAYS[first])
    if first == 0 or first == TRIALS - 1:
        return x, y
    low, high = height[first - 1], height[first + 1]
    bend = low - 2.0 * height[first] + high
    if not (bend < 0.0 and math.isfinite(bend)):
        return x, y
    step = 0.5 * (low - high) / bend
    other = first + 1 if step > 0.0 else first - 1
    y_other = 2.0 * math.log(SCAN_TIMESCALES_DAYS[other])
    return x + abs(step) * (place_x[other] - x), y + abs(step) * (y_other - y)


@njit(cache=True, nogil=True, error_model="numpy")
def _judge_start(search: NDArray[np.float64]) -> None:
    """Discard a start and scan, if the climb from it goes far, takes long, or ends at a bound of the timescale where it
    did not begin."""
    ended = search[STATUS] == CONVERGED
    far = max(abs(search[X] - search[START_X]), abs(search[Y] - search[START_Y])) > WARM_REACH
    edge = ended and (search[Y] <= search[Y_LOW] or search[Y] >= search[Y_HIGH])
    edge = edge and abs(search[Y] - search[START_Y]) > 1e-6
    if far or edge or (not ended and search[CLIMBED] >= WARM_ROUNDS):
        search[START_X] = np.nan
        search[STATUS] = RUNNING
        search[SCAN] = SCANS


@njit(cache=True, nogil=True, error_model="numpy")
def _look(search: NDArray[np.float64], trial_x: NDArray[np.float64], trial_y: NDArray[np.float64]) -> None:
    """Trial points over all timescales, from the maximum that a start led to: seven on the ridge, one for outliers."""
    for k in range(TRIALS - 1):
        trial_x[k] = max(search[TOP_X], search[CENTRE] + 2.0 * math.log(SCAN_AMPLITUDES[1]))
        trial_y[k] = 2.0 * math.log(LOOK_TIMESCALES_DAYS[k])
    trial_x[-1] = search[X_HIGH] + 2.0 * math.log(LOOK_OUTLIER[0] / AMPLITUDE_CEILING_IN_FLUXES)
    trial_y[-1] = 2.0 * math.log(LOOK_OUTLIER[1])


@njit(cache=True, nogil=True, error_model="numpy")
def _judge_summit(search: NDArray[np.float64], value: NDArray[np.float64]) -> None:
    """Discard a start and scan, if the ridge rises again beyond a dip, or any trial point is higher than the
    maximum."""
    search[LOOK] = 2.0
    rival = value[TRIALS - 1] > search[TOP]
    last = TRIALS - 2
    for j in range(last + 1):
        apart = 2.0 * math.log(LOOK_TIMESCALES_DAYS[j]) - search[TOP_Y]
        inward = j - 1 if apart > 0.0 else j + 1
        between = 0 <= inward <= last and (2.0 * math.log(LOOK_TIMESCALES_DAYS[inward]) - search[TOP_Y]) * apart > 0.0
        rises = between and value[j] > value[inward]
        rival = rival or value[j] > search[TOP] or (rises and value[j] > search[TOP] - LOOK_RIVAL)
    if rival:
        search[START_X], search[SCAN] = np.nan, SCANS
        search[STATUS] = RUNNING
    else:
        search[STATUS] = CONVERGED
        _try_another(search)


@njit(cache=True, nogil=True, error_model="numpy")
def _try_another(search: NDArray[np.float64]) -> None:
    """At a maximum: climb another that may be higher, or end at the highest."""
    if search[BEST] > search[TOP]:
        search[TOP], search[TOP_X], search[TOP_Y] = search[BEST], search[X], search[Y]
    if search[NEXT] > search[TOP] - RIVAL:
        search[NEXT], search[STATUS] = -np.inf, RUNNING
        _climb_from(search, search[NEXT_X], search[NEXT_Y], WIDE)
    elif search[LOOK] == 0.0 and math.isfinite(search[START_X]):
        search[LOOK], search[STATUS] = 1.0, RUNNING
    elif search[DIP] == 0.0 and search[TOP_Y] < 2.0 * math.log(DIP_DAYS) and not math.isfinite(search[START_X]):
        low, high = 2.0 * math.log(DIP_SIDES_DAYS[0]), 2.0 * math.log(DIP_SIDES_DAYS[1])
        search[DIP], search[STATUS] = 1.0, RUNNING
        _climb_from(search, search[TOP_X], low if search[TOP_Y] > 0.5 * (low + high) else high, WIDE)
    else:
        search[X], search[Y] = search[TOP_X], search[TOP_Y]


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
        search[HALF] = max(0.6 * half, min(half, NARROW))
        return
    search[X] = min(max(search[X] + half * step_x, search[X_LOW]), search[X_HIGH])
    search[Y] = min(max(search[Y] + half * step_y, search[Y_LOW]), search[Y_HIGH])
    sound = max(abs(step_x), abs(step_y)) <= 1.0 and _misfit(surface, value) < EXACT
    if sound or (gain < GAIN_TOLERANCE and half <= 2.5 * NARROW):
        search[STATUS] = CONVERGED
    elif max(abs(step_x), abs(step_y)) < 1.0 or gain < GAIN_TOLERANCE:
        search[HALF] = max(0.35 * half, min(half, NARROW))


@njit(cache=True, nogil=True, error_model="numpy")
def _misfit(surface: NDArray[np.float64], value: NDArray[np.float64]) -> float:
    """The largest difference of the surface from a trial point."""
    most = 0.0
    for k in range(TRIALS):
        most = max(most, abs(value[k] - value[0] - _height(surface, _PATTERN[k, 0], _PATTERN[k, 1])))
    return most


@njit(cache=True, nogil=True, error_model="numpy")
def highest(
    surface: NDArray[np.float64], low_x: float, high_x: float, low_y: float, high_y: float
) -> tuple[float, float]:
    """The highest point of a quadratic surface inside a box: its maximum if that is inside, otherwise the best point of
    the edges."""
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
