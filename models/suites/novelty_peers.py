"""What others do with the same objects: isolation forests, one or one for each class, and AdaDetect with trees."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

TREES, SAMPLES = 100, 256


def isolation_forest(learnt: Array, shown: Array, seed: int) -> Array:
    """The anomaly score of the rows of ``shown`` by a forest of ``learnt`` (doi:10.1109/ICDM.2008.17)."""
    from sklearn.ensemble import IsolationForest

    forest = IsolationForest(n_estimators=TREES, max_samples=min(SAMPLES, len(learnt)), random_state=seed, n_jobs=1)
    return np.asarray(-forest.fit(learnt).score_samples(shown))


def multi_class_forest(learnt: Array, class_index: NDArray[np.int64], shown: Array, seed: int) -> Array:
    """The least anomaly score of the forests of all classes, in the latent space of a network (arXiv:2403.14742)."""
    of_classes = [isolation_forest(learnt[class_index == c], shown, seed) for c in np.unique(class_index)]
    return np.min(of_classes, axis=0)


def adadetect_with_trees(vectors: NDArray[np.float32], n_nulls: int, seed: int) -> tuple[Array, NDArray[np.bool_]]:
    """AdaDetect (arXiv:2208.06685): boosted trees tell half of the nulls from the rest and the stream together.

    ``vectors``: of nulls and then stream. Returns the scores of all and which nulls calibrate, (n_nulls,).
    """
    from sklearn.ensemble import HistGradientBoostingClassifier

    calibrates = np.random.default_rng(seed).permutation(n_nulls) % 2 == 0
    mixed = np.ones(len(vectors), bool)
    mixed[:n_nulls] = calibrates
    trees = HistGradientBoostingClassifier(
        max_iter=30, learning_rate=0.1, max_leaf_nodes=6, min_samples_leaf=12, l2_regularization=3.0, max_bins=31,
        max_features=0.3, random_state=seed, early_stopping=False,
    )  # fmt: skip
    return np.asarray(trees.fit(vectors, mixed).decision_function(vectors)), calibrates
