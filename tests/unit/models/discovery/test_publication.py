"""P-values by counting, q-values by scipy, and what a history changes."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import false_discovery_control

from models.discovery.publication import p_values, q_values
from models.scoring.conformal import benjamini_hochberg

NUMBERS = st.lists(st.integers(-8, 8).map(float), min_size=1, max_size=40).map(np.array)


@settings(max_examples=60, deadline=None)
@given(NUMBERS, NUMBERS)
def test_p_values_are_counts(score: np.ndarray, null_score: np.ndarray) -> None:
    expected = [(1 + sum(one >= mine for one in null_score)) / (len(null_score) + 1) for mine in score]
    np.testing.assert_allclose(p_values(score, null_score), expected)


@settings(max_examples=60, deadline=None)
@given(NUMBERS, NUMBERS)
def test_q_values_without_a_history_are_those_of_benjamini_and_hochberg(score: np.ndarray, nulls: np.ndarray) -> None:
    nobody, none = np.zeros(len(score), bool), np.zeros(len(nulls), bool)
    q, p = q_values(score, nulls, nobody, none), p_values(score, nulls)
    np.testing.assert_allclose(q, false_discovery_control(p))
    for fdr in (0.0513, 0.1037, 0.3071):  # no q-value of so few objects is one of these: nothing hangs on the last bit
        np.testing.assert_array_equal(q <= fdr, p <= benjamini_hochberg(p, fdr))


@settings(max_examples=60, deadline=None)
@given(NUMBERS, NUMBERS, st.integers(0, 999))
def test_q_values_with_a_history_are_the_estimate_of_the_union(score: np.ndarray, nulls: np.ndarray, seed: int) -> None:
    rng = np.random.default_rng(seed)
    published, passed = rng.random(len(score)) < 0.3, rng.random(len(nulls)) < 0.2
    n, m = len(score), len(nulls)

    def estimate(cut: float) -> float:
        false, chosen = 1 + ((nulls >= cut) | passed).sum(), ((score >= cut) | published).sum()
        return n * false / ((m + 1) * max(chosen, 1))

    q = q_values(score, nulls, published, passed)
    for i in np.flatnonzero(~published):
        assert np.isclose(q[i], min(1, *(estimate(cut) for cut in score[score <= score[i]]), 1))


def test_an_object_of_the_past_lets_a_false_one_through_only_as_the_rate_allows() -> None:
    nulls = np.arange(999.0)
    score = np.append(np.full(20, 998.5), np.zeros(80))
    published = np.arange(100) < 20
    none = np.zeros(999, bool)
    assert (q_values(score, nulls, published, none)[:20] <= 0.01).all()
    passed = none.copy()
    passed[:30] = True  # the thresholds of earlier nights let 3 % of the nulls through
    assert (q_values(score, nulls, published, passed) > 0.1).all()
