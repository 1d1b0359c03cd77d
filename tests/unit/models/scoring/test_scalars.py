"""Numbers of strangeness against their definitions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon
from scipy.special import logsumexp, softmax
from scipy.stats import entropy

from models.scoring.class_scale import ClassScale
from models.scoring.evidence import Evidence, centred
from models.scoring.scalars import SCALARS, scalars


def made(n: int, k: int, seed: int = 0, size: float = 3.0) -> Evidence:
    rng = np.random.default_rng(seed)
    logits, trees, near, far = (rng.normal(scale=size, size=(n, k)) for _ in range(4))
    of_classes = (centred(logits), centred(trees), near, far)
    return Evidence(*of_classes, rng.normal(size=n), np.zeros((n, 5)), rng.random(n), rng.integers(0, 40, n))


def unscaled(k: int) -> ClassScale:
    return ClassScale(np.zeros((5, k)), np.ones((5, k)))


def columns(evidence: Evidence) -> dict[str, np.ndarray]:
    k = evidence.logits.shape[1]
    return dict(zip(SCALARS, scalars(evidence, unscaled(k), unscaled(k)).T, strict=True))


def test_those_of_logits() -> None:
    evidence = made(50, 6)
    column, z = columns(evidence), evidence.logits
    assert column["entropy"] == pytest.approx(entropy(softmax(z, axis=1), axis=1), abs=1e-9)
    assert column["energy"] == pytest.approx(-logsumexp(z, axis=1))
    assert column["logit_norm"] == pytest.approx(np.linalg.norm(z, axis=1))
    falling = -np.sort(-z, axis=1)
    assert column["logit_gap_to_third"] == pytest.approx(falling[:, 0] - falling[:, 2])
    assert column["log_detections"] == pytest.approx(np.log(np.maximum(evidence.detections, 1)))


def test_those_of_distances() -> None:
    evidence = made(50, 6)
    column, d = columns(evidence), evidence.latent_distances
    leader = evidence.logits.argmax(axis=1)
    assert column["latent_least"] == pytest.approx(d.min(axis=1))
    assert column["latent_gap"] == pytest.approx(np.sort(d, axis=1)[:, 1] - d.min(axis=1))
    assert column["latent_z_leader"] == pytest.approx(d[np.arange(50), leader])
    p = softmax(evidence.logits, axis=1)
    assert column["latent_z_mean"] == pytest.approx((p * np.clip(d, -5, 10)).sum(axis=1))


def test_those_of_trees() -> None:
    evidence = made(50, 6)
    column = columns(evidence)
    p, q = (softmax(logits, axis=1) for logits in (evidence.logits, evidence.tree_logits))
    assert column["tree_divergence"] == pytest.approx(jensenshannon(p, q, axis=1) ** 2, abs=1e-9)
    assert column["tree_entropy"] == pytest.approx(entropy(q, axis=1), abs=1e-9)
    leader = evidence.tree_logits.argmax(axis=1)
    assert column["tree_z_leader"] == pytest.approx(evidence.latent_distances[np.arange(50), leader])
    both = evidence.latent_distances + evidence.normal_distances
    assert column["both_z_least"] == pytest.approx(both.min(axis=1))


@given(st.integers(2, 8), st.integers(1, 5), st.floats(0, 200), st.integers(0, 9))
def test_finite_for_any_number_of_classes(k: int, n: int, size: float, seed: int) -> None:
    evidence = made(n, k, seed, size)
    assert np.isfinite(scalars(evidence, unscaled(k), unscaled(k))).all()


@given(st.permutations(range(5)))
def test_the_order_of_the_classes_does_not_count(order: list[int]) -> None:
    evidence = made(20, 5)
    turned = Evidence(
        *(
            getattr(evidence, name)[:, order]
            for name in ("logits", "tree_logits", "latent_distances", "normal_distances")
        ),
        *(evidence.common_distance, evidence.normal, evidence.disagreement, evidence.detections),
    )
    one, other = (scalars(e, unscaled(5), unscaled(5)) for e in (evidence, turned))
    assert one == pytest.approx(other)
