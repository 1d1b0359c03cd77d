"""Trees from alerts whose class was hidden."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.evaluation import auc
from models.scoring.arrays import flat, rebuilt
from models.scoring.fusion import Fusion
from models.scoring.scalars import SCALARS
from models.training.fusion_training import SCENE_ALERTS, Scene, fused


def scene(rng: np.random.Generator, telling: int, n: int = 600) -> Scene:
    """Alerts of which the hidden ones are larger in one scalar, by two standard deviations."""
    scaled = rng.normal(size=(n, len(SCALARS))).astype(np.float32)
    is_hidden = np.arange(n) % 2 == 0
    scaled[is_hidden, telling] += 2
    return Scene(scaled, is_hidden, np.full(n, 1 / n))


def test_what_tells_hidden_alerts_in_other_scenes_counts() -> None:
    rng = np.random.default_rng(1)
    fusion = fused([scene(rng, 3), scene(rng, 3)], seed=1)
    new = scene(rng, 3)
    assert auc(fusion.score(new.scaled.astype(np.float64)), new.is_hidden) > 0.88  # the best possible is 0.92


def test_a_scene_is_cut_to_its_largest_size_and_keeps_its_balance() -> None:
    large = scene(np.random.default_rng(3), 0, n=3 * SCENE_ALERTS)
    few = large.few(seed=1)
    assert len(few.weight) == pytest.approx(SCENE_ALERTS, rel=0.05)
    assert few.weight[few.is_hidden].sum() == pytest.approx(0.5)
    assert few.weight.sum() == pytest.approx(1)


def test_without_scenes_the_distance_to_the_most_probable_class_counts() -> None:
    fusion = fused([], seed=1)
    scaled = np.random.default_rng(4).normal(size=(9, len(SCALARS)))
    assert fusion.score(scaled) == pytest.approx(scaled[:, SCALARS.index("latent_z_leader")])


def test_a_fusion_with_trees_comes_back_from_its_arrays(tmp_path: Path) -> None:
    fusion = fused([scene(np.random.default_rng(5), 1)], seed=1)
    np.savez(tmp_path / "fusion.npz", **flat(fusion))
    again = rebuilt(Fusion, dict(np.load(tmp_path / "fusion.npz")))
    scaled = np.random.default_rng(6).normal(size=(50, len(SCALARS)))
    np.testing.assert_array_equal(again.score(scaled), fusion.score(scaled))
