"""Groups and evidence: alike objects are one discovery, and what is named is what was put in."""

from __future__ import annotations

import numpy as np

from models.discovery.evidence import evidence
from models.discovery.groups import groups
from models.discovery.objects import Objects


def test_two_clusters_and_a_loner_are_three_discoveries() -> None:
    rng = np.random.default_rng(1)
    at = np.concatenate([rng.normal(0, 0.3, (20, 4)), rng.normal(9, 0.3, (12, 4)), [[30, -30, 0, 0]]])
    group = groups(at.astype(np.float32))
    assert (group[:20] == 0).all()
    assert (group[20:32] == 1).all()
    assert group[32] == 2


def test_a_few_objects_are_alone() -> None:
    assert groups(np.zeros((3, 2), np.float32)).tolist() == [0, 1, 2]
    assert groups(np.zeros((0, 2), np.float32)).tolist() == []


def test_evidence_names_the_nearest_and_the_feature_that_is_odd() -> None:
    rng = np.random.default_rng(2)
    features = rng.normal(size=(100, 3)).astype(np.float32)
    features[::7, 0] = np.nan
    nulls = Objects(np.arange(100), features[:, 1:], np.arange(100) % 2, np.zeros(100), features, ("a", "b", "c"))
    odd = np.array([[0, 9, 0], [0, 0, -9], [0, 8, 0]], np.float32)
    stream = Objects(np.arange(200, 203), odd[:, 1:], np.zeros(3, int), np.zeros(3), odd, ("a", "b", "c"))
    first, second = evidence(stream, nulls, np.array([0, 1]), stream.vectors[:2], nulls.vectors)
    assert (first.drivers[0].feature, second.drivers[0].feature) == ("b", "c")
    assert first.drivers[0].deviation > 5
    assert second.drivers[0].deviation < -5
    assert (first.nearest_novel, second.nearest_novel) == ((1,), (0,))
    nearest = np.argmin(np.linalg.norm(nulls.vectors - stream.vectors[0], axis=1))
    assert first.nearest_nulls[0] == nearest
    assert first.nearest_classes[0] == nearest % 2
