"""Every figure of merit against scikit-learn, or against a case whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest
import sklearn.metrics as reference
from hypothesis import given, settings
from hypothesis import strategies as st

from models import evaluation
from models.evaluation.calibration_error import error_of_the_perfect
from models.evaluation.earliness import median_days
from models.evaluation.figure_of_merit import best_figure_of_merit, expected_best_threshold
from models.evaluation.ranking import purity_curve, roc_curve
from models.scoring.classifier import softmax


def drawn(n: int, k: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Probabilities that are exactly right: the truth is drawn from them; and uneven weights."""
    rng = np.random.default_rng(seed)
    p = softmax(rng.normal(size=(n, k)) * 2)
    return p, (p.cumsum(axis=1) > rng.random(n)[:, None]).argmax(axis=1), rng.uniform(0.5, 2, n)


@settings(max_examples=20, deadline=None)
@given(st.integers(40, 300), st.integers(2, 5), st.integers(0, 10**6))
def test_what_scikit_learn_has_too(n: int, k: int, seed: int) -> None:
    p, index, w = drawn(n, k, seed)
    index[:k] = np.arange(k)  # every class has an object
    predicted, labels = p.argmax(axis=1), np.arange(k)
    y, s = index == 0, np.round(p[:, 0], 2)  # with ties
    matrix = evaluation.confusion_matrix(p, index, w)
    assert np.allclose(matrix, reference.confusion_matrix(index, predicted, labels=labels, sample_weight=w))
    kwargs = {"sample_weight": w, "average": None, "labels": labels, "zero_division": np.nan}
    assert np.allclose(evaluation.purity(matrix), reference.precision_score(index, predicted, **kwargs), equal_nan=True)
    assert np.allclose(evaluation.completeness(matrix), reference.recall_score(index, predicted, **kwargs))
    f1 = reference.f1_score(index, predicted, average="macro", labels=labels, sample_weight=w, zero_division=0)
    assert evaluation.macro_f1(p, index, w) == pytest.approx(f1)
    balanced = reference.balanced_accuracy_score(index, predicted, sample_weight=w)
    assert evaluation.balanced_accuracy(p, index, w) == pytest.approx(balanced)
    assert evaluation.accuracy(p, index, w) == pytest.approx(
        reference.accuracy_score(index, predicted, sample_weight=w)
    )
    assert evaluation.auc(s, y, w) == pytest.approx(reference.roc_auc_score(y, s, sample_weight=w))
    area = reference.average_precision_score(y, s, sample_weight=w)
    assert evaluation.average_precision(s, y, w) == pytest.approx(area)
    false, true, _ = reference.roc_curve(y, s, sample_weight=w, drop_intermediate=False)
    assert np.allclose(roc_curve(s, y, w), [false, true])
    assert evaluation.log_loss(p, index, w) == pytest.approx(
        reference.log_loss(index, p, labels=labels, sample_weight=w)
    )
    one_hot = np.eye(k)[index]
    assert evaluation.brier_score(p, index, w) == pytest.approx(np.average(((p - one_hot) ** 2).sum(axis=1), weights=w))
    pure, recall, _ = reference.precision_recall_curve(y, s, sample_weight=w)
    assert evaluation.completeness_at_purity(s, y, w, purity=0.8) == pytest.approx(
        recall[:-1][pure[:-1] >= 0.8].max(initial=0)
    )


def test_two_class_brier_is_twice_scikit_learns() -> None:
    p, index, w = drawn(200, 2, 1)
    half = reference.brier_score_loss(index, p[:, 1], sample_weight=w)
    assert evaluation.brier_score(p, index, w) == pytest.approx(2 * half)


def test_flat_and_weighted_log_loss_by_hand() -> None:
    p, index = np.array([[0.5, 0.5], [0.25, 0.75], [0.1, 0.9]]), np.array([0, 0, 1])
    first, second = -np.log([0.5, 0.25]).mean(), -np.log(0.9)
    assert evaluation.flat_log_loss(p, index, np.ones(3)) == pytest.approx((first + second) / 2)
    assert evaluation.weighted_log_loss(p, index, np.ones(3), [1, 2]) == pytest.approx((first + 2 * second) / 3)
    assert evaluation.weighted_log_loss(p, index, np.ones(3), [3, 3]) == pytest.approx((first + second) / 2)


