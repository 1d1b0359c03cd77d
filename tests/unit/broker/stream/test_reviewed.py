"""Which labels take an object out of the recent scores, and which make it one to rank among."""

from __future__ import annotations

import pytest

from active_learning.labels import Answer
from broker.stream.reviewed import Reviewed, reviewed

KNOWN = (2222, 2224, 2332)


def answer(object_id: int, *class_ids: int, reason: str = "random") -> Answer:
    given = {
        f"p{i}": {"class_id": one, "reason": reason, "created_ms": i, "label_id": str(i)}
        for i, one in enumerate(class_ids)
    }
    return Answer(object_id, str(object_id), given)


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (answer(7, 2222), "known"),
        (answer(7, 2222, 2222), "known"),
        (answer(7, 2220), "known"),  # a group that holds known classes
        (answer(7, 2222, reason=""), "known"),  # of a catalogue
        (answer(7, 2222, reason="novel"), ""),  # asked for because it is strange: no fair sample
        (answer(7, 2222, reason="uncertain"), ""),
        (answer(7, 2222, 2100), ""),  # labellers disagree
        (answer(7, 2100), "unknown"),
        (answer(7, 1100, reason="novel"), "unknown"),
        (answer(7, 2232), "unknown"),  # a class that this model does not know
    ],
)
def test_labels_are_sorted_by_what_the_model_knows(one: Answer, expected: str) -> None:
    sorted_labels = reviewed([one], KNOWN)
    assert sorted_labels.strangers == ({7} if expected == "unknown" else frozenset())
    assert sorted_labels.fair_sample == ({7} if expected == "known" else frozenset())
    assert reviewed([], KNOWN) == Reviewed()
