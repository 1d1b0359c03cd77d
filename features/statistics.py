"""Statistics of the common series of all bands, in the definitions of the light-curve package.

Malanchev et al. 2021 (arXiv:2012.01419) collect them; each feature names its first source if there is one. The series
(features.common_series) is shifted and scaled, which changes none of the statistics. For a single band they are equal
to the values of the package, or to the stated function of them.

All are missing if all bands of a light curve are constant within rounding (:mod:`features.rounding`), because each
compares values with their scatter, which is 0. With any scatter they are measured, even if it is small compared with
the errors: n points of scatter s and errors e have an excess_variance of 1 - e² / s².
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from features.common_series import CommonSeries
from features.definition import ANY, FRACTION, NUMBER, PER_DAY, POSITIVE, SIGNED_FRACTION, Feature, columns_by_name
from features.detections import NIGHT_DAYS

Array = NDArray[np.float64]
SHORTEST_STEP_DAYS = 0.01  # two exposures of one visit: a shorter baseline only amplifies noise
_BLOCK = "statistics"
_MALANCHEV = "arXiv:2012.01419"
_KIM = "arXiv:1403.6131"
_RICHARDS = "arXiv:1101.1959"


def _feature(
    name: str, unit: str, points: int, range_: tuple[float, float], description: str, source: str = _MALANCHEV
) -> Feature:
    return Feature(name, unit, _BLOCK, points, description, source, range_)


FEATURES = (
    _feature(
        "kurtosis", NUMBER, 4, ANY, "Excess kurtosis G2 of the values: 0 for Gaussian noise, large for outbursts."
    ),
    _feature(
        "beyond_one_std",
        NUMBER,
        2,
        FRACTION,
        "Fraction of values beyond one standard deviation from the mean.",
        _RICHARDS,
    ),
    _feature(
        "cusum",
        NUMBER,
        2,
        POSITIVE,
        "Range of the cumulative sum of the values over points times standard deviation.",
        _KIM,
    ),
    _feature(
        "log_eta_e",
        NUMBER,
        3,
        ANY,
        "log10 of eta_e: mean square slope between neighbours in one band, over variance and mean step squared.",
        _KIM,
    ),
    _feature(
        "excess_variance",
        NUMBER,
        2,
        (-np.inf, 1.0),
        "Part of the variance that the errors do not explain; negative where they are too large.",
    ),
    _feature("anderson_darling", NUMBER, 4, ANY, "asinh of the Anderson-Darling statistic against a Gaussian."),
    _feature(
        "median_deviation",
        NUMBER,
        2,
        POSITIVE,
        "Median absolute deviation over the standard deviation: 0.67 for Gaussian noise.",
        _RICHARDS,
    ),
    _feature(
        "percentile_ratio_20",
        NUMBER,
        3,
        FRACTION,
        "Range from the 40th to the 60th percentile over that from the 5th to the 95th.",
        _RICHARDS,
    ),
    _feature(
        "percentile_ratio_60",
        NUMBER,
        3,
        FRACTION,
        "Range from the 20th to the 80th percentile over that from the 5th to the 95th.",
        _RICHARDS,
    ),
    _feature(
        "near_median",
        NUMBER,
        2,
        FRACTION,
        "Fraction of values within a twentieth of their range of the median.",
        _RICHARDS,
    ),
    _feature(
        "otsu_separation",
        NUMBER,
        2,
        POSITIVE,
        "Difference of the means of the two groups that Otsu's threshold makes, in standard deviations.",
        "doi:10.1109/TSMC.1979.4310076",
    ),
    _feature(
        "otsu_lower_fraction",
        NUMBER,
        2,
        FRACTION,
        "Fraction of the values in the lower of those groups.",
        "doi:10.1109/TSMC.1979.4310076",
    ),
    _feature("trend", PER_DAY, 3, ANY, "Slope of a straight line through the values, without weights.", _RICHARDS),
    _feature("trend_noise", NUMBER, 3, POSITIVE, "Standard deviation about that line over that about the mean."),
    _feature("weighted_trend_snr", NUMBER, 2, ANY, "asinh of slope over its error of a line weighted by the errors."),
    _feature("log_trend_chi2", NUMBER, 3, ANY, "log10 of the reduced chi-square of that weighted line."),
    _feature(
        "band_correlation",
        NUMBER,
        4,
        SIGNED_FRACTION,
        "Correlation of values in different bands next to each other within half a day; missing without such.",
        "doi:10.1086/133808",
    ),
)
COLUMN = columns_by_name(FEATURES)


def columns(series: CommonSeries) -> Array:
    """Measure the block: (n, features)."""
    out = np.full((len(series.scale_njy), len(FEATURES)), np.nan)
    _measure(series, out)
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def _measure(series: CommonSeries, out: Array) -> None:
    for i in range(len(series.scale_njy)):
        a, b = series.offsets[i], series.offsets[i + 1]
        if b - a < 2:
            continue
        time, value, error, band, row = series.time[a:b], series.value[a:b], series.error[a:b], series.band[a:b], out[i]
        mean = value.mean()
        std = math.sqrt(((value - mean) ** 2).sum() / (b - a - 1))
        if not (math.isfinite(std) and std > 0.0):
            continue
        ordered = np.sort(value)
        _moments(value, error, mean, std, row)
        _percentiles(ordered, std, row)
        _against_gaussian(ordered, mean, std, row)
        _groups(ordered, mean, std, row)
        _steps(time, value, band, std, row)
        _lines(time, value, error, std, row)


@njit(cache=True, nogil=True, error_model="numpy")
def _moments(value: Array, error: Array, mean: float, std: float, row: Array) -> None:
    n = float(len(value))
    square, fourth, beyond, noise = 0.0, 0.0, 0.0, 0.0
    total, low, high = 0.0, 0.0, 0.0
    for j in range(len(value)):
        z = (value[j] - mean) / std
        square, fourth, beyond = square + z * z, fourth + z * z * z * z, beyond + (abs(z) > 1.0)
        noise += error[j] * error[j]
        total += z
        low, high = (total, total) if j == 0 else (min(low, total), max(high, total))
    if n > 3.0:  # the unbiased estimator of a normal population
        row[COLUMN.kurtosis] = (n + 1.0) * n / ((n - 1.0) * (n - 2.0) * (n - 3.0)) * fourth
        row[COLUMN.kurtosis] -= 3.0 * (n - 1.0) ** 2 / ((n - 2.0) * (n - 3.0))
    row[COLUMN.beyond_one_std], row[COLUMN.cusum] = beyond / n, (high - low) / n
    row[COLUMN.excess_variance] = 1.0 - noise / n / (std * std)


@njit(cache=True, nogil=True, error_model="numpy")
def _quantile(ordered: Array, q: float) -> float:
    """The q-quantile by Hazen's rule: value j stands for (j + 1/2) / n."""
    place = min(max(q * len(ordered) - 0.5, 0.0), len(ordered) - 1.0)
    j = min(int(place), len(ordered) - 2)
    return ordered[j] + (place - j) * (ordered[j + 1] - ordered[j])


