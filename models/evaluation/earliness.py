"""When a class is right and stays right: the time a follow-up telescope has."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Earliness:
    """Of each object, in the order of its id: arrays of shape (m,).

    - ``object_id``.
    - ``days``: from its first epoch to the first from which on the most probable class is the true one at every later
      epoch; infinite where it is wrong at the last.
    - ``flips``: how often the most probable class changes from an epoch to the next.
    """

    object_id: NDArray[np.int64]
    days: NDArray[np.float64]
    flips: NDArray[np.int64]


def earliness(
    object_id: NDArray[np.int64], days: NDArray[np.float64], p: NDArray[np.float64], index: NDArray[np.int64]
) -> Earliness:
    """From predictions at several epochs of each object; arrays of shape (n,), ``p`` (n, k).

    ``days``: of each epoch, counted from anywhere. Flips and the time to a stable answer are what users of a stream
    wait for (compare the time to classification of RAPID, arXiv:1904.00014).
    """
    order = np.lexsort((days, object_id))
    ids, begin = np.unique(object_id[order], return_index=True)
    row = np.searchsorted(ids, object_id[order])
    predicted, time = p.argmax(axis=1)[order], days[order]
    wrong = predicted != index[order]
    last_wrong = np.full(len(ids), -1)
    np.maximum.at(last_wrong, row[wrong], np.flatnonzero(wrong))
    end = np.append(begin[1:], len(order))
    stable = np.where(last_wrong >= 0, last_wrong + 1, begin)
    right_at_last = stable < end
    since = np.full(len(ids), np.inf)
    since[right_at_last] = time[stable[right_at_last]] - time[begin[right_at_last]]
    change = (np.diff(predicted) != 0) & (np.diff(row) == 0)
    return Earliness(ids, since, np.bincount(row[1:][change], minlength=len(ids)))


def median_days(days: NDArray[np.float64]) -> float:
    """Median of days some of which are infinite: infinite where more than half of the objects never get there."""
    ordered = np.sort(days)
    return float((ordered[(len(days) - 1) // 2] + ordered[len(days) // 2]) / 2) if len(days) else float("nan")
