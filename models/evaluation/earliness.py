"""When the class is right and stays right: this leaves the rest of the time for follow-up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Earliness:
    """One entry per object, ordered by id: arrays of shape (m,).

    - ``object_id``.
    - ``days``: from the first epoch to the one from which on the most probable class is always the true one; infinite
      if it is wrong at the last epoch.
    - ``flips``: number of changes of the most probable class from one epoch to the next.
    """

    object_id: NDArray[np.int64]
    days: NDArray[np.float64]
    flips: NDArray[np.int64]


def earliness(
    object_id: NDArray[np.int64], days: NDArray[np.float64], p: NDArray[np.float64], index: NDArray[np.int64]
) -> Earliness:
    """From predictions at several epochs of each object; arrays of shape (n,), ``p`` (n, k).

    ``days``: time of each epoch, from any zero point. Users of a stream wait for a stable answer (compare the time to
    classification of RAPID, arXiv:1904.00014).
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
    """Median of days, some of them infinite; infinite if more than half of the objects never become stable."""
    ordered = np.sort(days)
    return float((ordered[(len(days) - 1) // 2] + ordered[len(days) // 2]) / 2) if len(days) else float("nan")
