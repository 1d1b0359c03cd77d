"""Signs of drift: quiet where nothing changes, loud where something does."""

from __future__ import annotations

import numpy as np
import pytest

from models.adaptation import drift, martingale
from models.evaluation import auc

NAMES = tuple(f"f{i}" for i in range(6))


def _objects(n: int, seed: int, shift: float = 0.0) -> np.ndarray:
    x = np.random.default_rng(seed).normal(size=(n, 6))
    x[:, 2] += shift
    x[::7, 4] = np.nan
    return x


def test_samples_of_one_distribution_cannot_be_told_apart() -> None:
    differences = [drift.difference(_objects(300, i), _objects(300, 100 + i), NAMES, seed=i) for i in range(4)]
    assert sum(one is not None and one.is_certain for one in differences) <= 1
    assert np.mean([one.auc for one in differences if one is not None]) == pytest.approx(0.5, abs=0.03)


def test_a_shifted_feature_is_seen_and_named() -> None:
    said = drift.difference(_objects(400, 1), _objects(400, 2, shift=1.5), NAMES)
    assert said is not None
    assert said.is_certain
    assert said.auc > 0.75
    assert said.drivers[0][0] == "f2"


def test_a_feature_that_goes_missing_is_seen_and_named() -> None:
    gone = _objects(400, 3)
    gone[:, 1] = np.nan
    said = drift.difference(_objects(400, 4), gone, NAMES)
    assert said is not None
    assert said.auc > 0.99
    assert said.drivers[0] == ("f1", 1.0)


def test_few_objects_give_no_answer() -> None:
    assert drift.difference(_objects(99, 1), _objects(5000, 2), NAMES) is None


def test_the_interval_is_as_wide_as_areas_scatter() -> None:
    # for exponential scores the formula is exact; with means 1 and 4 the area is 4 / 5
    rng = np.random.default_rng(9)
    areas = [
        auc(np.concatenate([rng.exponential(1, 50), rng.exponential(4, 70)]), np.arange(120) >= 50) for _ in range(1500)
    ]
    assert np.mean(areas) == pytest.approx(0.8, abs=0.005)
    assert np.std(areas) == pytest.approx(drift._standard_error(0.8, 50, 70), rel=0.06)


def test_the_martingale_seldom_reaches_twenty_while_nothing_changes() -> None:
    rng = np.random.default_rng(5)
    runs = [
        martingale.largest(martingale.log_capital(martingale.p_values(rng.normal(size=200), i))) for i in range(300)
    ]
    assert np.mean(np.array(runs) >= martingale.ALARM) <= 0.05


def test_the_martingale_is_fair() -> None:
    rng = np.random.default_rng(6)
    ends = [np.exp(martingale.log_capital(rng.random(60))[-1]) for _ in range(3000)]
    assert np.mean(ends) == pytest.approx(1.0, abs=0.1)


def test_the_martingale_grows_when_scores_shift() -> None:
    rng = np.random.default_rng(7)
    scores = np.concatenate([rng.normal(size=150), rng.normal(1.5, 1, 150)])
    path = martingale.log_capital(martingale.p_values(scores, 1))
    assert np.exp(path[140]) < martingale.ALARM
    assert martingale.largest(path) > 1000


def test_p_values_are_ranks_and_uniform() -> None:
    p = martingale.p_values(np.arange(200.0), 1)  # each is the largest so far
    assert (p <= 1 / np.arange(1, 201)).all()
    scores = np.random.default_rng(8).normal(size=2000)
    assert np.quantile(martingale.p_values(scores, 2)[200:], [0.1, 0.5, 0.9]) == pytest.approx(
        [0.1, 0.5, 0.9], abs=0.04
    )


def test_capital_stays_finite_however_long_it_grows() -> None:
    path = martingale.log_capital(np.zeros(5000))
    assert np.isfinite(path).all()
    assert np.isfinite(martingale.largest(path))


def test_no_objects_no_alarm() -> None:
    assert martingale.largest(martingale.log_capital(np.zeros(0))) == 1.0
