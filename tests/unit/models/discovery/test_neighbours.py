"""Neighbours are those of scikit-learn; the crowding is its formula, counted by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.neighbors import NearestNeighbors

from models.discovery.neighbours import COUNTS, crowding, nearest


@pytest.mark.parametrize(("n", "r", "k"), [(700, 1500, 140), (3, 9, 20), (5, 1, 1)])
def test_neighbours_are_those_of_scikit_learn(n: int, r: int, k: int) -> None:
    rng = np.random.default_rng(3)
    points, reference = rng.normal(size=(n, 12)).astype(np.float32), rng.normal(size=(r, 12)).astype(np.float32)
    expected = NearestNeighbors(n_neighbors=min(k, r), algorithm="brute").fit(reference.astype(float))
    distance, index = expected.kneighbors(points.astype(float))
    listed = nearest(points, reference, k)
    assert (listed == index).mean() > 0.999  # 32 bits swap a few that are as near as each other
    there = np.linalg.norm(points[:, None].astype(float) - reference[listed].astype(float), axis=2)
    assert np.abs(there - distance).max() < 1e-4


def test_an_object_is_not_its_own_neighbour() -> None:
    x = np.random.default_rng(4).normal(size=(40, 3)).astype(np.float32)
    listed = nearest(x, x, 39, np.arange(40))
    assert all(sorted(row) == [j for j in range(40) if j != i] for i, row in enumerate(listed))
    assert (nearest(x, x, 40, np.arange(40))[:, 39] == -1).all()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(5, 150))
def test_crowding_is_its_formula(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 2)).astype(np.float32)
    origin = rng.choice([-1, 0, 1], n).astype(np.int8)
    origin[0] = 1
    listed = nearest(x, x, n - 1, np.arange(n))
    rows = np.flatnonzero(origin >= 0)
    share = (origin == 1).sum() / (origin >= 0).sum()
    expected = []
    for row in rows:
        kinds = [origin[j] for j in listed[row] if origin[j] >= 0]
        expected.append(
            np.mean([np.log((sum(kinds[:k]) + 2 * share) / (len(kinds[:k]) * share + 2 * share)) for k in COUNTS])
        )
    np.testing.assert_allclose(crowding(listed, origin, rows), expected, atol=1e-9)
