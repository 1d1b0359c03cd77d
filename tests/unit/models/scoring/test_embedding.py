"""Vectors of objects: scaled by constants, so that a row does not depend on the others."""

from __future__ import annotations

import numpy as np
import pytest

from models.scoring.embedding import BLOCK_WEIGHTS, COMPONENTS, Embedding
from models.scoring.evidence import Evidence, centred

K, F, S, N = 4, 30, 6, 3_000


def made(n: int, seed: int) -> tuple[Evidence, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    logits, distances = rng.normal(size=(2, n, K))
    normal = rng.normal(size=(n, F)) * np.linspace(0.5, 1.5, F)
    of_classes = (centred(logits), centred(logits), distances, distances)
    evidence = Evidence(*of_classes, np.zeros(n), normal, np.zeros(n), np.full(n, 5))
    return evidence, rng.normal(size=(n, S)), rng.normal(size=n)


@pytest.fixture(scope="module")
def embedding() -> Embedding:
    evidence, scalars, score = made(N, 0)
    return Embedding.fit(evidence.normal, evidence, scalars, score)


def test_shapes_and_types(embedding: Embedding) -> None:
    vectors = embedding.vectors(*made(7, 1))
    assert vectors.near.shape == (7, 2 * K + COMPONENTS + S) == (len(vectors), vectors.near.shape[1])
    assert vectors.wide.shape == (7, vectors.near.shape[1] + 1)
    assert vectors.near.dtype == vectors.wide.dtype == np.float32
    assert np.abs(vectors.wide).max() <= 4


def test_each_block_has_its_share_of_the_squared_distance(embedding: Embedding) -> None:
    near = embedding.vectors(*made(N, 2)).near
    edges = np.cumsum([0, K, K, COMPONENTS, S])
    for first, last, weight in zip(edges[:-1], edges[1:], BLOCK_WEIGHTS, strict=True):
        assert near[:, first:last].var(axis=0).sum() == pytest.approx(weight**2, rel=0.1)


def test_principal_components_are_white_and_of_the_largest_variance(embedding: Embedding) -> None:
    evidence, scalars, score = made(N, 3)
    principal = embedding.vectors(evidence, scalars, score).near[:, 2 * K : 2 * K + COMPONENTS]
    correlation = np.cov(principal, rowvar=False) * COMPONENTS
    assert correlation == pytest.approx(np.eye(COMPONENTS), abs=0.15)
    assert np.abs(embedding.components).sum(axis=1).argmin() < 10  # the features of small variance hardly count


def test_a_row_does_not_depend_on_the_others(embedding: Embedding) -> None:
    evidence, scalars, score = made(40, 4)
    whole = embedding.vectors(evidence, scalars, score)
    few = Evidence(
        **{
            name: None if part is None else part[3:5]
            for name, part in ((name, getattr(evidence, name)) for name in Evidence.__slots__)
        }
    )
    assert embedding.vectors(few, scalars[3:5], score[3:5]).near == pytest.approx(whole.near[3:5], abs=1e-6)
