"""The classifier: histogram gradient boosting on features of truncated light curves."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.bundle import BundleError
from models.scoring import skops_file
from models.scoring.trees import Trees

LEARNING_RATE = 0.12
MAX_ITERATIONS = 60
MAX_LEAVES = 15
MAX_BINS = 63
"""Bins of a feature's histogram: with 255 most of the time goes into adding up empty ones."""

BALANCE = 0.5
"""Rows weigh as their class's frequency to the power of minus this: full balance (1) makes the trees learn the
few objects of the rarest classes by heart; what is left of the class rates is taken out of the logits."""

PATIENCE = 20
"""Steps without a gain on the ``tune`` objects after which boosting stops: many, for they are few, and once
calibrated the probabilities still gain when the raw ones no longer do."""

FIXED_PARAMETERS: dict[str, Any] = {
    "min_samples_leaf": 15,
    "l2_regularization": 3.0,
    "max_features": 0.3,  # of the features are tried at a split
    "n_iter_no_change": PATIENCE,
    "tol": 1e-4,
}
"""What is the same in every fit, in scikit-learn's terms."""

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


MODEL_FILE, TREES_FILE = "classifier.skops", "trees.npz"
"""The model in a bundle: as scikit-learn's, and as plain arrays, which a worker loads in milliseconds instead of
seconds."""


class Classifier:
    """A fitted model that turns features into one raw score (a logit) for each class, ``class_ids`` (k,)."""

    def __init__(self, class_ids: NDArray[np.int64], trees: Trees, model: Callable[[], Any]) -> None:
        """``model`` gives scikit-learn's own model, when that is asked for."""
        self.class_ids = class_ids
        self._trees, self._model = trees, model

    @classmethod
    def of(cls, model: Any) -> Classifier:
        """Of a fitted HistGradientBoostingClassifier."""
        return cls(np.asarray(model.classes_, np.int64), Trees.of(model), partial(_itself, model))

    @cached_property
    def model(self) -> Any:
        """The same model as scikit-learn's HistGradientBoostingClassifier."""
        return self._model()

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
        learning_rate: float = LEARNING_RATE,
        max_iterations: int = MAX_ITERATIONS,
        max_leaves: int = MAX_LEAVES,
        max_bins: int = MAX_BINS,
    ) -> Classifier:
        """Boost on rows weighted by ``weight`` and half balanced; the logits are those of equal class rates.

        ``validation`` (features, class_id, weight) of other objects stops the boosting; without it all
        ``max_iterations`` are done. Raises ValueError where there are fewer than two classes.
        """
        from sklearn.ensemble import HistGradientBoostingClassifier  # here: it takes seconds to import
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

        if len(found := np.unique(class_id).tolist()) < 2:
            raise ValueError(f"a classifier needs objects of at least two classes, found {found}")
        known = np.isin(validation[1], class_id) if validation is not None else np.zeros(0, bool)
        model = HistGradientBoostingClassifier(
            learning_rate=learning_rate,
            max_iter=max_iterations,
            max_leaf_nodes=max_leaves,
            max_bins=max_bins,
            early_stopping=bool(known.any()),
            random_state=seed,
            **FIXED_PARAMETERS,
        )
        extra: dict[str, Any] = {}
        if validation is not None and known.any():
            x, y, own = (part[known] for part in validation)
            extra = {"X_val": x, "y_val": y, "sample_weight_val": balanced(y, own, BALANCE)}
        own = balanced(class_id, weight, BALANCE)
        # One thread: scikit-learn's threads wait for each other at every node, and on a machine that is busy
        # otherwise two of them take ten times as long as one. Processes share the work instead.
        with threadpool_limits(1, user_api="openmp"):
            model.fit(_binnable(features), class_id, sample_weight=own, **extra)
        rates = np.log(np.bincount(np.searchsorted(model.classes_, class_id), weights=own))
        model._baseline_prediction -= rates if len(rates) > 2 else rates[1] - rates[0]
        return cls.of(model)

    def save(self, folder: Path, name: str = "") -> None:
        """Write the model's files, :data:`MODEL_FILE` and :data:`TREES_FILE` after ``name``: no code runs when they are
        read."""
        skops_file.write(self.model, folder / f"{name}{MODEL_FILE}")
        self._trees.save(folder / f"{name}{TREES_FILE}", class_ids=self.class_ids)

    @classmethod
    def load(cls, folder: Path, name: str = "") -> Classifier:
        """Read what :meth:`save` wrote; raises BundleError where the trees are damaged.

        So does ``model`` where its file holds a type that is not trusted.
        """
        file = folder / f"{name}{TREES_FILE}"
        try:
            trees, rest = Trees.load(file)
            class_ids = rest["class_ids"].astype(np.int64)
            if len(class_ids) != max(2, len(trees.baseline)) or (trees.output >= len(trees.baseline)).any():
                raise ValueError(f"{len(class_ids)} classes for {len(trees.baseline)} outputs")
        except (KeyError, ValueError) as error:
            raise BundleError(
                f"{file}: no trees of a classifier ({error}): train the bundle anew with `gueststar train`"
            ) from error
        return cls(class_ids, trees, partial(_sklearn_model, folder / f"{name}{MODEL_FILE}"))


def _itself(model: Any) -> Any:
    return model


def _sklearn_model(file: Path) -> Any:
    from skops.io import get_untrusted_types, load

    strangers = set(get_untrusted_types(file=file)) - set(TRUSTED_TYPES)
    if strangers:
        raise BundleError(
            f"{file}: a classifier may hold only scikit-learn's boosting types, found {sorted(strangers)}: "
            "do not use this bundle; train it anew with `gueststar train`"
        )
    return load(file, trusted=list(TRUSTED_TYPES))


def _binnable(features: NDArray[np.float64]) -> NDArray[np.float64]:
    """The features, 0 in every row of a column that no row has: scikit-learn finds no bins for one without any value,
    and fails; a constant is never split."""
    return np.where(np.isnan(features).all(axis=0), 0.0, features)


def balanced(class_id: ArrayLike, weight: ArrayLike, power: float = 1.0) -> NDArray[np.float64]:
    """Weights divided by their class's sum to a power, scaled to a mean of 1, shape (n,).

    With ``power`` 1 every class has the same sum; with 0 the weights keep their proportions.
    """
    if not len(np.asarray(weight)):
        return np.zeros(0)
    _, row = np.unique(np.asarray(class_id), return_inverse=True)
    total = np.bincount(row, weights=np.asarray(weight, np.float64))
    scaled = np.asarray(weight, np.float64) / total[row] ** power
    return scaled / scaled.mean()


def softmax(raw: NDArray[np.float64]) -> NDArray[np.float64]:
    """exp(z) / sum exp(z) along the last axis."""
    shifted = np.exp(raw - raw.max(axis=-1, keepdims=True))
    return shifted / shifted.sum(axis=-1, keepdims=True)
