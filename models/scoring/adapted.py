"""What labelled objects of a survey's stream change in its probabilities: calibration, weights, class rates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.bundle import BundleError
from models.scoring.calibration import EPOCH_EDGES, epoch_bin, with_prior
from models.scoring.classifier import softmax
from schemas.passbands import SURVEYS

Array = NDArray[np.float64]

ADAPTED_FILE = "adapted.npz"

LEAST_P = 1e-6
"""Smaller probabilities count as this: a class that the model ruled out can come back when labels say so."""

LOGIT_LIMIT, NORMAL_LIMIT, STANDARD_LIMIT = 8.0, 4.0, 4.0
"""Inputs are clipped at plus and minus these: logits, normal scores, and all of them once standardised."""

_ARRAYS = ("slope", "sharpness", "bias", "weights", "centre", "spread", "rates")


def inputs(p_flat: Array, network: Array, normal: Array) -> Array:
    """What the weights of a :class:`Head` multiply, (n, 2 k + f), before it is standardised: the logarithms of the
    probabilities and the logits of the networks, (n, k) each, less their means, and the features' normal scores (n, f),
    0 where missing."""
    log_p = np.log(np.maximum(p_flat, LEAST_P))
    logits = [np.clip(z - z.mean(axis=1, keepdims=True), -LOGIT_LIMIT, LOGIT_LIMIT) for z in (log_p, network)]
    scores = np.nan_to_num(np.clip(normal, -NORMAL_LIMIT, NORMAL_LIMIT))
    return np.concatenate([*logits, scores], axis=1)


@dataclass(frozen=True, slots=True)
class Head:
    """The probabilities of one survey's alerts, from those of the model:

        p = softmax(sharpness[b] (slope log p_model + x weights) + bias[b])

    b is the bin of detections, x the standardised :func:`inputs`, p and p_model are at class rates.

    - ``slope``: (); ``sharpness``: (bins,); ``bias``: (bins, k); ``weights``: (d, k), (0, k) without.
    - ``centre``, ``spread``: (d,), of the inputs.
    - ``rates``: (k,), of the classes in the stream, adding up to 1.
    """

    slope: Array
    sharpness: Array
    bias: Array
    weights: Array
    centre: Array
    spread: Array
    rates: Array

    @classmethod
    def unchanged(cls, rates: Array) -> Head:
        """The head that leaves the model as it is."""
        bins, k = len(EPOCH_EDGES) + 1, len(rates)
        empty = np.zeros(0)
        return cls(np.array(1.0), np.ones(bins), np.zeros((bins, k)), np.zeros((0, k)), empty, empty, rates)

    def p_survey(self, p_model: Array, x: Array, n_detections: ArrayLike) -> Array:
        """Probabilities at the stream's class rates, (n, k). ``p_model`` (n, k): the model's at its own rates; ``x``:
        the :func:`inputs` (n, d)."""
        return softmax(self.logits(p_model, x, n_detections))

    def logits(self, p_model: Array, x: Array, n_detections: ArrayLike) -> Array:
        """Logarithms of :meth:`p_survey`, but for a constant of each row."""
        bins = epoch_bin(n_detections)
        z = self.slope * np.log(np.maximum(p_model, LEAST_P))
        if len(self.weights):
            z = z + self.standardised(x) @ self.weights
        return self.sharpness[bins][:, None] * z + self.bias[bins]

    def sharpened(self, factor: Array) -> Head:
        """The head whose logits in each bin are multiplied by ``factor`` (bins,)."""
        return replace(self, sharpness=self.sharpness * factor, bias=self.bias * factor[:, None])

    def at_rates(self, rates: Array) -> Head:
        """The head for other class rates, (k,)."""
        return replace(self, rates=rates, bias=self.bias + np.log(rates / self.rates))

    def standardised(self, x: Array) -> Array:
        """The inputs less their centre, in units of their spread, clipped."""
        return np.clip((x - self.centre) / self.spread, -STANDARD_LIMIT, STANDARD_LIMIT)


@dataclass(frozen=True, slots=True)
class Adapted:
    """The heads of the surveys that the model was adapted to, by index into ``schemas.passbands.SURVEYS``."""

    heads: Mapping[int, Head] = field(default_factory=dict)

    def p_flat(
        self, p_flat: Array, prior: Array, x: Array, survey: NDArray[np.int8], n_detections: NDArray[np.int64]
    ) -> Array:
        """Probabilities under equal rates, (n, k). ``p_flat``, ``prior`` (k,): the model's; ``x``: the :func:`inputs`;
        ``survey``, ``n_detections``: (n,). Alerts of surveys without a head keep the model's."""
        adapted = p_flat.copy()
        for index, head in self.heads.items():
            rows = np.flatnonzero(survey == index)
            if len(rows):
                at_rates = head.p_survey(with_prior(p_flat[rows], prior), x[rows], n_detections[rows])
                adapted[rows] = with_prior(at_rates, 1 / head.rates)
        return adapted

    def rates(self, prior: Array, survey: NDArray[np.int8]) -> Array:
        """The class rates of each alert's stream, (n, k): the model's ``prior`` (k,) where there is no head."""
        of_alerts = np.tile(prior, (len(survey), 1))
        for index, head in self.heads.items():
            of_alerts[survey == index] = head.rates
        return of_alerts

    def save(self, folder: Path) -> None:
        """Write all heads into one npz file, without pickles; nothing where there is none."""
        if self.heads:
            arrays = {f"{SURVEYS[i]}.{name}": getattr(head, name) for i, head in self.heads.items() for name in _ARRAYS}
            np.savez_compressed(folder / ADAPTED_FILE, **arrays)

    @classmethod
    def load(cls, folder: Path, k: int) -> Adapted:
        """Read what :meth:`save` wrote; without the file there are no heads. Raises BundleError if it is not of ``k``
        classes, or of a survey that this program does not know."""
        file = folder / ADAPTED_FILE
        if not file.is_file():
            return cls()
        with np.load(file, allow_pickle=False) as stored:
            surveys = sorted({name.split(".")[0] for name in stored.files})
            if unknown := [name for name in surveys if name not in SURVEYS]:
                raise BundleError(f"{file}: the surveys must be of {', '.join(SURVEYS)}, found {', '.join(unknown)}")
            heads = {
                SURVEYS.index(one): Head(*(np.asarray(stored[f"{one}.{name}"], np.float64) for name in _ARRAYS))
                for one in surveys
            }
        wrong = [SURVEYS[i] for i, head in heads.items() if head.bias.shape != (len(EPOCH_EDGES) + 1, k)]
        if wrong:
            raise BundleError(f"{file}: the head of {wrong[0]} must be of {k} classes, as the bundle: adapt it again")
        return cls(heads)
