"""Calibration repaired: how right the probabilities are once a few of the tested objects, drawn at random, have labels.

Where the tested objects are of another population than those learnt from, no calibration on the latter is right. Labels
of a fair sample of the former are what repairs it, as the label loop asks for.
"""

from __future__ import annotations

import numpy as np

from models import evaluation
from models.hashing import uniform
from models.scoring.calibration import Calibration
from models.suites import scores
from models.suites.moments import WHOLE
from models.suites.scores import Interval
from models.suites.trial import Predictions

LABELS = 200
"""So many tested objects are given labels."""

LEAST_PROBABILITY = 1e-6


def figures(predictions: Predictions, *, seed: int, draws: int) -> dict[str, Interval]:
    """``ece_repaired`` and ``log_loss_repaired`` of the whole light curves of all other tested objects; nothing where
    too few would be left."""
    rows = predictions.at(WHOLE)
    order = np.argsort(uniform(predictions.object_id[rows], seed + 31), kind="stable")
    labelled, rest = rows[order[:LABELS]], rows[order[LABELS:]]
    if len(rest) < LABELS:
        return {}
    logits = np.log(np.maximum(predictions.p, LEAST_PROBABILITY))
    repaired = Calibration.fit(
        logits[labelled],
        predictions.label[labelled],
        np.ones(len(labelled)),
        predictions.detections[labelled],
        equal_rates=False,
    )
    p, y, one = repaired.p_flat(logits[rest], predictions.detections[rest]), predictions.label[rest], np.ones(len(rest))
    of: dict[str, scores.Statistic] = {
        "ece_repaired": lambda i: evaluation.expected_calibration_error(p[i], y[i], one[i]),
        "log_loss_repaired": lambda i: evaluation.log_loss(p[i], y[i], one[i]),
    }
    return scores.measured(of, predictions.object_id[rest], seed=seed, draws=draws)
