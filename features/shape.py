"""The shape of the light curve so far, from the Gaussian process in r: peak, rise, decline, slope, width,
repetition; and the difference in shape between g and i.

Times from the peak to 0.5 and 0.2 of its flux, and the flux at fixed times from the peak, follow the positive-width
and fraction features of Boone 2019 (arXiv:1907.04690). The process is used up to the alert only.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from features.colour import typical_error
from features.definition import (
    ANY,
    ASINH_FLUX,
    DAYS,
    FLUX_SOFTENING_NJY,
    FRACTION,
    NUMBER,
    PER_DAY,
    PER_DAY_SQUARED,
    POSITIVE,
    SIGNED_FRACTION,
    Feature,
    columns_by_name,
)
from features.grid import LEAST_PEAK, GridFlux
from schemas.light_curves import BANDS, LightCurves

_BLOCK = "shape"
_BOONE = "arXiv:1907.04690"
_G, _R, _I = BANDS.index("g"), BANDS.index("r"), BANDS.index("i")
PHASES_DAYS = (-20.0, -10.0, -5.0, 5.0, 10.0, 20.0, 40.0, 80.0)
"""Times from the peak at which the flux is a feature: the rise and the first months of supernovae."""

CURVATURE_DAYS = 5.0
"""The curvature is the change of slope over this time, days: the process has no second derivative at its points."""

_PHASES = np.array(PHASES_DAYS)
_POSITIVE_PEAK = "the rise was not seen or the peak is negative"


def _feature(
    name: str,
    unit: str,
    points: int,
    range_: tuple[float, float],
    description: str,
    source: str = "",
    bands: str = "",
) -> Feature:
    return Feature(name, unit, _BLOCK, points, description, source, range_, bands)


def phase_name(days: float) -> str:
    """Name of the flux this many days after the peak, of :data:`PHASES_DAYS`."""
    return f"flux_{abs(days):.0f}_days_{'before' if days < 0 else 'after'}_peak"


def _phase(days: float) -> Feature:
    name = phase_name(days)
    return _feature(
        name,
        NUMBER,
        2,
        (-np.inf, 1.0),
        f"{name.replace('_', ' ').capitalize()} over the peak flux; missing where that is not yet or was not seen.",
        _BOONE,
    )


FEATURES = (
    _feature("peak_flux", ASINH_FLUX, 1, ANY, "Largest flux so far.", _BOONE),
    _feature("days_since_peak", DAYS, 1, POSITIVE, "From that peak to the alert.", _BOONE),
    _feature(
        "rise_days",
        DAYS,
        2,
        POSITIVE,
        f"From half the peak flux up to the peak; missing where {_POSITIVE_PEAK}.",
        _BOONE,
    ),
    _feature("decline_days", DAYS, 2, POSITIVE, "From the peak down to half its flux; missing until then.", _BOONE),
    _feature("width_days", DAYS, 2, POSITIVE, "Total time above half the peak flux; missing for a negative peak."),
    _feature(
        "now_over_peak",
        NUMBER,
        1,
        SIGNED_FRACTION,
        "Flux at the alert over the largest absolute flux so far, -1 to 1.",
    ),
    _feature("slope_now", PER_DAY, 2, ANY, "Slope at the alert over the largest absolute flux."),
    _feature("max_rise_rate", PER_DAY, 2, POSITIVE, "Steepest rise over the largest absolute flux, asinh."),
    _feature("max_decline_rate", PER_DAY, 2, POSITIVE, "Steepest decline over the largest absolute flux, asinh."),
    _feature(
        "balance",
        NUMBER,
        2,
        ANY,
        "(maximum + minimum) / (maximum - minimum): 1 for a transient, 0 for a flux that varies both ways.",
        _BOONE,
    ),
    _feature(
        "level_crossings",
        NUMBER,
        2,
        POSITIVE,
        "How often the flux crosses the middle between its maximum and its minimum.",
    ),
    _feature(
        "mean_level", NUMBER, 2, FRACTION, "Mean flux over time within the range from minimum (0) to maximum (1)."
    ),
    _feature(
        "peak_lag", DAYS, 2, ANY, "Time of the peak in i after that in g; missing without points in both.", "", "gi"
    ),
    _feature(
        "width_ratio",
        NUMBER,
        2,
        ANY,
        "log10 of the time above half the peak in i over that in g; missing without points in both.",
        "",
        "gi",
    ),
    _feature(
        "rise_days_20",
        DAYS,
        2,
        POSITIVE,
        f"From a fifth of the peak flux up to the peak; missing where {_POSITIVE_PEAK}.",
        _BOONE,
    ),
    _feature(
        "decline_days_20", DAYS, 2, POSITIVE, "From the peak down to a fifth of its flux; missing until then.", _BOONE
    ),
    _feature(
        "width_days_20", DAYS, 2, POSITIVE, "Total time above a fifth of the peak flux; missing for a negative peak."
    ),
    _feature(
        "log_decline_over_rise",
        NUMBER,
        2,
        ANY,
        "log10 of the decline over the rise, both to half the peak flux; missing until both were seen.",
    ),
    _feature(
        "rise_form",
        NUMBER,
        2,
        POSITIVE,
        "log10 of the rise from a fifth over the rise from half: 0.30 for a straight line, 0.37 for an exponential.",
    ),
    _feature(
        "decline_form",
        NUMBER,
        2,
        POSITIVE,
        "log10 of the decline to a fifth over the decline to half: 0.20 for a straight line, 0.37 for an exponential.",
    ),
    _feature(
        "equivalent_width_days",
        DAYS,
        2,
        POSITIVE,
        "Area of the positive flux over time divided by the peak flux; missing for a negative peak.",
    ),
    _feature(
        "centroid_lag_days",
        DAYS,
        2,
        ANY,
        "Mean time of the positive flux after the peak; missing for a negative peak.",
    ),
    _feature("n_peaks", NUMBER, 2, POSITIVE, "Local maxima above half the peak flux; missing for a negative peak."),
    _feature("days_since_steepest_rise", DAYS, 2, POSITIVE, "From the steepest rise to the alert."),
    _feature(
        "curvature_now",
        PER_DAY_SQUARED,
        2,
        ANY,
        "Change of the slope over the last 5 days over the largest absolute flux; missing in the first 5 days.",
    ),
    _feature("peak_over_error", NUMBER, 1, ANY, "asinh of the peak flux over the typical error of the points."),
    _feature(
        "slope_difference_now",
        PER_DAY,
        2,
        ANY,
        "Slope at the alert in g less that in i, each over its own largest absolute flux; missing without both.",
        "",
        "gi",
    ),
    _feature(
        "decline_ratio",
        NUMBER,
        2,
        ANY,
        "log10 of the decline to half the peak flux in i over that in g; missing until both were seen.",
        "",
        "gi",
    ),
    *(_phase(days) for days in PHASES_DAYS),
)
COLUMN = columns_by_name(FEATURES)
_FIRST_PHASE = getattr(COLUMN, phase_name(PHASES_DAYS[0]))


def columns(curves: LightCurves, grid: GridFlux) -> NDArray[np.float64]:
    """Measure the block: (n, features)."""
    out = np.full((len(curves), len(FEATURES)), np.nan)
    seen = np.zeros((len(curves), len(BANDS)), np.bool_)
    seen[curves.alert_of_point, curves.band] = True
    _measure(grid.time_mjd, grid.mean_njy, seen, typical_error(curves), out)
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def _measure(
    time: NDArray[np.float64],
    mean: NDArray[np.float64],
    seen: NDArray[np.bool_],
    error: NDArray[np.float64],
    out: NDArray[np.float64],
) -> None:
    last = time.shape[1] - 1
    for i in range(len(time)):
        row, t, flux = out[i], time[i], mean[i, _R]
        if not math.isfinite(flux[last]):
            continue
        peak, low = int(np.argmax(flux)), flux.min()
        high, largest = flux[peak], np.abs(flux).max()
        row[COLUMN.peak_flux], row[COLUMN.days_since_peak] = math.asinh(high / FLUX_SOFTENING_NJY), t[last] - t[peak]
        row[COLUMN.now_over_peak] = flux[last] / largest if largest > 0.0 else np.nan
        row[COLUMN.peak_over_error] = math.asinh(high / error[i])
        if high > LEAST_PEAK * largest:
            _measure_peak(t, flux, peak, row)
        if t[last] > t[0] and largest > 0.0:
            _measure_slopes(t, flux, low, high, largest, row)
        if seen[i, _G] and seen[i, _I]:
            _compare(t, mean[i, _G], mean[i, _I], row)


@njit(cache=True, nogil=True, error_model="numpy")
def _measure_peak(t: NDArray[np.float64], flux: NDArray[np.float64], peak: int, row: NDArray[np.float64]) -> None:
    high, last = flux[peak], len(t) - 1
    row[COLUMN.rise_days], row[COLUMN.decline_days] = _days_to(t, flux, peak, 0.5, -1), _days_to(t, flux, peak, 0.5, 1)
    row[COLUMN.rise_days_20] = _days_to(t, flux, peak, 0.2, -1)
    row[COLUMN.decline_days_20] = _days_to(t, flux, peak, 0.2, 1)
    row[COLUMN.width_days] = _days_above(t, flux, 0.5 * high)
    row[COLUMN.width_days_20] = _days_above(t, flux, 0.2 * high)
    row[COLUMN.log_decline_over_rise] = math.log10(row[COLUMN.decline_days] / row[COLUMN.rise_days])
    row[COLUMN.rise_form] = math.log10(row[COLUMN.rise_days_20] / row[COLUMN.rise_days])
    row[COLUMN.decline_form] = math.log10(row[COLUMN.decline_days_20] / row[COLUMN.decline_days])
    area, moment, peaks = 0.0, 0.0, 0
    for j in range(last):
        step = 0.5 * (max(flux[j], 0.0) + max(flux[j + 1], 0.0)) * (t[j + 1] - t[j])
        area, moment = area + step, moment + step * (0.5 * (t[j] + t[j + 1]) - t[peak])
    for j in range(last + 1):
        rising, falling = j == 0 or flux[j] > flux[j - 1], j == last or flux[j] >= flux[j + 1]
        peaks += rising and falling and flux[j] > 0.5 * high
    row[COLUMN.n_peaks] = peaks
    if area > 0.0:
        row[COLUMN.equivalent_width_days], row[COLUMN.centroid_lag_days] = area / high, moment / area
    for k in range(len(_PHASES)):
        row[_FIRST_PHASE + k] = _flux_at(t, flux, t[peak] + _PHASES[k]) / high


@njit(cache=True, nogil=True, error_model="numpy")
def _measure_slopes(
    t: NDArray[np.float64], flux: NDArray[np.float64], low: float, high: float, largest: float, row: NDArray[np.float64]
) -> None:
    last, middle = len(t) - 1, 0.5 * (low + high)
    steepest_up, steepest_down, crossings, area, when = 0.0, 0.0, 0, 0.0, np.nan
    slope, earlier = 0.0, np.nan
    for j in range(last):
        step = t[j + 1] - t[j]
        slope = (flux[j + 1] - flux[j]) / (step * largest)
        if slope > steepest_up:
            steepest_up, when = slope, t[last] - 0.5 * (t[j] + t[j + 1])
        steepest_down = max(steepest_down, -slope)
        crossings += (flux[j] > middle) != (flux[j + 1] > middle)
        area += 0.5 * (flux[j] + flux[j + 1]) * step
        if t[j] <= t[last] - CURVATURE_DAYS:
            earlier = slope
    row[COLUMN.slope_now] = slope
    row[COLUMN.max_rise_rate] = math.asinh(steepest_up)
    row[COLUMN.max_decline_rate] = math.asinh(steepest_down)
    row[COLUMN.days_since_steepest_rise] = when
    row[COLUMN.curvature_now] = (slope - earlier) / CURVATURE_DAYS
    if high > low:
        row[COLUMN.balance], row[COLUMN.level_crossings] = (high + low) / (high - low), crossings
        row[COLUMN.mean_level] = (area / (t[last] - t[0]) - low) / (high - low)


@njit(cache=True, nogil=True, error_model="numpy")
def _compare(
    t: NDArray[np.float64], blue: NDArray[np.float64], red: NDArray[np.float64], row: NDArray[np.float64]
) -> None:
    """Differences in shape between a blue and a red band."""
    peak_blue, peak_red, last = int(np.argmax(blue)), int(np.argmax(red)), len(t) - 1
    row[COLUMN.peak_lag] = t[peak_red] - t[peak_blue]
    large_blue, large_red, step = np.abs(blue).max(), np.abs(red).max(), t[last] - t[last - 1]
    if step > 0.0 and large_blue > 0.0 and large_red > 0.0:
        row[COLUMN.slope_difference_now] = (
            (blue[last] - blue[last - 1]) / large_blue - (red[last] - red[last - 1]) / large_red
        ) / step
    if blue[peak_blue] > LEAST_PEAK * large_blue and red[peak_red] > LEAST_PEAK * large_red:
        width_blue, width_red = _days_above(t, blue, 0.5 * blue[peak_blue]), _days_above(t, red, 0.5 * red[peak_red])
        if width_blue > 0.0 and width_red > 0.0:
            row[COLUMN.width_ratio] = math.log10(width_red / width_blue)
        row[COLUMN.decline_ratio] = math.log10(
            _days_to(t, red, peak_red, 0.5, 1) / _days_to(t, blue, peak_blue, 0.5, 1)
        )


@njit(cache=True, nogil=True, error_model="numpy")
def _days_to(t: NDArray[np.float64], flux: NDArray[np.float64], peak: int, part: float, direction: int) -> float:
    """Time from the peak to the nearest crossing of ``part`` of its flux, backwards or forwards; NaN if there is
    none."""
    level, j = part * flux[peak], peak
    while 0 <= j + direction < len(t):
        j += direction
        if flux[j] < level:
            before = flux[j - direction]
            rest = (before - level) / (before - flux[j])
            return abs(t[j - direction] + rest * (t[j] - t[j - direction]) - t[peak])
    return np.nan


@njit(cache=True, nogil=True, error_model="numpy")
def _days_above(t: NDArray[np.float64], flux: NDArray[np.float64], level: float) -> float:
    """Total time the piecewise linear flux spends above ``level``."""
    total = 0.0
    for j in range(len(t) - 1):
        a, b, step = flux[j] - level, flux[j + 1] - level, t[j + 1] - t[j]
        if a > 0.0 and b > 0.0:
            total += step
        elif a > 0.0 or b > 0.0:
            total += step * max(a, b) / abs(a - b)
    return total


@njit(cache=True, nogil=True, error_model="numpy")
def _flux_at(t: NDArray[np.float64], flux: NDArray[np.float64], when: float) -> float:
    """The piecewise linear flux at a time; NaN outside."""
    if not t[0] <= when <= t[-1]:
        return np.nan
    j = min(max(int(np.searchsorted(t, when)), 1), len(t) - 1)
    step = t[j] - t[j - 1]
    return flux[j - 1] + (flux[j] - flux[j - 1]) * ((when - t[j - 1]) / step if step > 0.0 else 1.0)
