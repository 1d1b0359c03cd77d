"""The novelty score on classes that lie apart: it finds what lies elsewhere, is finite, and reads what it wrote."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from models.bundle import BundleError
from models.evaluation import auc
from models.scoring.class_scale import ClassScale
from models.scoring.embedding import Embedding
from models.scoring.fusion import Fusion, Scale
from models.scoring.novelty import Novelty
from models.scoring.scalars import SCALARS, scalars
from tests.unit.models.scoring.made_evidence import (
    CENTRES,
    drawn,
    evidence_of,
    gaussians_of,
    identity_scores,
    output_of,
)


def made() -> Novelty:
    rng = np.random.default_rng(5)
    normal, label = drawn(rng, CENTRES, 400)
    detections = rng.integers(1, 30, len(label))
    gaussians = gaussians_of(normal, label)
    evidence = evidence_of(gaussians, normal, detections)
    scales = [
        ClassScale.fit(distances, label, detections, (distances, label, detections))
        for distances in (evidence.normal_distances, evidence.latent_distances)
    ]
    columns = scalars(evidence, *scales)
    weight = np.zeros(len(SCALARS))
    weight[SCALARS.index("latent_z_mean")] = 1.0
    scale, fusion = Scale.fit(columns, detections), Fusion(weight, (), np.zeros(()))
    score = fusion.score(scale.apply(columns, detections))
    return Novelty(
        *(identity_scores(4), gaussians, *scales, scale, fusion),
        Embedding.fit(normal, evidence, columns, score),
    )


NOVELTY = made()


def score(normal: np.ndarray, detections: np.ndarray) -> np.ndarray:
    return NOVELTY.score(NOVELTY.evidence(normal, output_of(normal), normal[:, :3], detections))


def test_it_finds_what_lies_elsewhere_and_calls_the_known_typical() -> None:
    rng = np.random.default_rng(6)
    typical, _ = drawn(rng, CENTRES, 300)
    hidden, _ = drawn(rng, np.array([[0.0, 0, 0, 6.0]]), 300)
    detections = rng.integers(1, 30, 1200)
    scores = score(np.concatenate([typical, hidden]), detections)
    assert auc(scores, np.arange(1200) >= 900) > 0.99
    assert np.median(scores[:900]) == pytest.approx(0, abs=0.15)


@given(arrays(np.float64, (3, 4), elements=st.floats(-1e6, 1e6)), st.integers(0, 10_000))
def test_the_score_and_the_vectors_are_finite(normal: np.ndarray, detections: int) -> None:
    evidence = NOVELTY.evidence(normal, output_of(normal), normal[:, :3], np.full(3, detections))
    vectors = NOVELTY.vectors(evidence)
    assert np.isfinite(vectors.score).all()
    assert np.isfinite(vectors.near).all()
    assert np.isfinite(vectors.wide).all()
    np.testing.assert_array_equal(vectors.score, NOVELTY.score(evidence))


def test_it_reads_what_it_wrote(tmp_path: Path) -> None:
    NOVELTY.save(tmp_path / "novelty.npz")
    again = Novelty.load(tmp_path / "novelty.npz")
    normal, _ = drawn(np.random.default_rng(7), CENTRES, 5)
    evidence = again.evidence(normal, output_of(normal), normal[:, :3], np.arange(15))
    np.testing.assert_array_equal(again.score(evidence), score(normal, np.arange(15)))
    np.testing.assert_array_equal(again.vectors(evidence).near, NOVELTY.vectors(evidence).near)


def test_a_file_without_an_array_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "novelty.npz", fusion=np.ones(5))
    with pytest.raises(BundleError, match=r"novelty\.npz: no novelty score .*quantiles.*gueststar train"):
        Novelty.load(tmp_path / "novelty.npz")
