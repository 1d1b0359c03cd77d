"""A Lomb-Scargle periodogram of the common series of all bands, on a small grid of frequencies.

It is the generalised form with weights and a floating mean (Zechmeister & Kürster 2009, arXiv:0901.2573). The bands
share phase and relative amplitude, as in the common-phase model of VanderPlas & Ivezić 2015 (arXiv:1502.01344). The
frequencies are multiples of half a cycle per length of the light curve, from one cycle to :data:`FREQUENCIES` / 2
cycles. This is fine enough that no peak falls between them, and cheap enough for every alert. Cosines are not computed
at every frequency but rotated by the step in phase.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from features.common_series import CommonSeries
from features.definition import ANY, FRACTION, LOG_DAYS, NUMBER, Feature, columns_by_name
from features.kernel import FASTMATH

Array = NDArray[np.float64]
_BLOCK, _SOURCE = "timescales", "arXiv:0901.2573"
FREQUENCIES = 160
LOWEST = 2
MIN_POINTS = 8
CYCLES_PER_STEP = 0.5
ERROR_FLOOR_SQUARED = 0.01
"""Added to the squared errors, in variances of the band, so that a few points of high S/N do not dominate."""

FEATURES = (
    Feature(
        "period",
        LOG_DAYS,
        _BLOCK,
        MIN_POINTS,
        "Period at the highest peak of the periodogram, from the light curve's length to an 80th of it.",
        _SOURCE,
        ANY,
    ),
    Feature(
        "period_power",
        NUMBER,
        _BLOCK,
        MIN_POINTS,
        "Part of the weighted variance that a sinusoid of that period takes away.",
        _SOURCE,
        FRACTION,
    ),
    Feature(
        "period_snr",
        NUMBER,
        _BLOCK,
        MIN_POINTS,
        "Height of that peak over the mean power, in standard deviations of the power over all frequencies.",
        _SOURCE,
        (0.0, 13.0),
    ),
)
COLUMN = columns_by_name(FEATURES)


@njit(cache=True, nogil=True, error_model="numpy")
def strongest(series: CommonSeries, out: Array) -> None:
    """Fill ``out`` (n, features): the :data:`FEATURES` of the highest peak; NaN below 8 points."""
    power = np.empty(FREQUENCIES)
    for i in range(len(series.scale_njy)):
        a, b = series.offsets[i], series.offsets[i + 1]
        if b - a < MIN_POINTS or not series.time[b - 1] > 0.0:
            continue
        duration = series.time[b - 1]
        if not powers(series.time[a:b] / duration, series.value[a:b], series.error[a:b], power):
            continue
        best = LOWEST
        for k in range(LOWEST, FREQUENCIES):
            best = k if power[k] > power[best] else best
        place = float(best)
        if LOWEST < best < FREQUENCIES - 1:
            bend = power[best - 1] - 2.0 * power[best] + power[best + 1]
            place += 0.5 * (power[best - 1] - power[best + 1]) / bend if bend < 0.0 else 0.0
        used = power[LOWEST:]
        mean = used.mean()
        std = math.sqrt(((used - mean) ** 2).mean())
        out[i, COLUMN.period] = math.log10(duration / (CYCLES_PER_STEP * place))
        out[i, COLUMN.period_power] = power[best]
        out[i, COLUMN.period_snr] = (power[best] - mean) / std if std > 0.0 else np.nan


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FASTMATH)
def powers(phase: Array, value: Array, error: Array, power: Array) -> bool:
    """Fill ``power`` (FREQUENCIES,) at k × half a cycle per unit of ``phase``; returns False if there is no
    variance."""
    n = len(phase)
    w = 1.0 / (error * error + ERROR_FLOOR_SQUARED)
    w /= w.sum()
    y = value - (w * value).sum()
    total = (w * y * y).sum()
    if not total > 0.0:
        return False
    wy = w * y
    step_c, step_s = np.cos(2.0 * math.pi * CYCLES_PER_STEP * phase), np.sin(2.0 * math.pi * CYCLES_PER_STEP * phase)
    c, s = np.ones(n), np.zeros(n)
    for k in range(FREQUENCIES):
        yc, ys, mc, ms, cc, cs = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        for j in range(n):
            cj, sj = c[j], s[j]
            wc = w[j] * cj
            mc, ms = mc + wc, ms + w[j] * sj
            yc, ys = yc + wy[j] * cj, ys + wy[j] * sj
            cc, cs = cc + wc * cj, cs + wc * sj
            c[j], s[j] = cj * step_c[j] - sj * step_s[j], sj * step_c[j] + cj * step_s[j]
        ss, cc, cs = 1.0 - cc - ms * ms, cc - mc * mc, cs - mc * ms
        determinant = cc * ss - cs * cs
        power[k] = 0.0
        if determinant > 1e-9:
            power[k] = min((ss * yc * yc + cc * ys * ys - 2.0 * cs * yc * ys) / (total * determinant), 1.0)
    return True
