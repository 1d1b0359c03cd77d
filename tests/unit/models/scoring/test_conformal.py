"""Conformal p-values and Benjamini-Hochberg."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control

from models.scoring.conformal import Conformal, benjamini_hochberg

LEVELS = np.array([0.01, 0.02, 0.05, 0.1, 0.3, 0.7])


def objects(rng: np.random.Generator, n: int, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Scores of alerts of ``n`` objects that differ from each other more than their own alerts do."""
    sizes = rng.integers(1, most + 1, n)
    owner = np.repeat(np.arange(n), sizes)
    return rng.normal(size=n)[owner] + 0.5 * rng.normal(size=len(owner)), owner


@pytest.mark.parametrize("most", [1, 6])
def test_p_values_are_super_uniform(most: int) -> None:
    """Averaged over calibration sets, P(p <= a) <= a: by the theorem, up to the noise of the simulation."""
    rng = np.random.default_rng(20)
    hits, draws = np.zeros(len(LEVELS)), 400
    for _ in range(draws):
        scores, owner = objects(rng, 99, most)
        fitted = Conformal.fit(scores, owner, np.ones(len(scores)))
        new, new_owner = objects(rng, 50, most)
        p = fitted.p_value(new)
        weight = 1 / np.bincount(new_owner)[new_owner] / 50
        hits += ((p[:, None] <= LEVELS) * weight[:, None]).sum(axis=0) / draws
    noise = 4 * np.sqrt(LEVELS * (1 - LEVELS) * (1 / 50 + 1 / 99) / draws)
    assert (hits <= LEVELS + noise).all()
    assert (hits >= LEVELS - 0.011 - noise).all()  # and not far below: 1 / (99 + 1) is the step


def test_prior_weights_hold_the_rate_in_the_weighted_mix() -> None:
    """Calibrated on equal halves, used on nine to one: weights of 1.8 and 0.2 keep the false alarms."""
    rng = np.random.default_rng(4)
    n = 20_000
    wide = np.arange(n) % 2 == 1
    scores = rng.normal(size=n) * np.where(wide, 3.0, 1.0)
    fitted = Conformal.fit(scores, np.arange(n), np.ones(n), np.where(wide, 0.2, 1.8))
    new = rng.normal(size=n) * np.where(rng.random(n) < 0.1, 3.0, 1.0)
    assert (fitted.p_value(new) <= 0.05).mean() == pytest.approx(0.05, abs=0.006)
    plain = Conformal.fit(scores, np.arange(n), np.ones(n))
    assert (plain.p_value(new) <= 0.05).mean() < 0.03


def test_the_formula_on_three_scores() -> None:
    fitted = Conformal.fit([1.0, 2.0, 3.0], [1, 2, 3], [1, 1, 1])
    assert fitted.p_value([0.0, 2.0, 2.5, 4.0, np.nan]).tolist() == [1.0, 0.75, 0.5, 0.25, 1.0]


def test_an_object_with_many_alerts_counts_once() -> None:
    fitted = Conformal.fit([1.0, 5.0, 5.0, 5.0], [1, 2, 2, 2], [1, 1, 1, 1])
    assert fitted.p_value([3.0])[0] == pytest.approx((1 + 1) / 3)


def test_no_score_and_negative_weights_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one object"):
        Conformal.fit([], [], [])
    with pytest.raises(ValueError, match="0 or greater"):
        Conformal.fit([1.0], [1], [-1.0])


p_values = st.lists(st.floats(1e-6, 1, allow_nan=False), min_size=1, max_size=60)


@given(p_values, st.floats(0.01, 0.5))
def test_benjamini_hochberg_rejects_what_scipy_rejects(p: list[float], fdr: float) -> None:
    adjusted = false_discovery_control(p, method="bh")
    threshold = benjamini_hochberg(p, fdr)
    decided = np.abs(adjusted - fdr) > 1e-12  # where rounding can't tip the balance
    assert np.array_equal((np.array(p) <= threshold)[decided], (adjusted <= fdr)[decided])


def test_a_night_without_novelties_has_the_threshold_0() -> None:
    assert benjamini_hochberg(np.linspace(0.2, 1, 50), 0.1) == 0.0
    with pytest.raises(ValueError, match="between 0 and 1"):
        benjamini_hochberg([0.1], 1.5)