def test_the_challenges_figure_of_merit_by_hand() -> None:
    ia = np.array([True, True, True, True, False, False])
    # two of four found, one false: 2/4 × 2 / (2 + 3)
    assert evaluation.figure_of_merit([True, True, False, False, True, False], ia) == pytest.approx(0.5 * 0.4)
    assert evaluation.figure_of_merit(ia, ia) == 1
    assert evaluation.figure_of_merit(np.zeros(6, bool), ia) == 0
    assert evaluation.figure_of_merit(np.ones(6, bool), ia) == pytest.approx(4 / (4 + 3 * 2))
    assert best_figure_of_merit(np.array([0.9, 0.8, 0.7, 0.2, 0.6, 0.1]), ia) == pytest.approx(0.75)  # three, no false


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 200), st.integers(0, 10**6))
def test_the_best_cut_is_at_least_as_good_as_any(n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    p = np.round(rng.random(n), 1)
    ia = rng.random(n) < p
    ia[0] = True
    by_hand = max(evaluation.figure_of_merit(p >= cut, ia) for cut in np.unique(p))
    assert best_figure_of_merit(p, ia) == pytest.approx(by_hand)
    assert evaluation.figure_of_merit(p >= expected_best_threshold(p), ia) <= by_hand + 1e-12


def test_the_expected_cut_is_nearly_the_best_where_probabilities_are_right() -> None:
    p, index, _ = drawn(20_000, 2, 5)
    chosen = evaluation.figure_of_merit(p[:, 0] >= expected_best_threshold(p[:, 0]), index == 0)
    assert chosen == pytest.approx(best_figure_of_merit(p[:, 0], index == 0), abs=0.005)


def test_calibration_error_of_bins_of_equal_mass() -> None:
    confidence = np.repeat([0.6, 0.9], [30, 60])
    happened = np.concatenate([np.arange(30) < 12, np.arange(60) < 54])
    bins = evaluation.reliability(confidence, happened, np.ones(90))
    assert bins.weight.tolist() == [30, 60]  # ties share a bin
    assert bins.observed == pytest.approx([0.4, 0.9])
    assert bins.error == pytest.approx(0.2 * 30 / 90)
    even = evaluation.reliability(np.linspace(0.5, 1, 150), np.ones(150, bool), np.ones(150))
    assert even.weight.tolist() == [10] * 15


def test_right_probabilities_have_the_error_of_their_number_and_wrong_ones_more() -> None:
    p, index, _ = drawn(3_000, 4, 7)
    one = np.ones(3_000)
    floor = error_of_the_perfect(p, one, seed=1)
    assert evaluation.expected_calibration_error(p, index, one) == pytest.approx(floor, abs=0.012)
    sharpened = p**3 / (p**3).sum(axis=1, keepdims=True)
    assert evaluation.expected_calibration_error(sharpened, index, one) > 5 * floor
    assert error_of_the_perfect(p[:300], one[:300], seed=1) > 2 * floor  # fewer objects, more noise
    per_class = evaluation.class_calibration_errors(p, index, one)
    assert per_class.shape == (4,)
    assert (per_class < 0.03).all()


def test_a_near_miss_costs_less_than_a_far_one() -> None:
    ids = (2222, 2223, 2332)  # two supernovae and an active nucleus
    right, near, far = np.eye(3)[[0]], np.eye(3)[[1]], np.eye(3)[[2]]
    truth, one = np.array([0]), np.ones(1)
    assert evaluation.hierarchical_f1(right, truth, one, ids) == 1
    # below the top: {2200, 2220, 2222} and {2200, 2220, 2223} share two of three; with the nucleus nothing
    assert evaluation.hierarchical_f1(near, truth, one, ids) == pytest.approx(2 / 3)
    assert evaluation.hierarchical_f1(far, truth, one, ids) == 0


def test_coverage_is_the_fraction_that_is_answered() -> None:
    answered = [True, False, False, True]
    assert evaluation.coverage(answered) == 0.5
    assert evaluation.coverage(answered, [1, 1, 1, 5]) == 0.75


def test_days_to_a_right_and_stable_class() -> None:
    object_id = np.array([1, 1, 1, 1, 2, 2, 3, 3])
    days = np.array([30.0, 0, 5, 15, 0, 5, 2, 4])
    p = np.eye(2)[[0, 1, 0, 0, 0, 1, 0, 0]]
    earliness = evaluation.earliness(object_id, days, p, np.zeros(8, np.int64))
    assert earliness.object_id.tolist() == [1, 2, 3]
    assert earliness.days.tolist() == [5, np.inf, 0]  # right from day 5 on; wrong at last; right from the first
    assert earliness.flips.tolist() == [1, 1, 0]
    assert median_days(earliness.days) == 5
    assert median_days(np.array([1, np.inf])) == np.inf


def test_curves_begin_and_end_where_they_must() -> None:
    recall, pure = purity_curve([0.9, 0.8, 0.1], [True, False, True])
    assert recall.tolist() == pytest.approx([0.5, 0.5, 1])
    assert pure.tolist() == pytest.approx([1, 0.5, 2 / 3])
    assert np.isnan(evaluation.average_precision([1, 2], [False, False]))
    assert evaluation.completeness_at_purity([0.9, 0.8], [False, True]) == 0


def test_statistics_of_one_bootstrap_share_their_draws() -> None:
    values = np.random.default_rng(2).normal(size=300)
    of = {
        "mean": lambda rows: values[rows].mean(),
        "double": lambda rows: 2 * values[rows].mean(),
        "none": lambda _: np.nan,
    }
    intervals = evaluation.bootstrap_many(of, np.arange(300), seed=3)
    assert np.asarray(intervals["double"]) == pytest.approx(2 * np.asarray(intervals["mean"]))
    assert intervals["mean"][1] < values.mean() < intervals["mean"][2]
    assert np.isnan(intervals["none"]).all()
    assert intervals["mean"][2] - intervals["mean"][1] == pytest.approx(2 * 1.96 / np.sqrt(300), rel=0.2)
