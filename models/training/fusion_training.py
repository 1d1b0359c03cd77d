"""Trees that turn scalars of strangeness into one score, fitted on alerts whose class was hidden."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.class_weights import balanced
from models.hashing import uniform
from models.scoring.fusion import Fusion
from models.scoring.scalars import SCALARS
from models.scoring.trees import Trees

Array = NDArray[np.float64]

SCENE_ALERTS = 4_000
"""Most alerts of a scene that are used."""

BOOSTING: dict[str, Any] = {
    "learning_rate": 0.08,
    "max_iter": 60,
    "max_leaf_nodes": 12,
    "max_bins": 63,
    "min_samples_leaf": 40,
    "l2_regularization": 5.0,
    "max_features": 0.4,
    "early_stopping": False,
}
"""Parameters of the trees, as scikit-learn names them."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Scaled scalars (n, scalars) of alerts that the models did not learn from, whether their class was hidden from
    the models too, and weights, of which known and hidden alerts have the same sum."""

    scaled: NDArray[np.float32]
    is_hidden: NDArray[np.bool_]
    weight: Array

    def few(self, seed: int) -> Scene:
        """At most :data:`SCENE_ALERTS` of the alerts, drawn by seed."""
        shown = uniform(np.arange(len(self.weight)), seed) < SCENE_ALERTS / max(len(self.weight), 1)
        weight = balanced(self.is_hidden[shown], self.weight[shown]) / max(shown.sum(), 1)
        return Scene(self.scaled[shown], self.is_hidden[shown], weight)


def fused(scenes: Sequence[Scene], seed: int) -> Fusion:
    """The trees that tell hidden from known alerts best in all ``scenes`` together; every scene counts the same.

    Without any scene only the distance to the most probable class counts.
    """
    weight = np.zeros(len(SCALARS))
    if not scenes:
        weight[SCALARS.index("latent_z_leader")] = 1.0
        return Fusion(weight, (), np.zeros(()))
    from sklearn.ensemble import HistGradientBoostingClassifier  # here: the import takes seconds
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    drawn = [scene.few(seed + i) for i, scene in enumerate(scenes)]
    scaled, is_hidden, share = (np.concatenate([getattr(scene, name) for scene in drawn]) for name in Scene.__slots__)
    with threadpool_limits(1, user_api="openmp"):
        model = HistGradientBoostingClassifier(random_state=seed, **BOOSTING)
        model.fit(scaled, is_hidden, sample_weight=share / share.mean())
    return Fusion(weight, (Trees.of(model),), np.zeros(()))
