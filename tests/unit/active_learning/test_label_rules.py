"""What holds after labels, undos, skips and disagreements."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from active_learning.labels import (
    answers,
    counts_by_class,
    fingerprint,
    label_of,
    skip_of,
    standing,
    undo_of,
)
from active_learning.requests import not_to_ask, unanswered
from schemas import messages

RequestOf = Callable[..., dict[str, Any]]


def test_the_newest_label_of_a_labeller_counts(request_of: RequestOf) -> None:
    request = request_of(1)
    first, second = label_of(request, 2222, "ada", 1), label_of(request, 2243, "ada", 2)
    answer = answers([first, second])[1]
    assert (answer.class_id, answer.is_conflict) == (2243, False)
    assert answer.label_ids == [second["label_id"]]


def test_an_undo_brings_back_what_was_before(request_of: RequestOf) -> None:
    request = request_of(1)
    first, second = label_of(request, 2222, "ada", 1), label_of(request, 2243, "ada", 2)
    log = [first, second, undo_of(second, "ada", 3)]
    assert answers(log)[1].class_id == 2222
    assert answers([*log, undo_of(first, "ada", 4)]) == {}


def test_nobody_undoes_the_label_of_another(request_of: RequestOf) -> None:
    label = label_of(request_of(1), 2222, "ada", 1)
    assert answers([label, undo_of(label, "grace", 2)])[1].class_id == 2222


def test_labellers_who_disagree_are_a_conflict_until_one_changes(request_of: RequestOf) -> None:
    request = request_of(1)
    log = [label_of(request, 2222, "ada", 1), label_of(request, 2243, "grace", 2)]
    assert answers(log)[1].is_conflict
    assert counts_by_class(answers(log)) == {}
    assert unanswered([request], answers(log)) == [request]
    agreed = answers([*log, label_of(request, 2222, "grace", 3)])
    assert agreed[1].class_id == 2222
    assert len(agreed[1].label_ids) == 2
    assert counts_by_class(agreed) == {2222: 1}


def test_a_skip_is_no_label(request_of: RequestOf) -> None:
    skip = skip_of(request_of(1), "ada", 1)
    assert answers([skip]) == {}
    assert standing([skip]) == [skip]
    assert standing([skip, undo_of(skip, "ada", 2)]) == []


def test_a_message_that_comes_twice_counts_once(request_of: RequestOf) -> None:
    label = label_of(request_of(1), 2222, "ada", 1)
    assert standing([label, label]) == [label]


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(1, 3), st.sampled_from(["ada", "grace"]), st.integers(0, 9)), max_size=25))
def test_undoing_everything_leaves_nothing(steps: list[tuple[int, str, int]]) -> None:
    log: list[dict[str, Any]] = []
    for time_ms, (object_id, labeller, choice) in enumerate(steps):
        before = [record for record in standing(log) if record["labeller"] == labeller]
        if choice < 3 and before:
            log.append(undo_of(before[-1], labeller, time_ms))
            assert len(standing(log)) == len(standing(log[:-1])) - 1
        else:
            log.append(label_of(_REQUESTS[object_id], 2222 + choice % 3, labeller, time_ms))
    for record in standing(log):
        log.append(undo_of(record, record["labeller"], 99))
    assert answers(log) == {}


_REQUESTS = {
    i: {
        "object_id": i,
        "object_name": str(i),
        "request_id": f"r{i}",
        "reason": "novel",
        "propensity": 1.0,
        "alert_id": i,
        "input_topic": "alerts",
        "input_partition": 0,
        "input_offset": i,
        "model_sha256": "00",
    }
    for i in range(1, 4)
}


def test_records_are_messages_and_classes_are_known(request_of: RequestOf) -> None:
    label = label_of(request_of(2**59), 2222, " ada ", 1, comment="broad Si II")
    assert label["labeller"] == "ada"
    for record in (label, skip_of(request_of(1), "ada", 2), undo_of(label, "ada", 3)):
        assert messages.decode(messages.encode("label", record)) == ("label", record)
    with pytest.raises(LookupError, match="no class"):
        label_of(request_of(1), 17, "ada", 1)
    with pytest.raises(ValueError, match="name of its labeller"):
        label_of(request_of(1), 2222, "  ", 1)


def test_requests_stay_open_until_answered_and_only_the_newest_of_an_object(request_of: RequestOf) -> None:
    log = [request_of(1), request_of(2), request_of(1, night=61_005, request_id="later")]
    assert [request["request_id"] for request in unanswered(log, {})] == ["request-2", "later"]
    answered = answers([label_of(log[1], 2222, "ada", 1)])
    still_open = unanswered(log, answered)
    assert [request["object_id"] for request in still_open] == [1]
    assert not_to_ask(still_open, answered) == {1, 2}


def test_the_fingerprint_is_of_the_set() -> None:
    assert fingerprint(["b", "a"]) == fingerprint(["a", "b"]) != fingerprint(["a"])
