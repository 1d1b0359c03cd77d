"""Class rates from unlabelled objects: analytic mixtures."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.adaptation.rates import stream_rates
from models.scoring.calibration import with_prior


def _posteriors(rates: np.ndarray, n: int, seed: int) -> np.ndarray:
    """Posteriors at equal rates of objects of three normal classes whose densities are known exactly."""
    rng = np.random.default_rng(seed)
    label = rng.choice(3, n, p=rates)
    x = rng.normal(2.0 * label, 1.0)
    return with_prior(np.exp(-0.5 * (x[:, None] - [0.0, 2.0, 4.0]) ** 2), np.ones(3) / 3)


@given(st.integers(0, 1000), st.floats(0.05, 0.9))
def test_rates_of_a_synthetic_stream_come_back(seed: int, common: float) -> None:
    rates = np.array([common, (1 - common) * 0.7, (1 - common) * 0.3])
    estimate = stream_rates(_posteriors(rates, 6000, seed), np.ones(3) / 3, prior_objects=1.0)
    assert estimate.sum() == pytest.approx(1)
    np.testing.assert_allclose(estimate, rates, atol=0.05)


def test_without_objects_the_rates_stay() -> None:
    rates = np.array([0.7, 0.2, 0.1])
    np.testing.assert_allclose(stream_rates(np.zeros((0, 3)), rates), rates)


def test_a_strong_prior_holds_the_rates() -> None:
    p = _posteriors(np.array([0.1, 0.1, 0.8]), 200, 1)
    start = np.ones(3) / 3
    weak, strong = (stream_rates(p, start, prior_objects=n) for n in (1.0, 1e5))
    assert weak[2] > 0.6
    np.testing.assert_allclose(strong, start, atol=0.005)


def test_a_class_that_was_thought_absent_keeps_a_positive_rate() -> None:
    estimate = stream_rates(np.tile([1.0, 0.0, 0.0], (50, 1)), np.array([0.5, 0.5, 0.0]))
    assert (estimate > 0).all()
