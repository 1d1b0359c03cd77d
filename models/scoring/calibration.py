"""Calibrated probabilities: temperature and bias per epoch, then the requested prior."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.class_weights import balanced
from models.scoring.classifier import softmax

EPOCH_EDGES = (2, 3, 6, 13)
"""Lower edges, in detections, of all bins after the first. The bins: 1, 2, 3 to 5, 6 to 12, 13 and more."""

PENALTY_OVERALL = 3.0
PENALTY_EPOCH = 10.0
"""Strength of the shrinkage: of the overall fit towards no change, and of the fit of an epoch towards the overall
fit. A squared change of 1, in the bias of a logit or in the logarithm of the slope, weighs as much as this many
objects."""


LEAST_RATE = 1e-4
RATE_STEPS, RATE_TOLERANCE = 200, 1e-5


def epoch_bin(n_detections: ArrayLike) -> NDArray[np.int64]:
    """The epoch bin of each alert, from 0, by its number of detections."""
    return np.searchsorted(np.asarray(EPOCH_EDGES, np.float64), np.asarray(n_detections, np.float64), side="right")


@dataclass(frozen=True, slots=True)
class Calibration:
    """Vector scaling per epoch bin: p = softmax(Σ exp(log_slope) z + bias), the sum over models with scores z.

    ``log_slope``: shape (bins, models); ``bias``: shape (bins, k). Source: arXiv:1706.04599 (temperature and
    vector scaling), here with one slope for all classes of a model, and each bin shrunk towards the fit to all
    bins. If several models score the same rows, their slopes are also their weights.
    """

    log_slope: NDArray[np.float64]
    bias: NDArray[np.float64]

    def p_flat(self, raw: NDArray[np.float64], n_detections: ArrayLike) -> NDArray[np.float64]:
        """Probabilities under equal rates of all classes, shape (n, k), for logits ``raw`` (n, k) of one model or
        (models, n, k) of several."""
        bins = epoch_bin(n_detections)
        slope = np.exp(self.log_slope[bins].T)[:, :, None]
        return softmax((slope * _views(raw)).sum(axis=0) + self.bias[bins])

    @classmethod
    def fit(
        cls,
        raw: NDArray[np.float64],
        class_index: NDArray[np.int64],
        weight: NDArray[np.float64],
        n_detections: ArrayLike,
        *,
        equal_rates: bool = True,
    ) -> Calibration:
        """Fit on objects outside the classifier's training set; ``weight`` divides an object among its rows.

        Classes are balanced, so the result is for equal class rates. With ``equal_rates=False`` it is for the class
        rates of these objects. A bin without objects keeps the overall fit; a class without objects stays unchanged.
        """
        bins, views = len(EPOCH_EDGES) + 1, _views(raw)
        m, _, k = views.shape
        flat = weight
        if len(weight) and equal_rates:
            flat = balanced(class_index, weight) * (weight.sum() / len(weight))
        centre = np.concatenate([np.full(m, -np.log(m)), np.zeros(k)])
        overall = _fit_one(views, class_index, flat, centre, PENALTY_OVERALL)
        bin_of_row = epoch_bin(n_detections)
        fits = [
            _fit_one(
                views[:, bin_of_row == b], class_index[bin_of_row == b], flat[bin_of_row == b], overall, PENALTY_EPOCH
            )
            for b in range(bins)
        ]
        fitted = np.array(fits)
        return cls(fitted[:, :m], fitted[:, m:])

    def to_json(self) -> dict[str, Any]:
        """Plain values for a JSON file."""
        return {"epoch_edges": list(EPOCH_EDGES), "log_slope": self.log_slope.tolist(), "bias": self.bias.tolist()}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Calibration:
        """The calibration that :meth:`to_json` wrote."""
        bias = np.asarray(values["bias"], np.float64)
        return cls(np.asarray(values["log_slope"], np.float64).reshape(len(bias), -1), bias)


def with_prior(p_flat: NDArray[np.float64], prior: NDArray[np.float64]) -> NDArray[np.float64]:
    """Bayes: probabilities under equal rates times the rates, normalised; shapes (n, k) and (k,)."""
    joint = p_flat * prior
    return joint / np.maximum(joint.sum(axis=1, keepdims=True), np.finfo(np.float64).tiny)


def rates_among(p: NDArray[np.float64], rates: NDArray[np.float64]) -> NDArray[np.float64]:
    """Class rates among unlabelled objects, (k,), adding up to 1, each at least :data:`LEAST_RATE`.

    ``p`` (n, k): their probabilities at the ``rates`` (k,) of the training set. Expectation maximisation finds the
    rates that equal the mean of the probabilities they imply (Saerens, Latinne & Decaestecker 2002,
    doi:10.1162/089976602753284446). The method assumes that the two samples differ in their class rates only.
    """
    estimate = rates
    for _ in range(RATE_STEPS):
        before = estimate
        implied = with_prior(p, before / np.maximum(rates, LEAST_RATE)).mean(axis=0)
        estimate = np.maximum(implied, LEAST_RATE)
        estimate = estimate / estimate.sum()
        if np.abs(estimate - before).max() < RATE_TOLERANCE:
            break
    return estimate


def survey_prior(class_ids: ArrayLike, counts: Mapping[int, float], sample: Mapping[int, float]) -> NDArray[np.float64]:
    """The rate of each class, shape (k,), adding up to 1: from ``counts`` if the class is in them.

    A class without a published count gets its fraction of the training ``sample``.
    """
    total, total_sample = sum(counts.values()), max(sum(sample.values()), 1.0)
    ids = [int(class_id) for class_id in np.asarray(class_ids)]
    rate = np.array([counts[i] / total if i in counts else sample.get(i, 0.0) / total_sample for i in ids])
    rate = np.maximum(rate, 1e-9)
    return rate / rate.sum()


def _views(raw: NDArray[np.float64]) -> NDArray[np.float64]:
    """Logits of shape (models, n, k); those of one model, (n, k), become (1, n, k)."""
    return raw if raw.ndim == 3 else raw[None]


def _fit_one(
    raw: NDArray[np.float64],
    class_index: NDArray[np.int64],
    weight: NDArray[np.float64],
    centre: NDArray[np.float64],
    penalty: float,
) -> NDArray[np.float64]:
    """The log slopes and biases that minimise the weighted log-loss plus the penalty for distance from ``centre``."""
    m, n, k = raw.shape
    if not n:
        return centre
    from scipy.optimize import minimize  # here: the import takes a second, and a scorer never fits

    rows = np.arange(n)

    def loss(theta: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        scaled = np.exp(theta[:m])[:, None, None] * raw
        p = softmax(scaled.sum(axis=0) + theta[m:])
        off = theta - centre
        value = -(weight * np.log(np.maximum(p[rows, class_index], 1e-300))).sum() + penalty * (off @ off)
        residual = p * weight[:, None]
        residual[rows, class_index] -= weight
        gradient = np.concatenate([(residual * scaled).sum(axis=(1, 2)), residual.sum(axis=0)]) + 2 * penalty * off
        return float(value), gradient

    bounds = [(-2 - np.log(m), 2)] * m + [(-5, 5)] * k
    minimum = minimize(loss, centre, jac=True, method="L-BFGS-B", bounds=bounds)
    return np.asarray(minimum.x, np.float64)
