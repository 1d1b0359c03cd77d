"""Adaptation to labelled objects: perfect probabilities stay, wrong ones are mended, nothing is done without labels."""

from __future__ import annotations

import numpy as np
import pytest

from models.adaptation import fitting
from models.adaptation.adapting import LEAST_LABELS, Adaptation, Unlabelled, adapted
from models.adaptation.fitting import Lessons
from models.evaluation import log_loss
from models.scoring.adapted import inputs
from models.scoring.calibration import with_prior
from models.scoring.classifier import softmax

K = 3
CLASS_IDS = np.array([2222, 2223, 2224], np.int32)
RATES = np.ones(K) / K


def _stream(n: int, seed: int, *, slope: float = 1.0, rates: np.ndarray = RATES) -> tuple[Lessons, np.ndarray]:
    """Objects whose true posteriors are known, and those of a model that is too sure by ``slope``; a feature beside
    says more than the model knows."""
    rng = np.random.default_rng(seed)
    label = rng.choice(K, n, p=rates)
    centre = 1.5 * np.eye(K)
    seen, unseen = (rng.normal(centre[label], 1.0) for _ in range(2))
    truth = with_prior(softmax(seen @ centre.T), rates)
    model = with_prior(softmax(slope * seen @ centre.T), rates)
    normal = np.concatenate([seen, unseen, rng.normal(size=(n, 4))], axis=1)
    x = inputs(model, np.log(model), normal)
    detections = rng.integers(1, 30, n)
    every = np.ones(n, bool)
    return Lessons(np.arange(n) + 1000 * seed, label, np.ones(n), model, x, detections, every), truth


def _adapted(lessons: Lessons, n: int) -> Adaptation:
    taught, rest = lessons.select(np.arange(n)), lessons.select(np.arange(n, len(lessons)))
    unlabelled = Unlabelled(rest.p_model, rest.x, rest.detections)
    return adapted(taught, unlabelled, rates=RATES, class_ids=CLASS_IDS, seed=1)


def test_without_labels_nothing_is_changed_and_it_says_why() -> None:
    lessons, _ = _stream(400, 1)
    result = _adapted(lessons, LEAST_LABELS - 1)
    assert result.head is None
    assert f"needs {LEAST_LABELS}" in result.steps[0].why


def test_few_labels_leave_perfect_probabilities_as_they_are() -> None:
    lessons, truth = _stream(3000, 2)
    result = _adapted(lessons, 60)
    rest = lessons.select(np.arange(1000, 3000))
    p = rest.p_model if result.head is None else result.head.p_survey(rest.p_model, rest.x, rest.detections)
    one = np.ones(len(rest))
    assert log_loss(p, rest.label, one) < log_loss(truth[1000:], rest.label, one) + 0.02


def test_probabilities_that_are_too_sure_are_calibrated() -> None:
    lessons, _ = _stream(3000, 3, slope=4.0)
    result = _adapted(lessons, 80)
    assert result.head is not None
    assert [step.name for step in result.steps if step.taken] == ["calibration"]
    assert 0.15 < result.head.slope * result.head.sharpness.mean() < 0.5
    assert result.before is not None
    assert result.steps[0].figures is not None
    assert result.steps[0].figures.ece < result.before.ece


def test_weights_learn_what_the_model_does_not_know() -> None:
    lessons, _ = _stream(3000, 4)
    result = _adapted(lessons, 400)
    assert result.head is not None
    assert [step.name for step in result.steps if step.taken] == ["calibration", "weights"][-1:]
    rest = lessons.select(np.arange(400, 3000))
    one = np.ones(len(rest))
    p = result.head.p_survey(rest.p_model, rest.x, rest.detections)
    assert log_loss(p, rest.label, one) < log_loss(rest.p_model, rest.label, one) - 0.1
    np.testing.assert_allclose(p.sum(axis=1), 1)


def test_class_rates_of_the_stream_are_taken_where_labels_agree() -> None:
    rates = np.array([0.85, 0.1, 0.05])
    lessons, _ = _stream(4000, 5, rates=rates)
    wrong = with_prior(lessons.p_model, 1 / rates)  # a model that thinks all classes equally common
    lessons = Lessons(*(wrong if name == "p_model" else getattr(lessons, name) for name in Lessons.__slots__))
    result = _adapted(lessons, 90)
    assert result.head is not None
    assert abs(result.head.rates[0] - 0.85) < 0.07
    assert result.rates[0] == pytest.approx(0.85, abs=0.05)


def test_the_same_labels_give_the_same_head() -> None:
    lessons, _ = _stream(600, 6, slope=3.0)
    first, second = (_adapted(lessons, 120) for _ in range(2))
    assert first.head is not None
    assert second.head is not None
    np.testing.assert_array_equal(first.head.bias, second.head.bias)
    np.testing.assert_array_equal(first.p_after, second.p_after)


def test_the_gradient_is_that_of_the_loss() -> None:
    lessons, _ = _stream(40, 7)
    problem = fitting._Problem(lessons, lessons.x, np.array([0, 2]))
    theta = np.random.default_rng(1).normal(0, 0.2, problem.size)
    _, gradient = problem.loss(theta, 3.0)
    for i in (0, 1, 5, 12, problem.size - 1):
        step = np.eye(problem.size)[i] * 1e-5
        slope = (problem.loss(theta + step, 3.0)[0] - problem.loss(theta - step, 3.0)[0]) / 2e-5
        assert gradient[i] == pytest.approx(slope, rel=1e-4, abs=1e-6)


def test_an_object_weighs_one_and_its_last_alert_half() -> None:
    weight = fitting.weights_of(np.array([1, 1, 1, 2]), np.array([False, False, True, True]))
    assert weight.tolist() == [0.25, 0.25, 0.5, 1.0]
