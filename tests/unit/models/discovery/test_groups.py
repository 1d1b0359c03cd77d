"""Groups and evidence: alike objects are one discovery, and what is named is what was put in."""

from __future__ import annotations

import numpy as np
import pytest

from models.discovery import groups as group_module
from models.discovery.evidence import evidence
from models.discovery.groups import groups, usual_distance
from models.discovery.objects import Objects


def test_two_clusters_and_a_loner_are_three_discoveries() -> None:
    rng = np.random.default_rng(1)
    at = np.concatenate([rng.normal(0, 0.3, (20, 4)), rng.normal(9, 0.3, (12, 4)), [[30, -30, 0, 0]]])
    nulls = rng.normal(0, 0.5, (50, 4)).astype(np.float32)
    group = groups(at.astype(np.float32), nulls, np.zeros(50, int))
    assert (group[:20] == 0).all()
    assert (group[20:32] == 1).all()
    assert group[32] == 2


def test_a_group_is_as_wide_as_a_class_is() -> None:
    at = np.random.default_rng(1).normal(0, 1, (60, 30)).astype(np.float32)
    nulls = np.random.default_rng(2).normal(5, 1, (200, 30)).astype(np.float32)
    one_class, two = np.zeros(200, int), np.arange(200) % 2
    assert usual_distance(nulls, one_class) == pytest.approx(np.sqrt(2 * 30), rel=0.03)  # of a chi distribution
    assert (groups(at, 1.2 * nulls, two) == 0).all()
    assert groups(at, 0.3 * nulls, two).max() == 59


def test_without_nulls_only_the_same_place_is_alike() -> None:
    nothing, no_class = np.zeros((0, 2), np.float32), np.zeros(0, int)
    assert groups(np.array([[0, 0], [1, 0], [0, 0]], np.float32), nothing, no_class).tolist() == [0, 1, 0]
    assert groups(nothing, nothing, no_class).tolist() == []
    assert groups(np.zeros((1, 2), np.float32), nothing, no_class).tolist() == [0]


def test_more_places_than_are_compared_with_each_other_join_the_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    at = np.where(rng.random(300)[:, None] < 0.4, 8.0, 0.0) + rng.normal(0, 0.3, (300, 5))
    nulls = rng.normal(0, 0.6, (100, 5)).astype(np.float32)
    every = groups(at.astype(np.float32), nulls, np.zeros(100, int))
    monkeypatch.setattr(group_module, "MOST_PLACES", 100)
    np.testing.assert_array_equal(groups(at.astype(np.float32), nulls, np.zeros(100, int)), every)


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
