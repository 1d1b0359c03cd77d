"""The utility of a label: what it must be larger for, and what it must not depend on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from active_learning.acquisition import class_weights, entropy_nats, order_by_utility, utility

WEIGHTS = hnp.arrays(np.float64, st.tuples(st.integers(1, 8), st.integers(2, 6)), elements=st.floats(1e-6, 1.0))


@settings(deadline=None)
@given(WEIGHTS)
def test_entropy_lies_between_certainty_and_ignorance(weights: np.ndarray) -> None:
    p = weights / weights.sum(axis=1, keepdims=True)
    entropy = entropy_nats(p)
    assert ((entropy >= 0) & (entropy <= np.log(p.shape[1]) + 1e-9)).all()


def test_entropy_of_known_cases() -> None:
    entropy = entropy_nats([[1, 0, 0, 0], [0.25] * 4, [0.5, 0.5, 0, 0], [np.nan, 1, 0, 0]])
    assert entropy == pytest.approx([0, np.log(4), np.log(2), 0])


@settings(deadline=None)
@given(WEIGHTS)
def test_with_equal_counts_utility_is_entropy(weights: np.ndarray) -> None:
    p = weights / weights.sum(axis=1, keepdims=True)
    assert utility(p, np.full(p.shape[1], 7)) == pytest.approx(entropy_nats(p))


def test_classes_with_few_labels_weigh_more() -> None:
    weights = class_weights([0, 3, 30, 3000])
    assert (np.diff(weights) < 0).all()
    assert weights.mean() == pytest.approx(1)
    rare, frequent = utility([[0.5, 0.5, 0, 0], [0, 0, 0.5, 0.5]], [0, 3, 30, 3000])
    assert rare > 2 * frequent


def test_a_batch_does_not_ask_the_same_question_twice_running() -> None:
    p = np.array([[0.5, 0.5, 0, 0]] * 10 + [[0, 0, 0.49, 0.51]] * 10)
    order = [row for row, _ in order_by_utility(p, np.zeros(4), range(20))]
    assert order[0] == 0
    first_half = order[:10]
    assert 3 <= sum(row < 10 for row in first_half) <= 7
    assert sorted(order) == list(range(20))