@njit(cache=True, nogil=True, error_model="numpy")
def _percentiles(ordered: Array, std: float, row: Array) -> None:
    n, median = len(ordered), _quantile(ordered, 0.5)
    row[COLUMN.median_deviation] = _quantile(np.sort(np.abs(ordered - median)), 0.5) / std
    wide = _quantile(ordered, 0.95) - _quantile(ordered, 0.05)
    if wide > 0.0:
        row[COLUMN.percentile_ratio_20] = (_quantile(ordered, 0.6) - _quantile(ordered, 0.4)) / wide
        row[COLUMN.percentile_ratio_60] = (_quantile(ordered, 0.8) - _quantile(ordered, 0.2)) / wide
    near = 0.05 * (ordered[n - 1] - ordered[0])
    row[COLUMN.near_median] = (np.abs(ordered - median) < near).mean()


@njit(cache=True, nogil=True, error_model="numpy")
def _against_gaussian(ordered: Array, mean: float, std: float, row: Array) -> None:
    """Anderson and Darling's statistic with Stephens' factor for an estimated mean and variance."""
    n, total = len(ordered), 0.0
    if n < 4:
        return
    for j in range(n):
        z = (ordered[j] - mean) / (std * math.sqrt(2.0))
        below, above = max(0.5 * math.erfc(-z), 1e-300), max(0.5 * math.erfc(z), 1e-300)
        total += (2.0 * j + 1.0) * math.log(below) + (2.0 * (n - j) - 1.0) * math.log(above)
    row[COLUMN.anderson_darling] = math.asinh((1.0 + 4.0 / n - 25.0 / n**2) * (-n - total / n))


