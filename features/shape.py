"""The shape of the light curve so far, from the Gaussian process in r: peak, rise, decline, slope, width,
repetition."""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from features.definition import ASINH_FLUX, DAYS, FLUX_SOFTENING_NJY, NUMBER, PER_DAY, Feature
from features.grid import GridFlux
from schemas.light_curves import BANDS, LightCurves

_BLOCK = "shape"
_BOONE = "arXiv:1907.04690"
_G, _R, _I = BANDS.index("g"), BANDS.index("r"), BANDS.index("i")
FEATURES = (
    Feature("peak_flux", ASINH_FLUX, _BLOCK, 1, "Largest flux so far.", _BOONE),
    Feature("days_since_peak", DAYS, _BLOCK, 1, "From that peak to the alert.", _BOONE),
    Feature(
        "rise_days",
        DAYS,
        _BLOCK,
        2,
        "From half the peak flux up to the peak; missing where the rise was not seen or the peak is negative.",
        _BOONE,
    ),
    Feature("decline_days", DAYS, _BLOCK, 2, "From the peak down to half its flux; missing until then.", _BOONE),
    Feature("width_days", DAYS, _BLOCK, 2, "Total time above half the peak flux."),
    Feature("now_over_peak", NUMBER, _BLOCK, 1, "Flux at the alert over the largest absolute flux so far, -1 to 1."),
    Feature("slope_now", PER_DAY, _BLOCK, 2, "Slope at the alert over the largest absolute flux."),
    Feature("max_rise_rate", PER_DAY, _BLOCK, 2, "Steepest rise over the largest absolute flux, asinh."),
    Feature("max_decline_rate", PER_DAY, _BLOCK, 2, "Steepest decline over the largest absolute flux, asinh."),
    Feature(
        "balance",
        NUMBER,
        _BLOCK,
        2,
        "(maximum + minimum) / (maximum - minimum): 1 for a transient, 0 for a flux that varies both ways.",
        _BOONE,
    ),
    Feature(
        "level_crossings",
        NUMBER,
        _BLOCK,
        2,
        "How often the flux crosses the middle between its maximum and its minimum.",
    ),
    Feature("mean_level", NUMBER, _BLOCK, 2, "Mean flux over time within the range from minimum (0) to maximum (1)."),
    Feature("peak_lag", DAYS, _BLOCK, 2, "Time of the peak in i after that in g; missing without points in both."),
    Feature(
        "width_ratio",
        NUMBER,
        _BLOCK,
        2,
        "log10 of the time above half the peak in i over that in g; missing without points in both.",
    ),
)


def columns(curves: LightCurves, grid: GridFlux) -> NDArray[np.float64]:
    """Measure the block: (n, features)."""
    out = np.full((len(curves), len(FEATURES)), np.nan)
    seen = np.zeros((len(curves), len(BANDS)), np.bool_)
    seen[curves.alert_of_point, curves.band] = True
    _measure(grid.time_mjd, grid.mean_njy, seen, out)
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def _measure(
    time: NDArray[np.float64], mean: NDArray[np.float64], seen: NDArray[np.bool_], out: NDArray[np.float64]
) -> None:
    last = time.shape[1] - 1
    for i in range(len(time)):
        row, t, flux = out[i], time[i], mean[i, _R]
        if not math.isfinite(flux[last]):
            continue
        peak, low = np.argmax(flux), flux.min()
        high, largest = flux[peak], np.abs(flux).max()
        row[0], row[1] = math.asinh(high / FLUX_SOFTENING_NJY), t[last] - t[peak]
        if high > 0.0:
            row[2], row[3] = _days_to_half(t, flux, peak, -1), _days_to_half(t, flux, peak, 1)
        row[4] = _days_above(t, flux, 0.5 * high) if high > 0.0 else np.nan
        row[5] = flux[last] / largest if largest > 0.0 else np.nan
        if t[last] > t[0] and largest > 0.0:
            _measure_slopes(t, flux, low, high, largest, row)
        if seen[i, _G] and seen[i, _I]:
            blue, red = mean[i, _G], mean[i, _I]
            peak_blue, peak_red = np.argmax(blue), np.argmax(red)
            row[12] = t[peak_red] - t[peak_blue]
            width_blue, width_red = (
                _days_above(t, blue, 0.5 * blue[peak_blue]),
                _days_above(t, red, 0.5 * red[peak_red]),
            )
            if blue[peak_blue] > 0.0 and red[peak_red] > 0.0 and width_blue > 0.0 and width_red > 0.0:
                row[13] = math.log10(width_red / width_blue)


@njit(cache=True, nogil=True, error_model="numpy")
def _measure_slopes(
    t: NDArray[np.float64], flux: NDArray[np.float64], low: float, high: float, largest: float, row: NDArray[np.float64]
) -> None:
    last, middle = len(t) - 1, 0.5 * (low + high)
    steepest_up, steepest_down, crossings, area = 0.0, 0.0, 0, 0.0
    slope = 0.0
    for j in range(last):
        step = t[j + 1] - t[j]
        slope = (flux[j + 1] - flux[j]) / (step * largest)
        steepest_up, steepest_down = max(steepest_up, slope), max(steepest_down, -slope)
        crossings += (flux[j] > middle) != (flux[j + 1] > middle)
        area += 0.5 * (flux[j] + flux[j + 1]) * step
    row[6], row[7], row[8] = slope, math.asinh(steepest_up), math.asinh(steepest_down)
    if high > low:
        row[9], row[10] = (high + low) / (high - low), crossings
        row[11] = (area / (t[last] - t[0]) - low) / (high - low)


@njit(cache=True, nogil=True, error_model="numpy")
def _days_to_half(t: NDArray[np.float64], flux: NDArray[np.float64], peak: np.integer, direction: int) -> float:
    """Time from the peak to the nearest crossing of half its flux, backwards or forwards; NaN where there is none."""
    half, j = 0.5 * flux[peak], peak
    while 0 <= j + direction < len(t):
        j += direction
        if flux[j] < half:
            before = flux[j - direction]
            part = (before - half) / (before - flux[j])
            return abs(t[j - direction] + part * (t[j] - t[j - direction]) - t[peak])
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
