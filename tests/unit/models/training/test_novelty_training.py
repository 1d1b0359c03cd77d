"""Weights of the novelty score from hiding classes, on clusters in a few features."""

from __future__ import annotations

import numpy as np
import pytest

from models.evaluation import auc
from models.training import novelty_training
from models.training.fusion_training import fused
from models.training.novelty_training import LEAST_SNAPSHOTS, hideable, rehearsal_rows, rehearse
from models.training.training_rows import TrainingRows

CLASSES = (10, 20, 30, 40, 50)


def clusters(per_class: int = 150) -> TrainingRows:
    """Five classes, each about a corner of its own; two snapshots an object."""
    rng = np.random.default_rng(8)
    label = np.repeat(np.arange(len(CLASSES)), per_class)
    features = 4 * np.eye(len(CLASSES), 8)[label] + rng.normal(size=(len(label), 8))
    n = len(label)
    ones, missing = np.ones(n), np.full(n, np.nan)
    return TrainingRows(
        features=np.where(rng.random(features.shape) < 0.05, np.nan, features),
        class_id=np.array(CLASSES)[label],
        object_id=np.arange(n) // 2,
        weight=ones / 2,
        stream_weight=ones / 2,
        detections=rng.integers(1, 30, n),
        is_last=np.arange(n) % 2 == 1,
        split=np.full(n, "train"),
        host_photoz=missing,
        host_photoz_err=missing,
    )


def test_a_hidden_cluster_is_told_from_the_known_ones() -> None:
    """The weights come from another hidden class; the scene of the second only measures them."""
    rows = clusters()
    scenes = [rehearse(rows, [class_id], seed=1)[0] for class_id in (10, 50)]
    for scene in scenes:
        assert scene.weight[scene.is_hidden].sum() == pytest.approx(scene.weight[~scene.is_hidden].sum())
        assert np.isfinite(scene.scaled).all()
    fusion = fused(scenes[:1], seed=1)
    assert auc(fusion.score(scenes[1].scaled), scenes[1].is_hidden) > 0.95


def test_hidden_objects_are_not_learnt_and_known_ones_are_of_the_other_half() -> None:
    rows = clusters()
    scene, other = rehearse(rows, [20, 40], seed=1)
    assert scene.is_hidden.sum() == (rows.class_id == 20).sum()
    assert other.is_hidden.sum() == (rows.class_id == 40).sum()
    assert 0.3 < (~scene.is_hidden).sum() / (~np.isin(rows.class_id, (20, 40))).sum() < 0.7


def test_no_class_is_hidden_in_a_small_or_narrow_set(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = clusters()
    assert len(rows) < LEAST_SNAPSHOTS
    assert hideable(rows) == []
    monkeypatch.setattr(novelty_training, "LEAST_SNAPSHOTS", 100)
    assert hideable(rows) == [[class_id] for class_id in CLASSES]
    monkeypatch.setattr(novelty_training, "GROUPS", 2)
    assert hideable(rows) == [[10, 30, 50], [20, 40]]
    assert hideable(rows.select(rows.class_id < 40)) == []


def test_the_part_for_hiding_has_a_largest_size(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = clusters()
    assert len(rehearsal_rows(rows, 1)) == len(rows)
    monkeypatch.setattr(novelty_training, "REHEARSAL_SNAPSHOTS", 300)
    assert 200 < len(rehearsal_rows(rows, 1)) < 400
