"""The random part of the night: within budget, a fifth on average, with probabilities that are true."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from active_learning.random_draw import draw, probabilities

COSTS = np.array([0.2, 0.3, 0.5, 0.9, 1.1, 0.25, 0.4, 0.7])


@settings(deadline=None)
@given(st.lists(st.floats(0.05, 3.0), min_size=0, max_size=12), st.floats(0, 3), st.floats(0, 3), st.integers(0, 99))
def test_never_more_than_the_total_nor_one_row_twice(costs: list[float], share: float, more: float, seed: int) -> None:
    rng, cost = np.random.default_rng(seed), np.array(costs)
    rows, probability = draw(cost, share, share + more, rng), probabilities(cost, share, share + more, rng)
    assert len(rows) == len(set(rows))
    assert sum(costs[row] for row in rows) <= share + more + 1e-6
    assert ((probability >= 0) & (probability <= 1)).all()
    assert all(probability[row] > 0 for row in rows)


def test_the_stated_probabilities_are_the_frequencies() -> None:
    n = 4000
    counts, time_spent = np.zeros(len(COSTS)), 0.0
    for seed in range(n):
        rows = draw(COSTS, 1.2, 6.0, np.random.default_rng(seed))
        counts[rows] += 1
        time_spent += COSTS[rows].sum()
    probability = probabilities(COSTS, 1.2, 6.0, np.random.default_rng(0))
    error = np.sqrt(probability * (1 - probability) / n)
    assert (np.abs(counts / n - probability) < 5 * error + 0.01).all()
    assert time_spent / n == pytest.approx(1.2, rel=0.03)
    assert probability.max() > probability.min() * 1.1, "dear ones are drawn less often"


def test_time_for_all_draws_all() -> None:
    assert sorted(draw(COSTS, 10.0, 10.0, np.random.default_rng(1))) == list(range(len(COSTS)))
    assert probabilities(COSTS, 10.0, 10.0, np.random.default_rng(1)) == pytest.approx(1.0)


def test_inverse_probability_weights_recover_the_mean_of_all() -> None:
    generator = np.random.default_rng(5)
    cost = generator.uniform(0.2, 1.2, 400)
    truth = cost > 0.7
    probability = probabilities(cost, 6.0, 30.0, generator)
    estimates = []
    for seed in range(500):
        rows = draw(cost, 6.0, 30.0, np.random.default_rng(seed))
        estimates.append(sum(truth[row] / probability[row] for row in rows) / len(cost))
    error = np.std(estimates) / np.sqrt(len(estimates))
    assert abs(np.mean(estimates) - truth.mean()) < 4 * error
