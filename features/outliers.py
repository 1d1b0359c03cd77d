"""Points that stand alone: measurements gone wrong, which neither their neighbours nor other bands bear out.

Before the fit, from the points alone. A point between two others of its band deviates from the straight line through
them. Half of those deviations are below ``scatter`` (their median over 0.6745, that of a normal distribution): noise
beyond the stated errors and the source's changes from visit to visit together. A point that stands out of both
neighbours by far more than that, and by more than they differ, is taken out, the largest first.

Then the others are asked. A flare, a kilonova or a supernova seen once in a band stands alone there; but other bands on
the same night, or most points around, leave the line between the points further away to the same side. Such a point
stays.

After the fit the process is asked (:mod:`features.robust`).
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from features.kernel import N_BANDS
from features.points import Curve, Points, curve_of

Array = NDArray[np.float64]
_compiled = njit(cache=True, nogil=True, error_model="numpy")

LEAST_DEVIATIONS = 5
"""With fewer points between two others the scatter is not known, and none is taken out."""
OUTSTANDING = 5.0
"""Scatters by which a point must stand out: one of 1.7 million of normal noise."""
MOST_OUT = 0.1
"""No more than this part of the points (and one) is taken out."""
NORMAL_MEDIAN = 0.6745
"""Median of the absolute value of a standard normal variable."""
CEILING_IN_SCATTERS = 1.6
"""Upper bound of the noise factor in scatters: a quiet light curve with a flare has noise as stated, whatever the
flare."""
SAME_NIGHT_DAYS = 1.0
OF_THE_GAP = 0.5
"""Points within this part of the time to the nearer neighbour are asked: what is faster no band alone can show."""
AROUND_DAYS = 25.0
"""... and within so many days: a supernova in the red lasts about twice as long."""
AGREES = 3.0
"""Scatters by which a point must deviate to agree."""
LEAST_SHARE = 0.1
"""... and at least this part of the deviation that is asked about: colours differ by that much."""
SENSITIVE = 0.2
"""A point where this part of the deviation would be seen, and is not, disagrees."""


@_compiled
def take_out(points: Points, is_out: NDArray[np.bool_], ceiling: Array) -> None:
    """Mark the points that stand alone in ``is_out`` (points,), and fill ``ceiling`` (n,), the upper bound of each
    light curve's noise factor; infinite where the scatter is not known."""
    for i in range(len(points.offsets) - 1):
        a, b = points.offsets[i], points.offsets[i + 1]
        if b - a > LEAST_DEVIATIONS:
            ceiling[i] = _take_out(curve_of(points, i), is_out[a:b])


@_compiled
def _take_out(curve: Curve, is_out: NDArray[np.bool_]) -> float:
    n = len(curve.time)
    before, after = neighbours(curve.band)
    deviation, error = np.zeros(n), np.ones(n)
    absolute, count = np.empty(n), 0
    for j in range(n):
        if before[j] >= 0 and after[j] >= 0:
            _deviate(curve, j, before[j], after[j], deviation, error)
            absolute[count] = abs(deviation[j]) / error[j]
            count += 1
    if count < LEAST_DEVIATIONS:
        return np.inf
    scatter = max(1.0, np.median(absolute[:count]) / NORMAL_MEDIAN)
    for _ in range(1 + int(MOST_OUT * n)):
        worst = _worst(curve, before, after, deviation, error, is_out, OUTSTANDING * scatter)
        if worst < 0:
            break
        is_out[worst] = True
        p, q = before[worst], after[worst]
        after[p], before[q] = q, p
        if before[p] >= 0:
            _deviate(curve, p, before[p], q, deviation, error)
        if after[q] >= 0:
            _deviate(curve, q, p, after[q], deviation, error)
    if is_out.any():
        _ask_the_others(curve, before, after, scatter, is_out)
    return CEILING_IN_SCATTERS * scatter


