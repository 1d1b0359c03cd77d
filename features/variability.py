"""Statistics of the points without any model: strength, speed and asymmetry of the variation.

Residuals are relative to the weighted mean of their band. Their unit is the error times √(m / (m - 1)) for the m points
of the band (Stetson 1996, doi:10.1086/133808) where the text says errors, and the standard deviation of the band where
it says deviations. Bands with one point are left out.

In a band that is constant within rounding (:mod:`features.rounding`) every residual is 0. If all bands are constant,
log_chi2, log_range, log_max_slope and log_night_scatter have their lower limit, -3; stetson_j and mean_crossings are 0;
features that compare residuals with each other are missing.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from features.band_moments import moments_of, residual
from features.definition import NUMBER, Feature, columns_by_name
from features.grid import GridFlux
from schemas.light_curves import BANDS, LightCurves

_BLOCK = "variability"
_STETSON = "doi:10.1086/133808"
_ALERCE = "arXiv:2008.03311"
_RATIOS = (("g", "r"), ("r", "i"), ("i", "z"))
_RATIO_BANDS = np.array([[BANDS.index(a), BANDS.index(b)] for a, b in _RATIOS])
_N_BANDS = len(BANDS)
SAME_NIGHT_DAYS = 0.5
SHORTEST_STEP_DAYS = 0.01  # two exposures of one visit: a shorter baseline only amplifies noise
SIGNIFICANT = 3.0
FEATURES = (
    Feature(
        "log_chi2",
        NUMBER,
        _BLOCK,
        2,
        "log10 of chi-square per degree of freedom against a constant flux in every band.",
        _ALERCE,
    ),
    Feature(
        "excess_over_range",
        NUMBER,
        _BLOCK,
        2,
        "Root mean square residual beyond the errors, over the range of the residuals, both in flux.",
        _ALERCE,
    ),
    Feature("log_range", NUMBER, _BLOCK, 2, "log10 of the range of the residuals in errors."),
    Feature(
        "stetson_j",
        NUMBER,
        _BLOCK,
        2,
        "asinh of the mean of sign(P) √|P|, P products of neighbouring residuals within half a day, any bands.",
        _STETSON,
    ),
    Feature(
        "stetson_k",
        NUMBER,
        _BLOCK,
        3,
        "Mean absolute residual over root mean square residual, in errors: 0.8 for noise, small for outbursts.",
        _STETSON,
    ),
    Feature(
        "von_neumann_eta",
        NUMBER,
        _BLOCK,
        3,
        "Mean square difference of neighbours in one band over the variance: 2 for noise, 0 for smooth change.",
        "doi:10.1214/aoms/1177731677",
    ),
    Feature("skewness", NUMBER, _BLOCK, 3, "Skewness of the residuals in deviations.", _ALERCE),
    Feature(
        "median_level",
        NUMBER,
        _BLOCK,
        3,
        "Median residual within the range of residuals, in deviations: near 0 for outbursts, near 1 for eclipses.",
    ),
    Feature(
        "mean_crossings",
        NUMBER,
        _BLOCK,
        3,
        "Fraction of neighbours in one band on opposite sides of the mean.",
        _ALERCE,
    ),
    Feature(
        "log_max_slope",
        NUMBER,
        _BLOCK,
        2,
        "log10 of the largest change between neighbours in one band per day, in errors.",
    ),
    Feature(
        "log_night_scatter",
        NUMBER,
        _BLOCK,
        2,
        "log10 of half the mean square difference of neighbours within half a day, any bands, in errors.",
    ),
    Feature("fraction_negative", NUMBER, _BLOCK, 1, "Fraction of points with flux below -3 errors."),
    Feature("fraction_positive", NUMBER, _BLOCK, 1, "Fraction of points with flux above 3 errors."),
    *(
        Feature(
            f"amplitude_ratio_{a}_{b}",
            NUMBER,
            _BLOCK,
            4,
            f"log10 of the rms residual beyond the errors in {a} over that in {b}; missing below 2 points in either.",
            _ALERCE,
        )
        for a, b in _RATIOS
    ),
)
COLUMN = columns_by_name(FEATURES)
_FIRST_RATIO = getattr(COLUMN, f"amplitude_ratio_{_RATIOS[0][0]}_{_RATIOS[0][1]}")


def columns(curves: LightCurves, grid: GridFlux) -> NDArray[np.float64]:
    """Measure the block: (n, features)."""
    out = np.full((len(curves), len(FEATURES)), np.nan)
    _measure(curves.offsets, curves.time_mjd, curves.flux_njy, curves.flux_err_njy, curves.band, out)
    return out


Array = NDArray[np.float64]


@njit(cache=True, nogil=True, error_model="numpy")
def _measure(
    offsets: NDArray[np.int64], time: Array, flux: Array, error: Array, band: NDArray[np.int8], out: Array
) -> None:
    for i in range(len(offsets) - 1):
        a, b, row = offsets[i], offsets[i + 1], out[i]
        if a == b:
            continue
        t, f, e, c = time[a:b], flux[a:b], error[a:b], band[a:b]
        row[COLUMN.fraction_negative] = (f < -SIGNIFICANT * e).mean()
        row[COLUMN.fraction_positive] = (f > SIGNIFICANT * e).mean()
        moments = moments_of(f, e, c)
        count, deviation, noise = moments.n_points, np.zeros(_N_BANDS), np.zeros(_N_BANDS)
        for k in range(_N_BANDS):
            noise[k] = moments.noise[k] / count[k] if count[k] > 0.0 else 0.0
            deviation[k] = math.sqrt(moments.square[k] / (count[k] - 1.0)) if count[k] > 1.0 else 0.0
        in_flux, in_errors, in_deviations = np.full(b - a, np.nan), np.full(b - a, np.nan), np.full(b - a, np.nan)
        for j in range(b - a):
            k = c[j]
            if count[k] > 1:
                in_flux[j] = residual(f[j], k, moments)
                in_errors[j] = in_flux[j] / e[j] * math.sqrt(count[k] / (count[k] - 1.0))
                in_deviations[j] = in_flux[j] / deviation[k] if deviation[k] > 0.0 else 0.0
        if np.isfinite(in_errors).sum() > 1:
            _strength(count, deviation, noise, in_flux, in_errors, row)
            _steps(t, c, in_errors, row)
            _distribution(in_errors, in_deviations, row)
        for r in range(len(_RATIO_BANDS)):
            one, two = _RATIO_BANDS[r]
            if count[one] > 1 and count[two] > 1:
                above, below = _beyond(deviation[one], noise[one]), _beyond(deviation[two], noise[two])
                row[_FIRST_RATIO + r] = 0.5 * math.log10(above / below)


@njit(cache=True, nogil=True, error_model="numpy")
def _beyond(deviation: float, noise: float) -> float:
    """Variance in excess of the noise, at least a tenth of the noise: variation that is not detected is not zero."""
    return max(deviation * deviation - noise, 0.1 * noise)


@njit(cache=True, nogil=True, error_model="numpy")
def _strength(count: Array, deviation: Array, noise: Array, in_flux: Array, in_errors: Array, row: Array) -> None:
    """Chi-square, scatter beyond the errors, range; residuals are NaN for the only point of a band."""
    square, freedom, excess, low, high = 0.0, 0.0, 0.0, np.inf, -np.inf
    for k in range(_N_BANDS):
        if count[k] > 1.0:
            freedom += count[k]
            excess += count[k] * max(deviation[k] * deviation[k] - noise[k], 0.0)
    for j in range(len(in_flux)):
        if math.isfinite(in_errors[j]):
            square += in_errors[j] * in_errors[j]
            low, high = min(low, in_flux[j]), max(high, in_flux[j])
    row[COLUMN.log_chi2] = math.log10(max(square / freedom, 1e-3))
    row[COLUMN.excess_over_range] = math.sqrt(excess / freedom) / (high - low) if high > low else np.nan
    row[COLUMN.log_range] = math.log10(max(np.nanmax(in_errors) - np.nanmin(in_errors), 1e-3))


@njit(cache=True, nogil=True, error_model="numpy")
def _steps(time: Array, band: NDArray[np.int8], in_errors: Array, row: Array) -> None:
    """Statistics of neighbours in time, in one band and within one night."""
    last = np.full(_N_BANDS, -1)
    before = -1
    pairs, square, crossings, steepest, nights, product, scatter = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    variance, n = 0.0, 0.0
    for j in range(len(time)):
        r = in_errors[j]
        if not math.isfinite(r):
            continue
        variance += r * r
        n += 1.0
        k = last[band[j]]
        if k >= 0:
            s = in_errors[k]
            pairs += 1.0
            square += (r - s) * (r - s)
            crossings += (r > 0.0) != (s > 0.0)
            steepest = max(steepest, abs(r - s) / max(time[j] - time[k], SHORTEST_STEP_DAYS))
        if before >= 0 and time[j] - time[before] < SAME_NIGHT_DAYS:
            p = r * in_errors[before]
            nights += 1.0
            product += math.sqrt(abs(p)) if p > 0.0 else -math.sqrt(abs(p))
            scatter += 0.5 * (r - in_errors[before]) ** 2
        last[band[j]] = j
        before = j
    if pairs > 0.0:
        row[COLUMN.von_neumann_eta] = square / pairs / (variance / n) if variance > 0.0 else np.nan
        row[COLUMN.mean_crossings], row[COLUMN.log_max_slope] = crossings / pairs, math.log10(max(steepest, 1e-3))
    if nights > 0.0:
        row[COLUMN.stetson_j] = math.asinh(product / nights)
        row[COLUMN.log_night_scatter] = math.log10(max(scatter / nights, 1e-3))


@njit(cache=True, nogil=True, error_model="numpy")
def _distribution(in_errors: Array, in_deviations: Array, row: Array) -> None:
    r = in_errors[np.isfinite(in_errors)]
    d = in_deviations[np.isfinite(in_deviations)]
    root = math.sqrt((r * r).mean())
    row[COLUMN.stetson_k] = np.abs(r).mean() / root if root > 0.0 else np.nan
    moment = d - d.mean()
    variance = (moment * moment).mean()
    row[COLUMN.skewness] = (moment * moment * moment).mean() / variance**1.5 if variance > 0.0 else np.nan
    row[COLUMN.median_level] = (np.median(d) - d.min()) / (d.max() - d.min()) if d.max() > d.min() else np.nan