@njit(cache=True, nogil=True, error_model="numpy")
def _groups(ordered: Array, mean: float, std: float, row: Array) -> None:
    """The threshold with the largest variance between the two groups."""
    n, below, best = len(ordered), 0.0, -1.0
    for j in range(n - 1):
        below += ordered[j] - mean
        lower = j + 1.0
        between = below * below * n / (lower * (n - lower))
        if between > best and ordered[j + 1] > ordered[j]:
            best = between
            row[COLUMN.otsu_separation] = -below * n / (lower * (n - lower)) / std
            row[COLUMN.otsu_lower_fraction] = lower / n


@njit(cache=True, nogil=True, error_model="numpy")
def _steps(time: Array, value: Array, band: NDArray[np.int8], std: float, row: Array) -> None:
    """Statistics of neighbours: slopes in one band, correlation between two bands within one night."""
    last, steps, slope = np.full(6, -1), 0.0, 0.0
    pairs, product, one, two = 0.0, 0.0, 0.0, 0.0
    for j in range(len(time)):
        k = last[band[j]]
        if k >= 0:
            steps += 1.0
            slope += ((value[j] - value[k]) / max(time[j] - time[k], SHORTEST_STEP_DAYS)) ** 2
        last[band[j]] = j
        if j > 0 and band[j] != band[j - 1] and time[j] - time[j - 1] < NIGHT_DAYS:
            pairs += 1.0
            product += value[j] * value[j - 1]
            one, two = one + value[j] * value[j], two + value[j - 1] * value[j - 1]
    duration = time[-1] - time[0]
    if steps > 0.0 and slope > 0.0 and duration > 0.0:
        row[COLUMN.log_eta_e] = math.log10((duration / steps) ** 2 * slope / steps / (std * std))
    if pairs > 1.0 and one > 0.0 and two > 0.0:
        row[COLUMN.band_correlation] = product / math.sqrt(one * two)


@njit(cache=True, nogil=True, error_model="numpy")
def _lines(time: Array, value: Array, error: Array, std: float, row: Array) -> None:
    """A straight line, first without weights, then with the errors as weights."""
    n = len(time)
    for weighted in range(2):
        w = 1.0 / (error * error) if weighted == 1 else np.ones(n)
        weight = w.sum()
        t, v = (w * time).sum() / weight, (w * value).sum() / weight
        tt, tv = (w * (time - t) ** 2).sum(), (w * (time - t) * (value - v)).sum()
        if not tt > 0.0 or not math.isfinite(weight):
            return
        slope = tv / tt
        rest = (w * (value - v - slope * (time - t)) ** 2).sum()
        if weighted == 1:
            row[COLUMN.weighted_trend_snr] = math.asinh(slope * math.sqrt(tt))
            row[COLUMN.log_trend_chi2] = math.log10(max(rest / (n - 2.0), 1e-3)) if n > 2 else np.nan
        else:
            row[COLUMN.trend] = slope
            row[COLUMN.trend_noise] = math.sqrt(rest / (n - 2.0)) / std if n > 2 else np.nan
