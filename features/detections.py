"""The state of the alert: how much has been measured, since when, and how significant it is."""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from features.definition import ASINH_FLUX, DAYS, FLUX_SOFTENING_NJY, NUMBER, Feature
from features.grid import GridFlux
from schemas.light_curves import BANDS, LightCurves

_BLOCK = "detections"
FEATURES = (
    Feature("n_points", NUMBER, _BLOCK, 0, "Points of the light curve, detections or not."),
    Feature("n_detections", NUMBER, _BLOCK, 0, "Detections."),
    Feature("duration", DAYS, _BLOCK, 1, "From the first point to the last."),
    Feature(
        "days_since_first_detection", DAYS, _BLOCK, 1, "From the first detection to the alert; missing without one."
    ),
    Feature(
        "days_since_non_detection",
        DAYS,
        _BLOCK,
        1,
        "From the last point that is no detection to the alert; missing without one.",
    ),
    Feature(
        "days_limit_to_detection",
        DAYS,
        _BLOCK,
        2,
        "From the last non-detection before the first detection to that detection; missing without both.",
    ),
    Feature("latest_flux", ASINH_FLUX, _BLOCK, 1, "Flux of the latest point."),
    Feature("latest_snr", NUMBER, _BLOCK, 1, "asinh of flux over error of the latest point."),
    *(
        Feature(
            f"max_snr_{band}",
            NUMBER,
            _BLOCK,
            1,
            f"asinh of the largest absolute flux over error in {band}; missing without a point there.",
        )
        for band in BANDS
    ),
)


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
        row[0], row[1] = b - a, is_detection[a:b].sum()
        if a == b:
            continue
        first, limit, last_limit = np.nan, np.nan, np.nan
        for j in range(a, b):
            if not is_detection[j]:
                last_limit = time[j]
                if math.isnan(first):
                    limit = time[j]
            elif math.isnan(first):
                first = time[j]
            k = 8 + band[j]
            row[k] = np.fmax(row[k], math.asinh(abs(flux[j]) / error[j]))
        row[2], row[3] = time[b - 1] - time[a], alert_mjd[i] - first
        row[4], row[5] = alert_mjd[i] - last_limit, first - limit
        row[6], row[7] = math.asinh(flux[b - 1] / FLUX_SOFTENING_NJY), math.asinh(flux[b - 1] / error[b - 1])
