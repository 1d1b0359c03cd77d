"""Which objects of several data sets are one and the same: by id, by name, and on the real sky by position."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from models.datasets.truth import Truth

SAME_OBJECT_ARCSEC = 1.5
"""Two positions of real surveys this close are one object: the radius within which the surveys themselves associate."""

SAME_PLACE_DEG, SAME_PEAK_DAYS = 1e-3, 0.1
"""Tables of one simulation give positions and peaks with fewer digits or more; what differs by more is two objects."""


def groups(
    object_id: NDArray[np.int64], set_number: NDArray[np.int64], ra_deg: NDArray, dec_deg: NDArray, truth: Truth
) -> NDArray[np.int64]:
    """A number for each row, shape (n,), alike for rows that are one object.

    Rows are one object where they have the same id and nothing speaks against it: releases of simulations count their
    objects alike, so that two whose positions or times of the peak differ are two; or share a name (of either kind,
    letter case and the blank of "SN 2021rhu" aside) and both lie on the real sky; or lie within 1.5 arcsec of each
    other on the real sky and come from different sets (``set_number``). Positions and names of simulations are never
    compared: many simulations put all objects of a field at one place, and their running numbers meet by chance. What
    is joined by one neighbour is joined as a whole.
    """
    links = [_same_id(object_id, ra_deg, dec_deg, truth)]
    real = np.flatnonzero(truth.on_sky)
    names = np.concatenate([_plain(truth.name[real]), _plain(truth.other_name[real])])
    owner = np.concatenate([real, real])
    links.append(_equal(names[names != ""], owner[names != ""]))
    links.append(_near(real, set_number, ra_deg, dec_deg))
    pairs = np.concatenate(links)
    n = len(object_id)
    graph = coo_array((np.ones(len(pairs), bool), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    return np.asarray(connected_components(graph, directed=False)[1], np.int64)


def _same_id(object_id: NDArray[np.int64], ra_deg: NDArray, dec_deg: NDArray, truth: Truth) -> NDArray[np.int64]:
    """Pairs (m, 2) of rows with the same id, but for simulated ones of which the truth says that they are two."""
    order = np.argsort(object_id, kind="stable")
    pairs = [np.empty((0, 2), np.int64)]
    for step in range(1, int(np.unique(object_id, return_counts=True)[1].max(initial=0))):
        one, other = order[:-step], order[step:]
        same = object_id[one] == object_id[other]
        one, other = one[same], other[same]
        differs = np.zeros(len(one), bool)
        for values, tolerance in (
            (ra_deg, SAME_PLACE_DEG), (dec_deg, SAME_PLACE_DEG), (truth.peak_mjd, SAME_PEAK_DAYS),
        ):  # fmt: skip
            differs |= np.abs(values[one] - values[other]) > tolerance  # False where one is not known
        is_one = ~differs | (truth.on_sky[one] & truth.on_sky[other])
        pairs.append(np.stack([one[is_one], other[is_one]], axis=1))
    return np.concatenate(pairs)


def _plain(names: NDArray[np.str_]) -> NDArray[np.str_]:
    """In lower case, without blanks; the IAU's designation comes with its prefix, SN or AT, or without."""
    lower = [str(name).lower().replace(" ", "") for name in names]
    return np.array([text[2:] if text[:2] in ("sn", "at") and text[2:6].isdigit() else text for text in lower], np.str_)


def _equal(values: NDArray[np.str_], owner: NDArray[np.int64]) -> NDArray[np.int64]:
    """Pairs (m, 2) of the owners of equal values: each with the first that has it."""
    _, first, which = np.unique(values, return_index=True, return_inverse=True)
    pairs = np.stack([owner[first[which]], owner], axis=1)
    return np.asarray(pairs[pairs[:, 0] != pairs[:, 1]], np.int64)


def _near(real: NDArray[np.int64], set_number: NDArray[np.int64], ra_deg: NDArray, dec_deg: NDArray) -> NDArray:
    with_position = real[np.isfinite(ra_deg[real]) & np.isfinite(dec_deg[real])]
    if len(np.unique(set_number[with_position])) < 2:
        return np.empty((0, 2), np.int64)
    from astropy import units
    from astropy.coordinates import SkyCoord

    places = SkyCoord(ra_deg[with_position], dec_deg[with_position], unit="deg")
    one, other, _, _ = places.search_around_sky(places, SAME_OBJECT_ARCSEC * units.arcsec)
    apart = set_number[with_position[one]] != set_number[with_position[other]]
    return np.stack([with_position[one[apart]], with_position[other[apart]]], axis=1).astype(np.int64)
