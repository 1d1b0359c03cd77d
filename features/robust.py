"""Fit, ask the process about the points that stand alone, and fit again where the answer changes them.

:mod:`features.outliers` takes points out before the fit. The process of the others then says what it expects there: a
point within :data:`EXPECTED` standard deviations is put back. And a point that the process leaves further than
:data:`FAR` errors away, with nothing near on its side, is taken out too. One more fit, started from the first, where
anything changed: a few per cent of clean light curves.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numba import njit
from numpy.typing import NDArray

from features import outliers
from features.points import Points, Solutions, unsolved

Array = NDArray[np.float64]
Fit = Callable[[Points, Array, Solutions], None]
Predict = Callable[[Points, Array, Array, Array, Array, Array], None]

EXPECTED = 5.0
"""Standard deviations, of the process and the noise together, within which a point is believed after all."""
FAR = 6.0
"""Errors, with the noise factor, beyond which a point that was fitted is no longer believed."""
NEAREST, NEAR_DAYS, ON_ITS_SIDE = 3, 1.0, 2.5
"""Unless one of so many nearest points, so near in time, is on its side by so many errors: then the process is too slow
for a change that happened."""


def solve(points: Points, start: Array, fit: Fit, predict: Predict) -> tuple[Solutions, Array]:
    """Fit every light curve to the points that are believed.

    ``start`` (n, 2): log amplitude² over noise factor² and log timescale² to begin at, or NaN. Returns the solutions,
    with ``alpha`` (points,) 0 for a point set aside, and for all points (points,) NaN where it is believed, else how
    far it is from the process, in standard deviations.
    """
    is_out = np.zeros(len(points.time), np.bool_)
    outliers.take_out(points, is_out, points.factor_ceiling)
    solutions = unsolved(points)
    everything = np.arange(len(points.offsets) - 1)
    _solve(points, is_out, everything, start, fit, solutions)
    deviation = _deviations(points, is_out, solutions, predict)
    reconsidered = is_out.copy()
    _reconsider(points, deviation, reconsidered)
    changed = np.unique(_row_of_point(points)[reconsidered != is_out])
    if len(changed):
        again = np.stack([solutions.x - 2 * np.log(solutions.noise_factor), solutions.y], axis=1)
        _solve(points, reconsidered, changed, again[changed], fit, solutions)
    return solutions, np.where(reconsidered, deviation, np.nan)


def believed(points: Points, is_out: NDArray[np.bool_], rows: NDArray[np.int64]) -> tuple[Points, NDArray[np.int64]]:
    """The points of the light curves ``rows`` without those that are out, and their places in ``points``."""
    lengths = np.diff(points.offsets)[rows]
    ends = np.cumsum(lengths)
    places = np.repeat(points.offsets[:-1][rows] - (ends - lengths), lengths) + np.arange(lengths.sum())
    kept = places[~is_out[places]]
    row = np.repeat(np.arange(len(rows)), lengths)[~is_out[places]]
    offsets = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=len(rows)))])
    fewer = Points(
        offsets,
        points.time[kept],
        points.flux[kept],
        points.variance[kept],
        points.band[kept],
        points.correlation[rows],
        points.survey[rows],
        points.factor_ceiling[rows],
    )
    return fewer, kept


def _row_of_point(points: Points) -> NDArray[np.int64]:
    return np.repeat(np.arange(len(points.offsets) - 1), np.diff(points.offsets))


def _solve(
    points: Points,
    is_out: NDArray[np.bool_],
    rows: NDArray[np.int64],
    start: Array,
    fit: Fit,
    solutions: Solutions,
) -> None:
    """Fit ``rows`` without the points that are out, and write what came of it to their places in ``solutions``."""
    fewer, kept = believed(points, is_out, rows)
    solved = unsolved(fewer)
    fit(fewer, start, solved)
    for name in ("x", "y", "value", "converged", "explained", "noise_factor"):
        getattr(solutions, name)[rows] = getattr(solved, name)
    solutions.alpha[np.isin(_row_of_point(points), rows)] = 0.0
    solutions.alpha[kept] = solved.alpha


_QUIET = np.errstate(over="ignore", divide="ignore", invalid="ignore")
"""Where squares overflow there is no process, which its flag says."""


@_QUIET
def _deviations(points: Points, is_out: NDArray[np.bool_], solutions: Solutions, predict: Predict) -> Array:
    """How far each point is from the process, (points,): one that was fitted in its errors, one that is out in standard
    deviations of process and noise together. NaN where there is no process."""
    factor = solutions.noise_factor[_row_of_point(points)]
    deviation: Array = solutions.alpha * np.sqrt(points.variance) * factor  # variance × α is the residual
    out = np.flatnonzero(is_out)
    if not len(out):
        return deviation
    rows, row = np.unique(_row_of_point(points)[out], return_inverse=True)
    column = np.arange(len(out)) - np.searchsorted(row, row)  # the first, second ... of its light curve
    wanted = np.full((len(rows), int(column.max()) + 1), np.nan)
    wanted[row, column] = points.time[out]
    wanted = np.fmax.accumulate(wanted, axis=1)  # shorter rows end with the last time again
    fewer, kept = believed(points, is_out, rows)
    scaled = fewer._replace(variance=fewer.variance * factor[kept] ** 2)
    mean = np.empty((len(rows), points.correlation.shape[1], wanted.shape[1]))
    std = np.empty_like(mean)
    predict(scaled, solutions.x[rows], solutions.y[rows], wanted, mean, std)
    place = row, points.band[out], column
    noise = points.variance[out] * factor[out] ** 2
    deviation[out] = (points.flux[out] - mean[place]) / np.sqrt(noise + std[place] ** 2)
    return deviation


@njit(cache=True, nogil=True, error_model="numpy")
def _reconsider(points: Points, deviation: Array, is_out: NDArray[np.bool_]) -> None:
    """Put points back that the process expects, and take out those it can't follow; the last point always stays."""
    for i in range(len(points.offsets) - 1):
        a, b = points.offsets[i], points.offsets[i + 1]
        for j in range(a, b):
            if is_out[j]:
                is_out[j] = not abs(deviation[j]) < EXPECTED
            elif abs(deviation[j]) > FAR and points.time[j] < points.time[b - 1]:
                is_out[j] = not _borne_out(points, deviation, a, b, j)


@njit(cache=True, nogil=True, error_model="numpy")
def _borne_out(points: Points, deviation: Array, a: int, b: int, j: int) -> bool:
    """Whether one of the nearest points in time is on the side of point j."""
    before, after = j - 1, j + 1
    for _ in range(NEAREST):
        days_before = points.time[j] - points.time[before] if before >= a else np.inf
        days_after = points.time[after] - points.time[j] if after < b else np.inf
        if min(days_before, days_after) > NEAR_DAYS:
            return False
        if days_before < days_after:
            near, before = before, before - 1
        else:
            near, after = after, after + 1
        if deviation[near] * deviation[j] > 0.0 and abs(deviation[near]) > ON_ITS_SIDE:
            return True
    return False
