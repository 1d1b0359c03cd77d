"""What a vote does to a person's ranking, and what it cannot do."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.discovery.interest import (
    NOVELTY_WEIGHT,
    VOTE_WEIGHTS,
    WIDTH,
    Candidates,
    Opinion,
    Vote,
    interest,
    normal_scores,
    order,
)


def drawn(seed: int, n: int = 12, missing: bool = False) -> Candidates:
    """Objects in clumps; some without a vector."""
    generator = np.random.default_rng(seed)
    vectors = generator.integers(0, 3, (n, 1)) + generator.normal(0, 0.4, (n, 4))
    if missing:
        vectors[generator.random(n) < 0.3] = np.nan
    return Candidates(np.arange(n) + 2**60, vectors, generator.normal(size=n))


def vote(candidates: Candidates, row: int, opinion: str) -> Vote:
    return Vote(int(candidates.object_id[row]), Opinion(opinion), candidates.vectors[row])


def places(candidates: Candidates, votes: list[Vote]) -> np.ndarray:
    """The place of each object in the ranking, 0 the first."""
    place = np.empty(len(candidates.object_id), int)
    place[order(candidates, interest(candidates, votes))] = np.arange(len(place))
    return place


SESSIONS = st.lists(st.tuples(st.integers(0, 11), st.sampled_from(list(Opinion))), max_size=8, unique_by=lambda s: s[0])


@settings(deadline=None)
@given(st.integers(0, 10_000), SESSIONS, st.integers(0, 11), st.booleans())
def test_a_vote_moves_its_object_and_those_alike_and_only_in_its_own_direction(
    seed: int, session: list[tuple[int, Opinion]], row: int, missing: bool
) -> None:
    candidates = drawn(seed, missing=missing)
    votes = [vote(candidates, other, opinion) for other, opinion in session if other != row]
    before = interest(candidates, votes)
    distance = np.nan_to_num(((candidates.vectors - candidates.vectors[row]) ** 2).sum(axis=1), nan=np.inf)
    distance[row] = 0.0
    for opinion, weight in VOTE_WEIGHTS.items():
        new = vote(candidates, row, opinion)
        change = interest(candidates, [*votes, new]) - before
        assert change[row] == pytest.approx(weight)
        by_likeness = (np.sign(weight) * change)[np.argsort(distance, kind="stable")]
        assert (np.diff(by_likeness) <= 1e-12).all(), "the more alike, the more it moves"
        assert (by_likeness >= -1e-12).all(), "nothing moves the other way"
        moved = np.sign(weight) * (places(candidates, votes)[row] - places(candidates, [*votes, new])[row])
        assert moved >= 0


@settings(deadline=None)
@given(st.integers(0, 10_000), SESSIONS)
def test_a_session_that_is_replayed_comes_to_the_same_ranking_to_the_bit(
    seed: int, session: list[tuple[int, Opinion]]
) -> None:
    candidates = drawn(seed)
    votes = [vote(candidates, row, opinion) for row, opinion in session]
    first, again = interest(candidates, votes), interest(drawn(seed), list(votes))
    assert first.tobytes() == again.tobytes()
    undone = interest(candidates, [*votes, vote(candidates, 0, "boring")][: len(votes)])
    assert undone.tobytes() == first.tobytes()


@settings(deadline=None)
@given(st.integers(0, 10_000))
def test_without_votes_the_order_is_that_of_novelty(seed: int) -> None:
    candidates = drawn(seed)
    assert (order(candidates, interest(candidates, [])) == np.argsort(-candidates.novelty)).all()


def test_known_values() -> None:
    """Two objects at a distance of one width; normal scores of two ranks are -0.6745 and 0.6745."""
    candidates = Candidates(np.array([1, 2]), np.array([[0.0, 0.0], [WIDTH, 0.0]]), np.array([5.0, 7.0]))
    expected = NOVELTY_WEIGHT * 0.6744897501960817 * np.array([-1, 1]) + np.array([1, np.exp(-0.5)])
    assert interest(candidates, [vote(candidates, 0, "interesting")]) == pytest.approx(expected)


def test_a_vote_turns_the_order() -> None:
    vectors = np.array([[0.0, 0], [0.1, 0], [5, 0], [5.1, 0]])
    candidates = Candidates(np.arange(4), vectors, np.array([4.0, 3, 2, 1]))
    assert places(candidates, []).tolist() == [0, 1, 2, 3]
    assert places(candidates, [vote(candidates, 3, "interesting")]).tolist() == [2, 3, 0, 1]
    assert places(candidates, [vote(candidates, 0, "artefact")]).tolist() == [2, 3, 0, 1]


def test_a_vote_on_an_object_that_left_the_list_still_teaches() -> None:
    candidates = drawn(3)
    elsewhere = Vote(7, Opinion.INTERESTING, candidates.vectors[2])
    assert interest(candidates, [elsewhere])[2] - interest(candidates, [])[2] == pytest.approx(1.0)
    unknown = Vote(7, Opinion.INTERESTING, np.full(4, np.nan))
    assert (interest(candidates, [unknown]) == interest(candidates, [])).all()


def test_an_object_without_a_vector_or_novelty_is_moved_by_its_own_vote_alone() -> None:
    candidates = drawn(4)
    candidates.vectors[5], candidates.novelty[5] = np.nan, np.nan
    assert places(candidates, [])[5] == 11
    assert places(candidates, [vote(candidates, 6, "interesting")])[5] == 11
    assert places(candidates, [vote(candidates, 5, "interesting")])[5] < 5


def test_nothing_to_rank() -> None:
    nothing = Candidates(np.zeros(0, np.int64), np.zeros((0, 4)), np.zeros(0))
    assert len(order(nothing, interest(nothing, [Vote(1, Opinion.BORING, np.zeros(4))]))) == 0
    assert normal_scores(np.zeros(0)).shape == (0,)


def test_no_p_value_comes_in_or_goes_out() -> None:
    """Votes cannot change what is not there: a ranking is made of ids, vectors and novelty, and is one number each."""
    assert {one.name for one in fields(Candidates)} == {"object_id", "vectors", "novelty"}
    candidates: Any = drawn(1)
    kept = [getattr(candidates, one.name).copy() for one in fields(Candidates)]
    interest(candidates, [vote(candidates, 1, "boring")])
    for one, value in zip(fields(Candidates), kept, strict=True):
        assert np.array_equal(getattr(candidates, one.name), value)


def test_shapes_that_do_not_fit_are_named() -> None:
    with pytest.raises(ValueError, match=r"vectors must have shape \(2, d\)"):
        Candidates(np.arange(2), np.zeros((3, 4)), np.zeros(2))
