"""Intervals by bootstrap over objects."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

DRAWS = 200
LEVEL = 0.95


def bootstrap(
    statistic: Callable[[NDArray[np.int64]], float],
    object_id: ArrayLike,
    *,
    seed: int,
    draws: int = DRAWS,
    level: float = LEVEL,
) -> tuple[float, float, float]:
    """A statistic of row numbers with its percentile interval over resampled objects: (value, low, high).

    All rows of an object are drawn together, because alerts of one object are not independent.
    Source: Efron 1979 (doi:10.1214/aos/1176344552).
    """
    intervals = bootstrap_many({"": lambda rows: statistic(rows)}, object_id, seed=seed, draws=draws, level=level)
    return intervals[""]


def bootstrap_many(
    statistics: dict[str, Callable[[NDArray[np.int64]], float]],
    object_id: ArrayLike,
    *,
    seed: int,
    draws: int = DRAWS,
    level: float = LEVEL,
) -> dict[str, tuple[float, float, float]]:
    """As :func:`bootstrap`, for several statistics on the same draws, so that they can be compared.

    Low and high are NaN if the statistic is NaN in every draw.
    """
    _, row = np.unique(np.asarray(object_id), return_inverse=True)
    n = int(row.max()) + 1
    order = np.argsort(row, kind="stable")
    begin = np.searchsorted(row[order], np.arange(n + 1))
    length = np.diff(begin)
    rng = np.random.default_rng(seed)
    values: dict[str, list[float]] = {name: [] for name in statistics}
    for _ in range(draws):
        chosen = rng.integers(0, n, n)
        counts = length[chosen]
        start = np.repeat(begin[chosen] - np.cumsum(counts) + counts, counts)
        rows = order[start + np.arange(counts.sum())]
        for name, statistic in statistics.items():
            values[name].append(statistic(rows))
    return {name: (of(np.arange(len(row))), *_range(values[name], level)) for name, of in statistics.items()}


def _range(values: list[float], level: float) -> tuple[float, float]:
    finite = np.asarray(values)[~np.isnan(values)]
    if not len(finite):
        return float("nan"), float("nan")
    low, high = np.quantile(finite, [(1 - level) / 2, (1 + level) / 2], method="nearest")
    return float(low), float(high)
