"""Neighbours: where the stream's objects lie closer together than known ones do."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

COUNTS = (10, 20, 40, 80)
"""Numbers of nearest neighbours that are asked for their origin; the logarithms of the answers are averaged."""

LISTED = 140
"""Neighbours kept of each object: 80 remain when a third of the objects is set aside."""

BLOCK = 256
"""Rows of the distance matrix that exist at a time."""


def nearest(
    points: NDArray[np.float32], reference: NDArray[np.float32], k: int, itself: NDArray[np.int64] | None = None
) -> NDArray[np.int32]:
    """Row numbers of the ``k`` rows of ``reference`` (r, d) nearest to each of the ``points`` (n, d), nearest first.

    Shape (n, min(k, r)). ``itself``: (n,) the row of the reference that is the point itself and does not count, -1 if
    none. Entries that do not exist are -1. Exact: distances in blocks, 32 bits.
    """
    k = min(k, len(reference))
    listed = np.full((len(points), k), -1, np.int32)
    own_row = np.full(len(points), -1, np.int64) if itself is None else itself
    # the squared distance less the square of the point, as one matrix product
    turned = np.concatenate([-2 * reference.T, np.square(reference).sum(axis=1)[None]]).astype(np.float32)
    for start in range(0, len(points), BLOCK):
        rows = slice(start, start + BLOCK)
        with_one = np.concatenate([points[rows], np.ones((len(points[rows]), 1), np.float32)], axis=1)
        _keep_nearest(with_one.astype(np.float32) @ turned, own_row[rows], listed[rows])
    return listed


@njit(cache=True, nogil=True)
def _keep_nearest(distance: NDArray, itself: NDArray, listed: NDArray) -> None:  # pragma: no cover
    """Fill ``listed`` (n, k) with the columns of the k smallest entries of each row, smallest first."""
    n, m = distance.shape
    k = listed.shape[1]
    key, column = np.empty(k, np.float32), np.empty(k, np.int32)
    for row in range(n):
        size = 0
        for j in range(m):
            value = distance[row, j]
            if j == itself[row] or (size == k and value >= key[0]):
                continue
            if size < k:  # sift up in a heap with the largest on top
                i = size
                size += 1
                while i > 0 and key[(i - 1) // 2] < value:
                    key[i], column[i] = key[(i - 1) // 2], column[(i - 1) // 2]
                    i = (i - 1) // 2
                key[i], column[i] = value, j
            else:
                _sift_down(key, column, size, value, j)
        for last in range(size - 1, -1, -1):
            listed[row, last] = column[0]
            _sift_down(key, column, last, key[last], column[last])


@njit(cache=True, nogil=True)
def _sift_down(key: NDArray, column: NDArray, size: int, value: float, j: int) -> None:  # pragma: no cover
    """Put an entry in the place of the largest of a heap of ``size`` entries."""
    i = 0
    while 2 * i + 1 < size:
        child = 2 * i + 1
        if child + 1 < size and key[child + 1] > key[child]:
            child += 1
        if key[child] <= value:
            break
        key[i], column[i] = key[child], column[child]
        i = child
    if size > 0:
        key[i], column[i] = value, j


def crowding(listed: NDArray[np.int32], origin: NDArray[np.int8], rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """How much more of an object's neighbours are of the stream than the stream's share b of all, (len(rows),).

    The mean over k in :data:`COUNTS` of log((stream neighbours + 2 b) / (k b + 2 b)). ``listed``: from :func:`nearest`;
    ``origin``: (r,) of each row of the reference: 1 stream, 0 null, -1 set aside; ``rows`` of ``listed`` to answer for.
    """
    share = (origin == 1).sum() / max((origin >= 0).sum(), 1)
    return _crowding(listed, origin, rows, np.array(COUNTS), max(share, 1e-9))


@njit(cache=True, nogil=True)
def _crowding(listed, origin, rows, counts, share):  # type: ignore[no-untyped-def]  # pragma: no cover
    out = np.zeros(len(rows))
    for i in range(len(rows)):
        number, of_stream, step = 0, 0, 0
        for j in range(listed.shape[1]):
            kind = origin[listed[rows[i], j]] if listed[rows[i], j] >= 0 else -1
            if kind < 0:
                continue
            number += 1
            of_stream += kind
            if number == counts[step]:
                out[i] += np.log((of_stream + 2 * share) / (number * share + 2 * share))
                step += 1
                if step == len(counts):
                    break
        for _ in range(step, len(counts)):  # fewer neighbours than asked for
            out[i] += np.log((of_stream + 2 * share) / (number * share + 2 * share))
    return out / len(counts)
