"""Which rows of several data sets are the same object: by id, by name, and on the real sky by position."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from models.datasets.truth import Truth

SAME_OBJECT_ARCSEC = 1.5
"""Positions of real surveys within this radius are the same object. The surveys use it for their own associations."""

SAME_PLACE_DEG, SAME_PEAK_DAYS = 1e-3, 0.1
"""Tables of one simulation differ in the digits of positions and peaks. Larger differences mean two objects."""


def groups(
    object_id: NDArray[np.int64], set_number: NDArray[np.int64], ra_deg: NDArray, dec_deg: NDArray, truth: Truth
) -> NDArray[np.int64]:
    """A number for each row, shape (n,), the same for rows that are the same object.

    Two rows are the same object in any of three cases:

    - They have the same id. Exception: releases of simulations may count their objects in the same way, so simulated
      objects with different positions or peak times are two objects.
    - Both are on the real sky and share a name, of either kind. Case and the blank of "SN 2021rhu" do not matter.
    - Both are on the real sky within 1.5 arcsec of each other, and come from different sets (``set_number``).

    Positions and names of simulations are never compared: many simulations put all objects of a field at one place, and
    their running numbers coincide by chance. The relation is transitive: chains of pairs are one object.
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
    """Pairs (m, 2) of rows with the same id, without simulated ones that are two objects by their truth."""
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
            differs |= np.abs(values[one] - values[other]) > tolerance  # False where one is unknown
        is_one = ~differs | (truth.on_sky[one] & truth.on_sky[other])
        pairs.append(np.stack([one[is_one], other[is_one]], axis=1))
    return np.concatenate(pairs)


def _plain(names: NDArray[np.str_]) -> NDArray[np.str_]:
    """The name in lower case, without blanks; an IAU designation may have its prefix, SN or AT, or not."""
    lower = [str(name).lower().replace(" ", "") for name in names]
    return np.array([text[2:] if text[:2] in ("sn", "at") and text[2:6].isdigit() else text for text in lower], np.str_)


def _equal(values: NDArray[np.str_], owner: NDArray[np.int64]) -> NDArray[np.int64]:
    """Pairs (m, 2) of owners of equal values: each with the first that has the value."""
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
