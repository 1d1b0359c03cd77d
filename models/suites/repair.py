"""Repaired calibration: the calibration error after a few test objects, drawn at random, got labels.

If the test objects are of another population than the training objects, a calibration on the training objects is wrong.
Labels of a representative sample of the test objects repair it; the label loop requests such labels.
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
"""Number of test objects that get labels."""

LEAST_PROBABILITY = 1e-6


def figures(predictions: Predictions, *, seed: int, draws: int) -> dict[str, Interval]:
    """``ece_repaired`` and ``log_loss_repaired`` of the whole light curves of all other test objects; empty if too few
    would remain."""
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