@_compiled
def neighbours(band: NDArray[np.int8]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Of each point the one before and the one after it in its band, as places, two of (points,); -1 for none."""
    before, after, last = np.full(len(band), -1), np.full(len(band), -1), np.full(N_BANDS, -1)
    for j in range(len(band)):
        p = last[band[j]]
        if p >= 0:
            before[j], after[p] = p, j
        last[band[j]] = j
    return before, after


@_compiled
def _deviate(curve: Curve, j: int, p: int, q: int, deviation: Array, error: Array) -> None:
    """How far point j is from the straight line through p and q, and the standard error of that."""
    days = curve.time[q] - curve.time[p]
    share = (curve.time[q] - curve.time[j]) / days if days > 0.0 else 0.5
    rest = 1.0 - share
    deviation[j] = curve.flux[j] - share * curve.flux[p] - rest * curve.flux[q]
    variance = curve.variance[j] + share * share * curve.variance[p] + rest * rest * curve.variance[q]
    error[j] = math.sqrt(variance)


@_compiled
def _worst(
    curve: Curve,
    before: NDArray[np.int64],
    after: NDArray[np.int64],
    deviation: Array,
    error: Array,
    is_out: NDArray[np.bool_],
    limit: float,
) -> int:
    """The point that deviates most, of those that stand out of both neighbours by ``limit``; -1 for none."""
    worst, most = -1, limit
    for j in range(len(curve.time)):
        if is_out[j] or before[j] < 0 or after[j] < 0 or abs(deviation[j]) <= most * error[j]:
            continue
        a, b = curve.flux[before[j]], curve.flux[after[j]]
        beyond = max(curve.flux[j] - max(a, b), min(a, b) - curve.flux[j])
        if beyond > abs(b - a) and beyond > limit * math.sqrt(curve.variance[j]):
            worst, most = j, abs(deviation[j]) / error[j]
    return worst


@_compiled
def _ask_the_others(
    curve: Curve, before: NDArray[np.int64], after: NDArray[np.int64], scatter: float, is_out: NDArray[np.bool_]
) -> None:
    """Put back the points that others bear out."""
    was_out = is_out.copy()
    for j in range(len(curve.time)):
        if not was_out[j]:
            continue
        high = curve.flux[j] - _level(curve, before, after, j, j, 0.0)
        gap = min(curve.time[j] - curve.time[before[j]], curve.time[after[j]] - curve.time[j])
        around = min(max(OF_THE_GAP * gap, SAME_NIGHT_DAYS), AROUND_DAYS)
        for_it, against, for_it_that_night, against_that_night = 0, 0, 0, 0
        for q in range(len(curve.time)):
            apart = abs(curve.time[q] - curve.time[j])
            if q == j or apart > around:
                continue
            other = curve.flux[q] - _level(curve, before, after, q, j, around)
            limit = AGREES * scatter * math.sqrt(curve.variance[q])
            that_night = apart < SAME_NIGHT_DAYS and curve.band[q] != curve.band[j]
            if other * high > 0.0 and abs(other) > max(limit, LEAST_SHARE * abs(high)):
                for_it, for_it_that_night = for_it + 1, for_it_that_night + that_night
            elif limit < SENSITIVE * abs(high):
                against, against_that_night = against + 1, against_that_night + that_night
        is_out[j] = for_it < max(against, 1) and for_it_that_night < max(against_that_night, 1)


@_compiled
def _level(curve: Curve, before: NDArray[np.int64], after: NDArray[np.int64], q: int, j: int, around: float) -> float:
    """The flux that the band of point q would have had but for what happened within ``around`` days of point j, nJy: on
    the line between the last point before and the first after that; where one lacks, the other's; 0 without both."""
    p, r = before[q], after[q]
    while p >= 0 and curve.time[j] - curve.time[p] <= around:
        p = before[p]
    while r >= 0 and curve.time[r] - curve.time[j] <= around:
        r = after[r]
    if p < 0 and r < 0:
        return 0.0
    if p < 0 or r < 0:
        return curve.flux[max(p, r)]
    days = curve.time[r] - curve.time[p]
    share = (curve.time[q] - curve.time[p]) / days if days > 0.0 else 0.5
    return curve.flux[p] + share * (curve.flux[r] - curve.flux[p])
