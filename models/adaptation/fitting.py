"""Fit a head to labelled objects of a stream: multinomial regression with a prior at the present model."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models.scoring.adapted import LEAST_P, Head
from models.scoring.calibration import EPOCH_EDGES, epoch_bin
from models.scoring.classifier import softmax

Array = NDArray[np.float64]

BINS = len(EPOCH_EDGES) + 1

SLOPE_PENALTY, BIAS_PENALTY, PHASE_PENALTY = 2.0, 0.5, 2.0
"""Strength of the prior: a squared change of 1 in the logarithm of the slope, in the bias of a class, or in that of a
class in one bin of detections away from all bins, weighs as much as this many objects (nat of log-loss)."""

SHARPNESS_PENALTY = 10.0
"""The same for the logarithm of a bin's sharpness."""

LEAST_OF_CLASS = 3
"""Labelled objects of a class that its weights need. With fewer only its bias is fitted."""

STEPS = 200


@dataclass(frozen=True, slots=True)
class Lessons:
    """``m`` alerts of labelled objects of one survey.

    - ``object_id``: (m,); ``label``: the column of the class, (m,); ``weight``: (m,), adding up to 1 over an object.
    - ``p_model``: (m, k) the model's probabilities at its class rates; ``x``: (m, d) its inputs
      (:func:`models.scoring.adapted.inputs`); ``detections``: (m,); ``is_last``: (m,), the last alert of its object.
    """

    object_id: NDArray[np.int64]
    label: NDArray[np.int64]
    weight: Array
    p_model: Array
    x: Array
    detections: NDArray[np.int64]
    is_last: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.object_id)

    def select(self, which: NDArray[np.int64] | NDArray[np.bool_]) -> Lessons:
        """The chosen rows."""
        return Lessons(*(getattr(self, name)[which] for name in self.__slots__))

    @property
    def n_objects(self) -> int:
        """Number of objects."""
        return len(np.unique(self.object_id))


def weights_of(object_id: NDArray[np.int64], is_last: NDArray[np.bool_]) -> Array:
    """The weight of each alert, (m,): an object's last alert weighs as much as its others together, all of them 1."""
    _, row = np.unique(object_id, return_inverse=True)
    n_others = np.bincount(row, weights=~is_last)[row]
    half = np.where(n_others > 0, 0.5, 1.0)
    return np.where(is_last, half, 0.5 / np.maximum(n_others, 1))


def fitted(lessons: Lessons, rates: Array, ridge: float | None, centre: Array, spread: Array) -> Head:
    """The head with the largest posterior probability. ``ridge``: penalty of a squared weight, None for no weights;
    ``centre``, ``spread``: of the inputs, (d,)."""
    from scipy.optimize import minimize  # here: the import takes a second, and a scorer never fits

    k = lessons.p_model.shape[1]
    start = Head.unchanged(rates)
    counts = np.bincount(lessons.label, weights=lessons.weight, minlength=k)
    taught = np.flatnonzero(counts >= LEAST_OF_CLASS) if ridge is not None else np.zeros(0, np.int64)
    if ridge is not None:
        start = replace(start, weights=np.zeros((len(centre), k)), centre=centre, spread=spread)
    problem = _Problem(lessons, start.standardised(lessons.x) if len(taught) else np.zeros((len(lessons), 0)), taught)
    minimum = minimize(
        problem.loss, np.zeros(problem.size), args=(ridge or 0.0,), jac=True, method="L-BFGS-B",
        options={"maxiter": STEPS},
    )  # fmt: skip
    slope, bias, by_phase, weights = problem.parts(minimum.x)
    every = np.zeros((len(centre), k)) if ridge is not None else start.weights
    if len(taught):
        every[:, taught] = weights
    return replace(start, slope=np.exp(slope), bias=bias + by_phase, weights=every)


class _Problem:
    """The penalised log-loss as a function of slope, biases, biases by phase and weights in one vector."""

    def __init__(self, lessons: Lessons, x: Array, taught: NDArray[np.int64]) -> None:
        self.log_p = np.log(np.maximum(lessons.p_model, LEAST_P))
        self.x, self.taught = x, taught
        self.label, self.weight, self.bins = lessons.label, lessons.weight, epoch_bin(lessons.detections)
        self.k, self.rows = lessons.p_model.shape[1], np.arange(len(lessons))
        self.in_bin = (self.bins[None, :] == np.arange(BINS)[:, None]).astype(np.float64)
        self.size = 1 + self.k * (1 + BINS) + x.shape[1] * len(taught)

    def parts(self, theta: Array) -> tuple[Array, Array, Array, Array]:
        k, end = self.k, 1 + self.k * (1 + BINS)
        weights = theta[end:].reshape(self.x.shape[1], len(self.taught))
        return theta[0], theta[1 : 1 + k], theta[1 + k : end].reshape(BINS, k), weights

    def loss(self, theta: Array, ridge: float) -> tuple[float, Array]:
        slope, bias, by_phase, weights = self.parts(theta)
        scaled = np.exp(slope) * self.log_p
        z = scaled + bias + by_phase[self.bins]
        z[:, self.taught] += self.x @ weights
        p = softmax(z)
        value = -(self.weight * np.log(np.maximum(p[self.rows, self.label], 1e-300))).sum()
        value += SLOPE_PENALTY * slope**2 + BIAS_PENALTY * bias @ bias
        value += PHASE_PENALTY * np.square(by_phase).sum() + ridge * np.square(weights).sum()
        residual = p * self.weight[:, None]
        residual[self.rows, self.label] -= self.weight
        gradient = [
            [(residual * scaled).sum() + 2 * SLOPE_PENALTY * slope],
            residual.sum(axis=0) + 2 * BIAS_PENALTY * bias,
            (self.in_bin @ residual + 2 * PHASE_PENALTY * by_phase).ravel(),
            (self.x.T @ residual[:, self.taught] + 2 * ridge * weights).ravel(),
        ]
        return float(value), np.concatenate(gradient)


def sharpness(logits: Array, lessons: Lessons) -> Array:
    """The factor in each bin of detections, (bins,), with which ``logits`` (m, k) of heads that have not seen the
    objects fit them best: weights that are fitted to few objects are too sure."""
    from scipy.optimize import minimize_scalar  # here: the import takes a second, and a scorer never fits

    bins = epoch_bin(lessons.detections)

    def fit(mine: NDArray[np.int64], middle: float) -> float:
        rows = np.arange(len(mine))

        def loss(log_factor: float) -> float:
            p = softmax(np.exp(log_factor) * logits[mine])[rows, lessons.label[mine]]
            off = log_factor - middle
            return float(-(lessons.weight[mine] * np.log(np.maximum(p, 1e-300))).sum() + SHARPNESS_PENALTY * off**2)

        return float(minimize_scalar(loss, bounds=(-2.0, 1.0), method="bounded").x)

    overall = fit(np.arange(len(lessons)), 0.0)
    by_bin = [fit(np.flatnonzero(bins == b), overall) if (bins == b).any() else overall for b in range(BINS)]
    return np.exp(by_bin)
