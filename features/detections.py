"""The state of the alert: number of points, times, significance, and the latest point compared with those before.

Measured of the light curve as the survey gave it: every point, the errors as stated.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from features.definition import (
    ANY,
    ASINH_FLUX,
    DAYS,
    FLUX_SOFTENING_NJY,
    FRACTION,
    LOG_DAYS,
    NUMBER,
    POSITIVE,
    SIGNED_FRACTION,
    Feature,
    columns_by_name,
)
from features.grid import GridFlux
from schemas.light_curves import BANDS, LightCurves

NIGHT_DAYS = 0.5
"""Points less than half a day apart belong to one night."""

_BLOCK = "detections"


def _feature(
    name: str, unit: str, points: int, range_: tuple[float, float], description: str, bands: str = ""
) -> Feature:
    return Feature(name, unit, _BLOCK, points, description, range=range_, bands=bands)


FEATURES = (
    _feature("n_points", NUMBER, 0, POSITIVE, "Points of the light curve, detections or not."),
    _feature("n_detections", NUMBER, 0, POSITIVE, "Detections."),
    _feature("duration", DAYS, 1, POSITIVE, "From the first point to the last."),
    _feature(
        "days_since_first_detection",
        DAYS,
        1,
        POSITIVE,
        "From the first detection to the alert; missing without one.",
    ),
    _feature(
        "days_since_non_detection",
        DAYS,
        1,
        POSITIVE,
        "From the last point that is no detection to the alert; missing without one.",
    ),
    _feature(
        "days_limit_to_detection",
        DAYS,
        2,
        POSITIVE,
        "From the last non-detection before the first detection to that detection; missing without both.",
    ),
    _feature("latest_flux", ASINH_FLUX, 1, ANY, "Flux of the latest point."),
    _feature("latest_snr", NUMBER, 1, ANY, "asinh of flux over error of the latest point."),
    *(
        _feature(
            f"max_snr_{band}",
            NUMBER,
            1,
            POSITIVE,
            f"asinh of the largest absolute flux over error in {band}; missing without a point there.",
            band,
        )
        for band in BANDS
    ),
    _feature("n_bands", NUMBER, 0, (0.0, 6.0), "Bands with a point."),
    _feature("n_bands_detected", NUMBER, 0, (0.0, 6.0), "Bands with a detection."),
    _feature("n_nights", NUMBER, 0, POSITIVE, "Nights with a point: groups of points less than half a day apart."),
    _feature(
        "detected_fraction",
        NUMBER,
        1,
        FRACTION,
        "Fraction of the points from the first detection on that are detections; missing without one.",
    ),
    _feature("detection_span", DAYS, 1, POSITIVE, "From the first detection to the last; missing without one."),
    _feature(
        "days_since_previous_night",
        DAYS,
        2,
        POSITIVE,
        "From the latest point of an earlier night to the latest point; missing within the first night.",
    ),
    _feature("log_longest_gap", LOG_DAYS, 2, ANY, "log10 of the longest time between two points, at least 0.001 d."),
    _feature("max_snr", NUMBER, 1, ANY, "asinh of the largest flux over error in any band."),
    _feature("days_since_max_snr", DAYS, 1, POSITIVE, "From the point with the largest flux over error to the alert."),
    _feature("first_detection_flux", ASINH_FLUX, 1, ANY, "Flux of the first detection; missing without one."),
    _feature(
        "limit_before_detection",
        ASINH_FLUX,
        2,
        POSITIVE,
        "Error of the last non-detection before the first detection: how faint it must have been; missing without.",
    ),
    _feature(
        "latest_change",
        NUMBER,
        2,
        ANY,
        "asinh of the latest flux less the one before in its band, over their common error; missing without two.",
    ),
    _feature(
        "latest_over_brightest",
        NUMBER,
        2,
        SIGNED_FRACTION,
        "Flux of the latest point over the largest absolute flux in its band.",
    ),
)
COLUMN = columns_by_name(FEATURES)
_FIRST_SNR = getattr(COLUMN, f"max_snr_{BANDS[0]}")
_N_BANDS = len(BANDS)
SHORTEST_GAP_DAYS = 1e-3


def columns(curves: LightCurves, grid: GridFlux) -> NDArray[np.float64]:
    """Measure the block: (n, features)."""
    out = np.full((len(curves), len(FEATURES)), np.nan)
    _measure(
        curves.offsets,
        curves.time_mjd,
        curves.flux_njy,
        curves.flux_err_njy,
        curves.band,
        curves.is_detection,
        curves.alert_mjd,
        out,
    )
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def _measure(
    offsets: NDArray[np.int64],
    time: NDArray[np.float64],
    flux: NDArray[np.float64],
    error: NDArray[np.float64],
    band: NDArray[np.int8],
    is_detection: NDArray[np.bool_],
    alert_mjd: NDArray[np.float64],
    out: NDArray[np.float64],
) -> None:
    for i in range(len(alert_mjd)):
        row, a, b = out[i], offsets[i], offsets[i + 1]
        row[COLUMN.n_points], row[COLUMN.n_detections] = b - a, is_detection[a:b].sum()
        row[COLUMN.n_bands] = row[COLUMN.n_bands_detected] = row[COLUMN.n_nights] = 0.0
        if a == b:
            continue
        _measure_detections(time[a:b], flux[a:b], error[a:b], is_detection[a:b], alert_mjd[i], row)
        _measure_points(time[a:b], flux[a:b], error[a:b], band[a:b], is_detection[a:b], alert_mjd[i], row)


@njit(cache=True, nogil=True, error_model="numpy")
def _measure_detections(
    time: NDArray[np.float64],
    flux: NDArray[np.float64],
    error: NDArray[np.float64],
    is_detection: NDArray[np.bool_],
    alert_mjd: float,
    row: NDArray[np.float64],
) -> None:
    first, last, limit, last_limit = -1, -1, -1, -1
    since_first, detected = 0.0, 0.0
    for j in range(len(time)):
        if is_detection[j]:
            first, last = j if first < 0 else first, j
            detected += 1.0
        else:
            last_limit = j
            limit = j if first < 0 else limit
        since_first += first >= 0
    if last_limit >= 0:
        row[COLUMN.days_since_non_detection] = alert_mjd - time[last_limit]
    if first >= 0:
        row[COLUMN.days_since_first_detection] = alert_mjd - time[first]
        row[COLUMN.detection_span] = time[last] - time[first]
        row[COLUMN.detected_fraction] = detected / since_first
        row[COLUMN.first_detection_flux] = math.asinh(flux[first] / FLUX_SOFTENING_NJY)
        if limit >= 0:
            row[COLUMN.days_limit_to_detection] = time[first] - time[limit]
            row[COLUMN.limit_before_detection] = math.asinh(error[limit] / FLUX_SOFTENING_NJY)


@njit(cache=True, nogil=True, error_model="numpy")
def _measure_points(
    time: NDArray[np.float64],
    flux: NDArray[np.float64],
    error: NDArray[np.float64],
    band: NDArray[np.int8],
    is_detection: NDArray[np.bool_],
    alert_mjd: float,
    row: NDArray[np.float64],
) -> None:
    end = len(time) - 1
    nights, longest, before, earlier, largest, brightest = 1, 0.0, -1, -1, 0.0, 0
    detected = np.zeros(_N_BANDS, np.bool_)
    for j in range(end + 1):
        k = _FIRST_SNR + band[j]
        row[k] = np.fmax(row[k], math.asinh(abs(flux[j]) / error[j]))
        detected[band[j]] |= is_detection[j]
        if j > 0:
            gap = time[j] - time[j - 1]
            longest = max(longest, gap)
            nights += gap >= NIGHT_DAYS
            before = j - 1 if gap >= NIGHT_DAYS else before
        if flux[j] / error[j] > flux[brightest] / error[brightest]:
            brightest = j
        if band[j] == band[end]:
            largest = max(largest, abs(flux[j]))
            earlier = j if j < end else earlier
    row[COLUMN.duration] = time[end] - time[0]
    row[COLUMN.latest_flux] = math.asinh(flux[end] / FLUX_SOFTENING_NJY)
    row[COLUMN.latest_snr] = math.asinh(flux[end] / error[end])
    row[COLUMN.n_bands] = np.isfinite(row[_FIRST_SNR : _FIRST_SNR + _N_BANDS]).sum()
    row[COLUMN.n_bands_detected], row[COLUMN.n_nights] = detected.sum(), nights
    if before >= 0:
        row[COLUMN.days_since_previous_night] = time[end] - time[before]
    row[COLUMN.log_longest_gap] = math.log10(max(longest, SHORTEST_GAP_DAYS))
    row[COLUMN.max_snr] = math.asinh(flux[brightest] / error[brightest])
    row[COLUMN.days_since_max_snr] = alert_mjd - time[brightest]
    if earlier >= 0:
        row[COLUMN.latest_change] = math.asinh((flux[end] - flux[earlier]) / math.hypot(error[end], error[earlier]))
    row[COLUMN.latest_over_brightest] = flux[end] / largest if largest > 0.0 else np.nan
