"""Small neural networks on the catalogue's features. Unlike trees, they extrapolate smoothly."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.bundle import BundleError
from models.class_weights import balanced
from models.scoring.classifier import softmax
from models.scoring.normal_scores import NormalScores

Array = NDArray[np.float64]

HIDDEN = (128, 64)
MEMBERS = 3
"""Number of networks, each with other random initial weights; their logits are averaged, and where they disagree an
alert is strange."""

BATCH, STEPS_AN_EPOCH = 256, 30
"""Rows per step of the optimiser; fewer if the rows would not suffice for the number of steps below."""

EPOCHS = 12
LEAST_STEPS = 1_000
"""Least number of steps of the optimiser: small training sets are passed through more often."""

PENALTY = 0.01
LEARNING_RATE = 1e-3
BALANCE = 0.5
"""The weight of a row is the frequency of its class to the power of minus this, as for the trees."""

LIMIT = 3.0
"""Normal scores are clipped at plus and minus this."""

LEAST_PROBABILITY = 1e-6
"""Smaller probabilities count as this before the logarithm."""

OFTEN_MISSING = 0.02
"""A feature that is missing in more than this fraction of rows has an extra input: 1 where it is missing."""


@dataclass(frozen=True, slots=True)
class NetworkOutput:
    """What the networks make of n rows.

    - ``logits`` (n, k): of equal class rates, mean over the members.
    - ``hidden``: the last hidden layer of each member, (n, h).
    - ``disagreement`` (n,): entropy of the members' mean probabilities less the mean of their entropies, nat.
    """

    logits: Array
    hidden: list[Array]
    disagreement: Array


@dataclass(frozen=True, slots=True)
class Network:
    """``MEMBERS`` networks and the preparation of their inputs.

    - ``normal_scores``: of the features; ``missing``: (i,) the features whose absence is an input.
    - ``weights``, ``biases``: of each member's layers, (inputs, outputs) and (outputs,).
    - ``log_rates``: (k,), logarithms of the class rates of the training rows; they are subtracted from the logits.
    """

    normal_scores: NormalScores
    missing: NDArray[np.int64]
    weights: list[list[Array]]
    biases: list[list[Array]]
    log_rates: Array

    @classmethod
    def fit(
        cls,
        features: Array,
        label: NDArray[np.int64],
        weight: Array,
        n_classes: int,
        *,
        seed: int,
        members: int = MEMBERS,
        hidden: tuple[int, ...] = HIDDEN,
        normal_scores: NormalScores | None = None,
    ) -> Network:
        """Train on features (n, f) with NaN where missing, ``label`` (n,) from 0 and ``weight`` (n,).

        Adam (arXiv:1412.6980) minimises the weighted log-loss. ``hidden``: units of each layer. ``normal_scores``:
        those of the features, if they are fitted already.
        """
        from sklearn.neural_network import MLPClassifier  # here: the import takes seconds
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

        scores = normal_scores or NormalScores.fit(features)
        missing = np.flatnonzero(np.isnan(features).mean(axis=0) > OFTEN_MISSING)
        inputs, row_weight = _inputs(scores.transform(features), features, missing), balanced(label, weight, BALANCE)
        present = np.unique(label)
        batch = max(1, min(BATCH, len(label) // STEPS_AN_EPOCH))
        epochs = max(EPOCHS, math.ceil(LEAST_STEPS * batch / len(label)))
        weights, biases = [], []
        for member in range(members):
            learner = MLPClassifier(
                hidden, alpha=PENALTY, max_iter=epochs, n_iter_no_change=epochs, learning_rate_init=LEARNING_RATE,
                batch_size=batch, random_state=seed + 1000 * member,
            )  # fmt: skip
            with threadpool_limits(1), _quiet():
                learner.fit(inputs.astype(np.float32), label, sample_weight=row_weight)
            weights.append([np.asarray(layer, np.float64) for layer in learner.coefs_])
            biases.append([np.asarray(layer, np.float64) for layer in learner.intercepts_])
            _widen(weights[-1], biases[-1], present, n_classes)
        rates = np.bincount(label, weights=row_weight, minlength=n_classes)
        log_rates = np.log(np.maximum(rates / rates.sum(), 1e-6))
        return cls(scores, missing, weights, biases, log_rates)

    def raw_scores(self, features: Array) -> Array:
        """Logits of equal class rates, shape (n, k), for features of shape (n, f)."""
        return self.raw_of_normal(self.normal_scores.transform(features), features)

    def raw_of_normal(self, normal: Array, features: Array) -> Array:
        """As :meth:`raw_scores`, from the normal scores (n, f) of the features."""
        return self.output(normal, features).logits

    def output(self, normal: Array, features: Array) -> NetworkOutput:
        """One pass of the features (n, f) and their normal scores through all members."""
        inputs = _inputs(normal, features, self.missing)
        shape = (len(features), len(self.log_rates))
        log_p, p, entropy, hidden = np.zeros(shape), np.zeros(shape), np.zeros(len(features)), []
        for weights, biases in zip(self.weights, self.biases, strict=True):
            values = inputs
            for w, b in zip(weights[:-1], biases[:-1], strict=True):
                values = values @ w + b
                np.maximum(values, 0, out=values)
            hidden.append(values)
            of_member = softmax(values @ weights[-1] + biases[-1])
            log_of_member = np.log(np.maximum(of_member, LEAST_PROBABILITY))
            log_p += log_of_member
            p += of_member
            entropy -= (of_member * log_of_member).sum(axis=1)
        members = len(self.weights)
        p /= members
        total_entropy = -(p * np.log(np.maximum(p, LEAST_PROBABILITY))).sum(axis=1)
        return NetworkOutput(log_p / members - self.log_rates, hidden, total_entropy - entropy / members)

    def save(self, file: Path) -> None:
        """Write all but the normal scores, as plain arrays: reading them runs no code."""
        layers: dict[str, Any] = {}
        for member, (weights, biases) in enumerate(zip(self.weights, self.biases, strict=True)):
            for layer, (w, b) in enumerate(zip(weights, biases, strict=True)):
                layers[f"weight_{member}_{layer}"] = w.astype(np.float32)
                layers[f"bias_{member}_{layer}"] = b.astype(np.float32)
        shape = np.array([len(self.weights), len(self.weights[0])])
        np.savez_compressed(file, missing=self.missing, log_rates=self.log_rates, shape=shape, **layers)

    @classmethod
    def load(cls, file: Path, normal_scores: NormalScores) -> Network:
        """Read what :meth:`save` wrote; raises BundleError if the arrays do not fit together."""
        try:
            with np.load(file, allow_pickle=False) as arrays:
                members, layers = map(int, arrays["shape"])
                of = [
                    [[np.asarray(arrays[f"{kind}_{m}_{i}"], np.float64) for i in range(layers)] for m in range(members)]
                    for kind in ("weight", "bias")
                ]
                network = cls(normal_scores, arrays["missing"], of[0], of[1], arrays["log_rates"])
            network.raw_scores(np.full((1, len(normal_scores.quantiles)), np.nan))
        except (KeyError, ValueError, IndexError) as error:
            raise BundleError(
                f"{file}: no network of a classifier ({error}): train a new bundle with `gueststar train`"
            ) from error
        return network


def _inputs(normal: Array, features: Array, missing: NDArray[np.int64]) -> Array:
    """Normal scores, and an input for each feature that is often missing, 1 where it is: (n, f + i)."""
    return np.concatenate([np.clip(normal, -LIMIT, LIMIT), np.isnan(features[:, missing])], axis=1)


def _widen(weights: list[Array], biases: list[Array], present: NDArray[np.int64], n_classes: int) -> None:
    """Give the last layer an output for every class; classes without training rows become almost impossible.
    scikit-learn's single output for two classes becomes two."""
    w, b = weights[-1], biases[-1]
    if len(present) == 2:
        w, b = np.concatenate([np.zeros_like(w), w], axis=1), np.concatenate([np.zeros_like(b), b])
    weights[-1] = np.zeros((len(w), n_classes))
    biases[-1] = np.full(n_classes, -20.0)
    weights[-1][:, present], biases[-1][present] = w, b


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence scikit-learn's warning that the number of epochs was reached: this is intended."""
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield
