"""The mean of the Gaussian process at any times, in linear time: much cheaper than its standard deviation.

The mean is Σ_j amplitude² × correlation[p, band_j] × matern(|t - t_j|) × α_j with α = (K + variance)⁻¹ flux. Over
the points before t, Σ α_j (1 + s_j) exp(-s_j) with s = √3 |t - t_j| / timescale needs only the two sums Σ α_j
exp(-s_j) and Σ α_j s_j exp(-s_j) for each band. Both follow from their values at an earlier t. The same holds for the
points after t.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from features.kernel import FASTMATH, N_BANDS, SQRT3
from features.points import Curve, Points, curve_of

Array = NDArray[np.float64]
_compiled = njit(cache=True, nogil=True, error_model="numpy", fastmath=FASTMATH)


@_compiled
def predict_mean(points: Points, alpha: Array, x: Array, y: Array, wanted: Array, out: Array) -> None:
    """Fill ``out`` (n, 6, m) with the mean, nJy, at ``wanted`` (n, m), MJD in ascending order in every row.

    ``alpha`` (points,), 1/nJy; ``x`` and ``y`` (n,) are log amplitude² (nJy²) and log timescale² (days²); NaN
    where they are.
    """
    m = wanted.shape[1]
    sums, plain, scaled = np.empty((m, N_BANDS)), np.empty(N_BANDS), np.empty(N_BANDS)
    for i in range(len(points.offsets) - 1):
        curve = curve_of(points, i)
        if not math.isfinite(x[i] + y[i]) or len(curve.time) == 0:
            out[i] = np.nan
            continue
        rate, square, weights = (
            SQRT3 * math.exp(-0.5 * y[i]),
            math.exp(x[i]),
            alpha[points.offsets[i] : points.offsets[i + 1]],
        )
        sums[:] = 0.0
        _sweep(curve, weights, wanted[i], rate, 1, plain, scaled, sums)
        _sweep(curve, weights, wanted[i], rate, -1, plain, scaled, sums)
        for p in range(N_BANDS):
            for j in range(m):
                total = 0.0
                for q in range(N_BANDS):
                    total += curve.correlation[p, q] * sums[j, q]
                out[i, p, j] = square * total


@_compiled
def _sweep(
    curve: Curve,
    alpha: Array,
    wanted: Array,
    rate: float,
    direction: int,
    plain: Array,
    scaled: Array,
    sums: Array,
) -> None:
    """Add to ``sums`` (m, 6) the points at or before each wanted time (direction 1), or those after it (-1)."""
    n, m = len(curve.time), len(wanted)
    plain[:] = 0.0
    scaled[:] = 0.0
    first = 0 if direction > 0 else n - 1
    i, now = first, curve.time[first]
    for step in range(m):
        j = step if direction > 0 else m - 1 - step
        while 0 <= i < n and (curve.time[i] <= wanted[j] if direction > 0 else curve.time[i] > wanted[j]):
            _decay(plain, scaled, rate * abs(curve.time[i] - now))
            now = curve.time[i]
            plain[curve.band[i]] += alpha[i]
            i += direction
        if i != first:
            _decay(plain, scaled, rate * abs(wanted[j] - now))
            now = wanted[j]
            for p in range(N_BANDS):
                sums[j, p] += plain[p] + scaled[p]


@_compiled
def _decay(plain: Array, scaled: Array, s: float) -> None:
    decay = math.exp(-s)
    for p in range(N_BANDS):
        scaled[p] = decay * (scaled[p] + s * plain[p])
        plain[p] *= decay
