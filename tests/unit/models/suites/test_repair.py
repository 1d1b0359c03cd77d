"""Repair of a calibration: labels of a fair sample make probabilities right that were too sure."""

from __future__ import annotations

import numpy as np
import pytest

from models import evaluation
from models.scoring.classifier import softmax
from models.suites import repair
from models.suites.moments import WHOLE
from models.suites.trial import Predictions


def predictions(n: int, too_sure: float) -> Predictions:
    """Objects of three classes, whose logits are ``too_sure`` times what is right."""
    rng = np.random.default_rng(3)
    right = softmax(rng.normal(0, 1.5, (n, 3)))
    label = (rng.random(n)[:, None] > right.cumsum(axis=1)).sum(axis=1)
    return Predictions.not_learnt(
        p=softmax(too_sure * np.log(right)),
        label=label,
        object_row=np.arange(n),
        object_id=np.arange(n) * 7919,
        days=np.full(n, WHOLE),
        detections=rng.integers(1, 30, n),
        number=np.arange(n),
        answered=np.ones(n, bool),
        mix=np.full(3, 1 / 3),
    )


def test_two_hundred_labels_repair_what_is_too_sure() -> None:
    said = predictions(4_000, 2.5)
    before = evaluation.expected_calibration_error(said.p, said.label, np.ones(len(said)))
    figures = repair.figures(said, seed=1, draws=50)
    value, _, high = figures["ece_repaired"]
    assert before > 0.1
    assert value < high < 0.05
    assert figures["log_loss_repaired"][0] < evaluation.log_loss(said.p, said.label, np.ones(len(said))) - 0.05


def test_what_is_right_stays_right() -> None:
    said = predictions(4_000, 1.0)
    before = evaluation.log_loss(said.p, said.label, np.ones(len(said)))
    assert repair.figures(said, seed=1, draws=50)["log_loss_repaired"][0] == pytest.approx(before, abs=0.03)


def test_too_few_are_not_shared_out() -> None:
    assert repair.figures(predictions(2 * repair.LABELS - 1, 1.0), seed=1, draws=10) == {}
