"""P-values by rank among the stream's own objects: right by SciPy, uniform where they should be, never liberal."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kstest, rankdata

from models.scoring.recent_scores import LABELLED, STREAM, TRAINING, RankedScores, RecentScores
from schemas.passbands import LSST, SURVEYS, ZTF

numbers = st.lists(st.floats(-5, 5, width=16), min_size=1, max_size=40)


@settings(deadline=None)
@given(numbers, st.floats(-5, 5, width=16))
def test_the_p_value_is_the_rank_that_scipy_gives(scores: list[float], score: float) -> None:
    """Of the new object among all and itself, the highest first, ties at their lowest place."""
    p_value = RankedScores(np.sort(np.array(scores, np.float32))).p_value([score])[0]
    rank = rankdata([-one for one in [*scores, score]], method="max")[-1]
    assert p_value == pytest.approx(rank / (len(scores) + 1))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(["normal", "gumbel", "exponential"]))
def test_p_values_of_exchangeable_objects_are_uniform(seed: int, kind: str) -> None:
    random = np.random.default_rng(seed)
    scores = getattr(random, kind)(size=4_000).astype(np.float32)
    p_value = RankedScores(np.sort(scores[:2_000])).p_value(scores[2_000:])
    assert kstest(p_value, "uniform").statistic < 0.09  # two samples of 2,000: that or more has a probability of 2e-7


def test_novelties_among_the_recent_objects_make_p_values_larger_never_smaller() -> None:
    random = np.random.default_rng(3)
    pure, strange = random.normal(size=950).astype(np.float32), random.normal(4, 1, 50).astype(np.float32)
    new = random.normal(size=5_000).astype(np.float32)
    clean = RankedScores(np.sort(pure)).p_value(new)
    mixed = RankedScores(np.sort(np.concatenate([pure, strange]))).p_value(new)
    assert (mixed >= clean - 1 / 950).all()
    assert (mixed <= 0.05).mean() < 0.01 < (clean <= 0.05).mean() < 0.07


def test_each_alert_is_ranked_in_its_own_survey_and_phase() -> None:
    table = RecentScores(
        "ab" * 32,
        {
            (LSST, 0): RankedScores(np.arange(9, dtype=np.float32)),
            (ZTF, 3): RankedScores(np.arange(99, dtype=np.float32), LABELLED),
        },
    )
    p_value, calibration = table.p_values(
        [8.0, 8.0, 8.0, 98.5, np.nan], [LSST, ZTF, LSST, ZTF, LSST], [1, 1, 4, 12, 1], [0.5, 0.6, 0.7, 0.8, 0.9]
    )
    assert p_value.tolist() == [0.2, 0.6, 0.7, 0.01, 1.0]
    assert calibration.tolist() == [STREAM, TRAINING, TRAINING, LABELLED, STREAM]


def test_an_empty_table_leaves_the_trainings_p_values() -> None:
    p_value, calibration = RecentScores().p_values([1.0, 2.0], [LSST, ZTF], [1, 2], [0.1, 0.2])
    assert p_value.tolist() == [0.1, 0.2]
    assert calibration.tolist() == [TRAINING, TRAINING]
    assert RecentScores().p_values([], [], [], [])[0].shape == (0,)


cells = st.dictionaries(
    st.tuples(st.integers(0, len(SURVEYS) - 1), st.integers(0, 4)),
    st.tuples(st.lists(st.floats(width=32, allow_nan=False), max_size=9), st.sampled_from([STREAM, LABELLED])),
)


@settings(deadline=None)
@given(cells)
def test_a_table_comes_back_from_its_bytes(made: dict[tuple[int, int], tuple[list[float], str]]) -> None:
    ranked = {cell: RankedScores(np.sort(np.array(s, np.float32)), kind) for cell, (s, kind) in made.items()}
    table = RecentScores("cd" * 32, ranked)
    again = RecentScores.from_bytes(table.to_bytes())
    assert again.model_sha256 == table.model_sha256
    assert again.cells.keys() == ranked.keys()
    for cell, one in ranked.items():
        assert again.cells[cell].calibration == one.calibration
        np.testing.assert_array_equal(again.cells[cell].scores, one.scores)
    assert again.to_bytes() == table.to_bytes(), "the same table has the same SHA-256"


@settings(deadline=None)
@given(st.binary(max_size=60))
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="must be a table of recent scores"):
        RecentScores.from_bytes(data)


@settings(deadline=None, max_examples=300)
@given(st.integers(0, 2_000), st.integers(1, 255))
def test_a_damaged_table_is_refused_or_read_never_a_crash(place: int, flip: int) -> None:
    data = bytearray(RecentScores("ab" * 32, {(0, 1): RankedScores(np.arange(50, dtype=np.float32))}).to_bytes())
    data[place % len(data)] ^= flip
    with suppress(ValueError):
        assert isinstance(RecentScores.from_bytes(bytes(data)), RecentScores)
