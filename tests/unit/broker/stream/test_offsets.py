"""Offset planning: what a batch reads, and how its tasks share it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.stream.offsets import (
    ROWS_WORTH_A_SECOND_TASK,
    ChangedTopic,
    Range,
    TopicState,
    advance,
    ranges,
    shares,
    split,
    task_count,
    task_name,
)

backlogs = st.dictionaries(st.tuples(st.sampled_from("ab"), st.integers(0, 30)), st.integers(0, 10**7), max_size=20)
sizes = st.lists(st.integers(1, 5_000), min_size=1, max_size=20)


def laid_out(lengths: list[int]) -> list[Range]:
    """Ranges of these lengths, some in one topic and some in another, at uneven starts."""
    return [Range("ab"[i % 2], i, 7 * i, 7 * i + length) for i, length in enumerate(lengths)]


def offsets_of(parts: list[Range] | tuple[Range, ...]) -> list[tuple[str, int, int]]:
    return [(part.topic, part.partition, offset) for part in parts for offset in range(part.start, part.end)]


@given(sizes, st.integers(1, 9))
def test_a_split_covers_every_offset_once_in_order(lengths: list[int], tasks: int) -> None:
    whole = laid_out(lengths)
    plan = split(whole, tasks)
    assert [offset for task_ranges in plan for offset in offsets_of(task_ranges)] == offsets_of(whole)


@given(sizes, st.integers(1, 9))
def test_tasks_are_equal_to_one_offset(lengths: list[int], tasks: int) -> None:
    plan = split(laid_out(lengths), tasks)
    loads = [sum(len(part) for part in task_ranges) for task_ranges in plan]
    assert len(plan) == min(tasks, sum(lengths))
    assert max(loads) - min(loads) <= 1


@given(sizes, st.integers(1, 9))
def test_a_task_holds_a_partition_at_most_once_and_has_a_name_of_its_own(lengths: list[int], tasks: int) -> None:
    plan = split(laid_out(lengths), tasks)
    for task_ranges in plan:
        places = [(part.topic, part.partition) for part in task_ranges]
        assert len(set(places)) == len(places)
    names = [task_name(task_ranges) for task_ranges in plan]
    assert len(set(names)) == len(names)
    assert names == [task_name(task_ranges) for task_ranges in split(laid_out(lengths), tasks)]
    assert all("/" not in name and len(name) < 200 for name in names)


def test_names_differ_where_only_a_later_range_differs() -> None:
    first = Range("alerts", 0, 10, 20)
    assert task_name((first, Range("alerts", 1, 5, 9))) != task_name((first, Range("alerts", 1, 5, 8)))
    assert task_name((first,)) == "alerts-0-10-20"


def test_nothing_to_read_needs_no_task() -> None:
    assert split([], 4) == []


@given(backlogs, st.integers(1, 10**7))
def test_shares_use_the_whole_limit_and_no_more_than_is_there(backlog: dict[tuple[str, int], int], limit: int) -> None:
    taken = shares(backlog, limit)
    assert taken.keys() == backlog.keys()
    assert all(0 <= taken[key] <= waiting for key, waiting in backlog.items())
    assert sum(taken.values()) == min(limit, sum(backlog.values()))


@given(backlogs, st.integers(1, 10**7))
def test_shares_are_in_proportion_to_the_backlog(backlog: dict[tuple[str, int], int], limit: int) -> None:
    total = sum(backlog.values())
    for key, taken in shares(backlog, limit).items():
        assert abs(taken - backlog[key] * min(limit / max(total, 1), 1)) < 1


def test_a_limit_of_one_still_moves_the_stream() -> None:
    assert sum(shares({("a", p): 1_000 for p in range(50)}, 1).values()) == 1


def test_without_a_limit_everything_is_taken() -> None:
    assert shares({("a", 0): 5, ("a", 1): 0}, None) == {("a", 0): 5, ("a", 1): 0}


def state(topic_id: str = "id", low: dict[int, int] | None = None, high: dict[int, int] | None = None) -> TopicState:
    return TopicState(topic_id, low or {0: 0}, high or {0: 0})


def test_a_topic_joins_at_its_first_kept_offset_before_it_is_read() -> None:
    kafka = {"alerts": state(low={0: 40, 1: 0}, high={0: 100, 1: 7})}
    joined = advance({}, kafka, 10)
    assert joined == {"alerts": {"id": "id", "partitions": {"0": 40, "1": 0}}}
    assert ranges({}, joined) == []
    after = advance(joined, kafka, None)
    assert ranges(joined, after) == [Range("alerts", 0, 40, 100), Range("alerts", 1, 0, 7)]


def test_a_partition_added_to_a_known_topic_is_read_from_offset_0() -> None:
    start = {"alerts": {"id": "id", "partitions": {"0": 100}}}
    after = advance(start, {"alerts": state(low={0: 0, 1: 0}, high={0: 100, 1: 3})}, None)
    assert ranges(start, after) == [Range("alerts", 1, 0, 3)]
    assert start == {"alerts": {"id": "id", "partitions": {"0": 100}}}, "the start must not be changed"


def test_a_topic_no_longer_asked_for_keeps_its_place() -> None:
    start = {"old": {"id": "x", "partitions": {"0": 9}}}
    assert advance(start, {"new": state()}, None)["old"] == start["old"]


def test_a_topic_made_anew_is_an_error_that_names_both_ids() -> None:
    start = {"alerts": {"id": "first", "partitions": {"0": 100}}}
    with pytest.raises(ChangedTopic, match=r"alerts.*first.*second"):
        advance(start, {"alerts": state("second", high={0: 500})}, None)


def test_a_log_that_ends_before_what_was_read_is_an_error() -> None:
    start = {"alerts": {"id": "id", "partitions": {"0": 100}}}
    with pytest.raises(ChangedTopic, match="partition 0 ends at offset 60, before offset 100"):
        advance(start, {"alerts": state(high={0: 60})}, None)


@given(st.integers(1, 64))
def test_small_batches_are_one_task_and_large_ones_a_task_for_each_core(cores: int) -> None:
    assert task_count([Range("a", 0, 0, ROWS_WORTH_A_SECOND_TASK - 1)], cores) == 1
    assert task_count([Range("a", 0, 0, ROWS_WORTH_A_SECOND_TASK)], cores) == cores
