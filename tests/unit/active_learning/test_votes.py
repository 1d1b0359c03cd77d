"""What holds after votes and undos, and that a vote is what its topic takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from active_learning.votes import last_of, of_voter, standing, undo_of, vote_of
from models.discovery.interest import Opinion
from schemas import messages

RecordOf = Callable[..., dict[str, Any]]


def opinions(log: list[dict[str, Any]], voter: str = "ada") -> dict[int, str]:
    return {object_id: vote["vote"] for object_id, vote in of_voter(log, voter).items()}


def test_the_newest_vote_of_a_voter_holds_and_an_undo_brings_back_what_was_before(record_of: RecordOf) -> None:
    first = vote_of(record_of(1), "novel", "boring", "ada", 1)
    second = vote_of(record_of(1), "novel", "interesting", "ada", 2)
    assert opinions([first, second]) == {1: "interesting"}
    log = [first, second, undo_of(second, 3)]
    assert opinions(log) == {1: "boring"}
    assert opinions([*log, undo_of(first, 4)]) == {}


def test_voters_do_not_touch_each_other_s_votes(record_of: RecordOf) -> None:
    mine = vote_of(record_of(1), "novel", "boring", "ada", 1)
    theirs = vote_of(record_of(1), "strange", "artefact", "grace", 2)
    foreign = undo_of(mine, 3) | {"voter": "grace"}
    log = [mine, theirs, foreign]
    assert (opinions(log), opinions(log, "grace")) == ({1: "boring"}, {1: "artefact"})
    assert last_of(log, "ada") == mine
    assert last_of(log, "alan") is None


def test_the_last_vote_in_the_log_is_the_one_to_undo_whatever_the_clocks_say(record_of: RecordOf) -> None:
    log = [vote_of(record_of(i), "novel", "boring", "ada", 100 - i) for i in (1, 2)]
    assert last_of(log, "ada") == log[1]
    assert last_of([*log, undo_of(log[1], 0)], "ada") == log[0]


def test_a_vote_that_comes_twice_counts_once(record_of: RecordOf) -> None:
    vote = vote_of(record_of(1), "novel", "boring", "ada", 1)
    assert standing([vote, vote]) == [vote]


def test_what_is_no_vote_is_refused(record_of: RecordOf) -> None:
    with pytest.raises(ValueError, match="one of interesting, boring, artefact, found 'dull'"):
        vote_of(record_of(1), "novel", "dull", "ada", 1)
    with pytest.raises(ValueError, match="name of its voter"):
        vote_of(record_of(1), "novel", "boring", " ", 1)


def test_a_vote_and_an_undo_are_messages_of_their_kind(record_of: RecordOf) -> None:
    vote = vote_of(record_of(2**59), "strange", Opinion.ARTEFACT, " ada ", 1)
    assert messages.decode(messages.encode("vote", vote)) == ("vote", vote)
    assert vote["voter"] == "ada"
    assert messages.decode(messages.encode("vote", undo_of(vote, 2)))[1]["undoes"] == vote["vote_id"]


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(1, 3), st.sampled_from(["ada", "grace"]), st.integers(0, 5)), max_size=25))
def test_undoing_takes_back_one_vote_after_the_other_to_the_first(
    record_of: RecordOf, steps: list[tuple[int, str, int]]
) -> None:
    log: list[dict[str, Any]] = []
    for time_ms, (object_id, voter, choice) in enumerate(steps):
        last = last_of(log, voter)
        if choice < 2 and last:
            before = log[: log.index(last)]
            log.append(undo_of(last, time_ms))
            assert opinions([r for r in before if r in standing(log)], voter) == opinions(log, voter)
        else:
            log.append(vote_of(record_of(object_id), "novel", list(Opinion)[choice % 3], voter, time_ms))
            assert opinions(log, voter)[object_id] == log[-1]["vote"]
