"""The classifier: histogram gradient boosting on features of truncated light curves."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.bundle import BundleError
from models.class_weights import balanced
from models.scoring.trees import Trees

BALANCE = 0.5
"""The weight of a row is the frequency of its class to the power of minus this. With full balance (1) the trees
overfit the few objects of the rarest classes. The rest of the class rates is subtracted from the logits."""

PATIENCE = 20
"""Boosting stops after this many steps without a gain on the ``tune`` objects. The number is large because these
objects are few, and because calibrated probabilities still improve when the raw ones no longer do."""

FIXED_PARAMETERS: dict[str, Any] = {
    "min_samples_leaf": 15,
    "l2_regularization": 3.0,
    "max_features": 0.3,  # fraction of the features tried at a split
    "n_iter_no_change": PATIENCE,
    "tol": 1e-4,
}
"""Parameters of every fit, as scikit-learn names them."""

TREES_FILE = "trees.npz"
"""The model in a bundle: plain arrays, which load in milliseconds and run no code."""


@dataclass(frozen=True, slots=True)
class Boosting:
    """How many trees, how large, and how far each moves the logits.

    ``max_bins`` of a feature's histogram: with 255 most of the time goes into adding up empty ones.
    """

    learning_rate: float = 0.12
    max_iterations: int = 60
    max_leaves: int = 15
    max_bins: int = 63


FULL = Boosting()
"""That of the published probabilities."""


class Classifier:
    """Boosted trees that turn features into one raw score (a logit) for each class of ``class_ids`` (k,)."""

    def __init__(self, class_ids: NDArray[np.int64], trees: Trees) -> None:
        self.class_ids, self.trees = class_ids, trees

    @classmethod
    def of(cls, model: Any) -> Classifier:
        """The classifier of a fitted scikit-learn HistGradientBoostingClassifier."""
        return cls(np.asarray(model.classes_, np.int64), Trees.of(model))

    @property
    def iterations(self) -> int:
        """Boosting steps kept: each adds one tree to each output."""
        return len(self.trees.root) // len(self.trees.baseline)

    def raw_scores(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """Logits, shape (n, k), for features of shape (n, f); their softmax is the uncalibrated probability."""
        raw = self.trees.raw_scores(features)
        return np.concatenate([np.zeros_like(raw), raw], axis=1) if raw.shape[1] == 1 else raw

    @classmethod
    def fit(
        cls,
        features: NDArray[np.float64],
        class_id: NDArray[np.int64],
        weight: NDArray[np.float64],
        *,
        seed: int,
        boosting: Boosting = FULL,
        validation: tuple[NDArray, NDArray, NDArray] | None = None,
    ) -> Classifier:
        """Train on features (n, f), with the arguments of :func:`boosted`; the logits are those of equal class rates.

        Raises ValueError for fewer than two classes.
        """
        if len(classes := np.unique(class_id).tolist()) < 2:
            raise ValueError(f"a classifier needs objects of at least two classes, found {classes}")
        return cls.of(boosted(features, class_id, weight, seed=seed, boosting=boosting, validation=validation))

    def save(self, folder: Path, name: str = "") -> None:
        """Write the trees to ``folder``, in a file whose name begins with ``name``."""
        self.trees.save(folder / f"{name}{TREES_FILE}", class_ids=self.class_ids)

    @classmethod
    def load(cls, folder: Path, name: str = "") -> Classifier:
        """Read what :meth:`save` wrote; raises BundleError if the trees are damaged."""
        file = folder / f"{name}{TREES_FILE}"
        try:
            trees, rest = Trees.load(file)
            class_ids = rest["class_ids"].astype(np.int64)
            if len(class_ids) != max(2, len(trees.baseline)) or (trees.output >= len(trees.baseline)).any():
                raise ValueError(f"{len(class_ids)} classes for {len(trees.baseline)} outputs")
        except (KeyError, ValueError) as error:
            raise BundleError(
                f"{file}: no trees of a classifier ({error}): train a new bundle with `gueststar train`"
            ) from error
        return cls(class_ids, trees)


def boosted(
    features: NDArray[np.float64],
    class_id: NDArray[np.int64],
    weight: NDArray[np.float64],
    *,
    seed: int,
    boosting: Boosting = FULL,
    validation: tuple[NDArray, NDArray, NDArray] | None = None,
) -> Any:
    """A fitted HistGradientBoostingClassifier whose logits are those of equal class rates.

    Rows are weighted by ``weight`` and half balanced. ``validation`` (features, class_id, weight) of other objects
    stops the boosting; without it all its ``max_iterations`` steps are done.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier  # here: the import takes seconds
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    stopping = _validation_of(class_id, validation)
    model = HistGradientBoostingClassifier(
        learning_rate=boosting.learning_rate,
        max_iter=boosting.max_iterations,
        max_leaf_nodes=boosting.max_leaves,
        max_bins=boosting.max_bins,
        early_stopping=bool(stopping),
        random_state=seed,
        **FIXED_PARAMETERS,
    )
    row_weight = balanced(class_id, weight, BALANCE)
    # One thread: scikit-learn's threads wait for each other at every node. On a busy machine two of them take
    # ten times as long as one. Processes share the work instead.
    with threadpool_limits(1, user_api="openmp"):
        model.fit(_binnable(features), class_id, sample_weight=row_weight, **stopping)
    log_rates = np.log(np.bincount(np.searchsorted(model.classes_, class_id), weights=row_weight))
    model._baseline_prediction -= log_rates if len(log_rates) > 2 else log_rates[1] - log_rates[0]
    return model


def _validation_of(class_id: NDArray[np.int64], validation: tuple[NDArray, NDArray, NDArray] | None) -> dict[str, Any]:
    """The rows of ``validation`` whose class is in the training set, as arguments of scikit-learn's fit; {} if none."""
    if validation is None or not (is_learnt := np.isin(validation[1], class_id)).any():
        return {}
    x, y, weight = (part[is_learnt] for part in validation)
    return {"X_val": x, "y_val": y, "sample_weight_val": balanced(y, weight, BALANCE)}


def _binnable(features: NDArray[np.float64]) -> NDArray[np.float64]:
    """The features, with 0 in columns that are missing in every row. scikit-learn fails on a column without any value,
    because it finds no bins; a constant column is never split."""
    return np.where(np.isnan(features).all(axis=0), 0.0, features)


def softmax(raw: NDArray[np.float64]) -> NDArray[np.float64]:
    """exp(z) / sum exp(z) along the last axis."""
    shifted = np.exp(raw - raw.max(axis=-1, keepdims=True))
    return shifted / shifted.sum(axis=-1, keepdims=True)
