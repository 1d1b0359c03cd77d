"""Weights of the novelty score from hiding classes, on clusters in a few features."""

from __future__ import annotations

import numpy as np
import pytest

from models.evaluation import auc
from models.scoring.scalars import SCALARS
from models.training import novelty_training
from models.training.novelty_training import LEAST_SNAPSHOTS, Scene, fused, hideable, rehearsal_rows, rehearse
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
    scenes = [rehearse(rows, class_id, seed=1) for class_id in (10, 50)]
    for scene in scenes:
        assert scene.weight[scene.is_hidden].sum() == pytest.approx(scene.weight[~scene.is_hidden].sum())
        assert np.isfinite(scene.scaled).all()
    fusion = fused(scenes[:1])
    assert auc(fusion.score(scenes[1].scaled), scenes[1].is_hidden) > 0.95


def test_hidden_objects_are_not_learnt_and_known_ones_are_of_the_other_half() -> None:
    rows = clusters()
    scene = rehearse(rows, 20, seed=1)
    assert scene.is_hidden.sum() == (rows.class_id == 20).sum()
    assert 0.3 < (~scene.is_hidden).sum() / (rows.class_id != 20).sum() < 0.7


def test_each_scene_counts_the_same() -> None:
    """A scene that is repeated row by row changes no weight."""
    rng = np.random.default_rng(9)

    def scene(strong: int, repeated: int) -> Scene:
        scaled = rng.normal(size=(400, len(SCALARS)))
        is_hidden = np.arange(400) % 2 == 0
        scaled[is_hidden, strong] += 2
        times = np.repeat(np.arange(400), repeated)
        return Scene(scaled[times], is_hidden[times], np.ones(len(times)) / len(times))

    one, other = scene(0, 1), scene(1, 1)
    repeated = Scene(
        *(np.repeat(getattr(other, name), 5, axis=0) for name in ("scaled", "is_hidden")),
        np.repeat(other.weight, 5) / 5,
    )
    assert fused([one, other]).weight == pytest.approx(fused([one, repeated]).weight, abs=0.02)


def test_without_scenes_the_distance_to_the_most_probable_class_counts() -> None:
    weight = fused([]).weight
    assert weight[SCALARS.index("latent_z_leader")] == 1
    assert np.count_nonzero(weight) == 1


def test_no_class_is_hidden_in_a_small_or_narrow_set(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = clusters()
    assert len(rows) < LEAST_SNAPSHOTS
    assert hideable(rows) == []
    monkeypatch.setattr(novelty_training, "LEAST_SNAPSHOTS", 100)
    assert hideable(rows) == list(CLASSES)
    assert hideable(rows.select(rows.class_id < 40)) == []


def test_the_part_for_hiding_has_a_largest_size(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = clusters()
    assert len(rehearsal_rows(rows, 1)) == len(rows)
    monkeypatch.setattr(novelty_training, "REHEARSAL_SNAPSHOTS", 300)
    assert 200 < len(rehearsal_rows(rows, 1)) < 400
