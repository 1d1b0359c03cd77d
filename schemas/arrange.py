"""Points in any order → sorted by alert, time and band, without repeats and without what cannot be used."""

# mypy: allow-untyped-defs
from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def arrange(owner, time, flux, flux_err, band, is_detection, precedence, latest, n_bands, err_least, flux_limit):
    """Points by alert, sorted by time and then band, one of those at one time in one band.

    ``owner`` (points,): each point's alert, 0 to n - 1; ``precedence`` (points,): of several at one time in one band
    the lowest counts, the first given where they are equal; ``latest`` (n,): the alert's time, after which no point
    is kept. Returns (offsets (n + 1,), time, flux, error, band, is_detection, points dropped of each alert (n,));
    dropped are those not finite, with a flux or error of ``flux_limit`` or more, an error below ``err_least``, or no
    band below ``n_bands``, not those that are later.
    """
    n = len(latest)
    ends, dropped = np.zeros(n + 1, np.int64), np.zeros(n, np.int64)
    good = np.empty(len(owner), np.bool_)
    for i in range(len(owner)):
        alert = owner[i]
        usable = np.isfinite(time[i]) and np.isfinite(flux[i]) and np.isfinite(flux_err[i])
        usable = usable and err_least <= flux_err[i] < flux_limit and 0 <= band[i] < n_bands
        usable = usable and abs(flux[i]) < flux_limit
        dropped[alert] += not usable
        good[i] = usable and time[i] <= latest[alert]
        ends[alert + 1] += good[i]
    begins = np.cumsum(ends)
    order = _by_alert(owner, good, begins)
    offsets, detected = np.zeros(n + 1, np.int64), np.empty(len(order), np.bool_)
    scratch = np.empty(len(order), np.int64)
    kept = 0
    for alert in range(n):
        rows = order[begins[alert] : begins[alert + 1]]
        _sort(rows, scratch, time, band)
        for i in rows:
            if kept > offsets[alert] and time[order[kept - 1]] == time[i] and band[order[kept - 1]] == band[i]:
                detected[kept - 1] |= is_detection[i]
                if precedence[i] < precedence[order[kept - 1]]:
                    order[kept - 1] = i
            else:
                order[kept], detected[kept] = i, is_detection[i]
                kept += 1
        offsets[alert + 1] = kept
    order = order[:kept]
    return offsets, time[order], flux[order], flux_err[order], band[order], detected[:kept].copy(), dropped


@njit(cache=True, nogil=True)
def _by_alert(owner, good, begins):
    """The good points' numbers, alert by alert, each alert's in the order given."""
    free = begins[:-1].copy()
    order = np.empty(begins[-1], np.int64)
    for i in range(len(owner)):
        if good[i]:
            order[free[owner[i]]] = i
            free[owner[i]] += 1
    return order


@njit(cache=True, nogil=True)
def _is_after(a, b, time, band):
    return time[a] > time[b] or (time[a] == time[b] and band[a] > band[b])


@njit(cache=True, nogil=True)
def _sort(rows, scratch, time, band):
    """Sort stably in place by merging the stretches that are sorted already: a packet's history is a few of them."""
    while True:
        start = merged = 0
        while start < len(rows):
            middle = _stretch_end(rows, start, time, band)
            end = _stretch_end(rows, middle, time, band)
            _merge(rows, start, middle, end, scratch, time, band)
            merged, start = merged + 1, end
        if merged <= 1:
            return


@njit(cache=True, nogil=True)
def _stretch_end(rows, start, time, band):
    end = min(start + 1, len(rows))
    while start < end < len(rows) and not _is_after(rows[end - 1], rows[end], time, band):
        end += 1
    return end


@njit(cache=True, nogil=True)
def _merge(rows, start, middle, end, scratch, time, band):
    if middle in (start, end):
        return
    scratch[start:middle] = rows[start:middle]
    left, right = start, middle
    for place in range(start, end):
        if left == middle:
            return
        if right == end or not _is_after(scratch[left], rows[right], time, band):
            rows[place] = scratch[left]
            left += 1
        else:
            rows[place] = rows[right]
            right += 1
