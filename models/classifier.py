"""The classifier: histogram gradient boosting on features of truncated light curves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.bundle import BundleError
from models.trees import Trees

LEARNING_RATE = 0.1
MAX_ITERATIONS = 150
MAX_LEAVES = 15
MIN_SAMPLES_LEAF = 15
L2 = 3.0
FEATURES_A_SPLIT = 0.5
PATIENCE = 8
"""Steps without a gain on the ``tune`` objects after which boosting stops."""

TRUSTED_TYPES = (
    "sklearn.ensemble._hist_gradient_boosting.gradient_boosting.HistGradientBoostingClassifier",
    "sklearn.ensemble._hist_gradient_boosting.binning._BinMapper",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn._loss.loss.HalfMultinomialLoss",
    "sklearn._loss.loss.HalfBinomialLoss",
    "sklearn._loss.link.MultinomialLogit",
    "sklearn._loss.link.LogitLink",
    "sklearn._loss.link.Interval",
    "sklearn._loss._loss.CyHalfMultinomialLoss",
    "sklearn._loss._loss.CyHalfBinomialLoss",
)
"""The only types, beyond skops's own defaults, that a bundle's file may hold."""


class Classifier:
    """A fitted model that turns features into one raw score (a logit) for each class."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self.class_ids: NDArray[np.int64] = np.asarray(model.classes_, np.int64)
        self._trees = Trees.of(model)

    @property
    def iterations(self) -> int:
        """Boosting steps kept."""
        return int(self.model.n_iter_)

    def raw_scores(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """Logits, shape (n, k), for features of shape (n, f); their softmax is the uncalibrated probability."""
        raw = self._trees.raw_scores(features)
        return np.concatenate([np.zeros_like(raw), raw], axis=1) if raw.shape[1] == 1 else raw

    @classmethod
    def fit(
        cls,
        features: NDArray[np.float64],
        class_id: NDArray[np.int64],
        weight: NDArray[np.float64],
        *,
        seed: int,
        validation: tuple[NDArray, NDArray, NDArray] | None = None,
        max_iterations: int = MAX_ITERATIONS,
        max_leaves: int = MAX_LEAVES,
        features_a_split: float = FEATURES_A_SPLIT,
    ) -> Classifier:
        """Boost on rows weighted by ``weight``, balanced so that every class weighs the same.

        ``validation`` (features, class_id, weight) of other objects stops the boosting; without it all
        ``max_iterations`` are done. Raises ValueError where there are fewer than two classes.
        """
        from sklearn.ensemble import HistGradientBoostingClassifier  # here: it takes seconds to import

        if len(np.unique(class_id)) < 2:
            raise ValueError(
                f"a classifier needs objects of at least two classes, found {np.unique(class_id).tolist()}"
            )
        model = HistGradientBoostingClassifier(
            learning_rate=LEARNING_RATE,
            max_iter=max_iterations,
            max_leaf_nodes=max_leaves,
            min_samples_leaf=MIN_SAMPLES_LEAF,
            l2_regularization=L2,
            max_features=features_a_split,
            early_stopping=validation is not None,
            n_iter_no_change=PATIENCE,
            tol=1e-4,
            random_state=seed,
        )
        extra: dict[str, Any] = {}
        if validation is not None:
            known = np.isin(validation[1], class_id)
            x, y, w = (part[known] for part in validation)
            extra = {"X_val": x, "y_val": y, "sample_weight_val": balanced(y, w)}
        model.fit(features, class_id, sample_weight=balanced(class_id, weight), **extra)
        return cls(model)

    def save(self, file: Path) -> None:
        """Write the model as a skops file: no code runs when it is read."""
        from skops.io import dump

        dump(self.model, file)

    @classmethod
    def load(cls, file: Path) -> Classifier:
        """Read what :meth:`save` wrote; raises BundleError where the file holds a type that is not trusted."""
        from skops.io import get_untrusted_types, load

        strangers = set(get_untrusted_types(file=file)) - set(TRUSTED_TYPES)
        if strangers:
            raise BundleError(
                f"{file}: a classifier may hold only scikit-learn's boosting types, found {sorted(strangers)}: "
                "do not use this bundle; train it anew with `gueststar train`"
            )
        return cls(load(file, trusted=list(TRUSTED_TYPES)))


def balanced(class_id: ArrayLike, weight: ArrayLike) -> NDArray[np.float64]:
    """Weights scaled so that every class has the same sum, and the mean weight is 1, shape (n,)."""
    _, row = np.unique(np.asarray(class_id), return_inverse=True)
    total = np.bincount(row, weights=np.asarray(weight, np.float64))
    return np.asarray(weight, np.float64) / total[row] * (len(row) / len(total))


def softmax(raw: NDArray[np.float64]) -> NDArray[np.float64]:
    """exp(z) / sum exp(z) along the last axis."""
    shifted = np.exp(raw - raw.max(axis=-1, keepdims=True))
    return shifted / shifted.sum(axis=-1, keepdims=True)
