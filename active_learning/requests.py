"""Requests: which objects are asked about, and which of them nobody has answered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from active_learning.labels import Answer

Record = dict[str, Any]


def unanswered(requests: Iterable[Mapping[str, Any]], answers: Mapping[int, Answer]) -> list[Record]:
    """The newest request of every object that has no label, in the order they were published.

    An object whose labellers disagree counts as unanswered; one whose label was taken back does too.
    """
    newest: dict[int, Record] = {}
    for request in requests:
        if request["object_id"] not in newest or request["night"] > newest[request["object_id"]]["night"]:
            newest.pop(request["object_id"], None)
            newest[request["object_id"]] = dict(request)
    return [
        request for object_id, request in newest.items() if object_id not in answers or answers[object_id].is_conflict
    ]


def not_to_ask(open_requests: Iterable[Mapping[str, Any]], answers: Mapping[int, Answer]) -> set[int]:
    """Object ids that a plan leaves out: labelled (in agreement or not), or asked about and not yet answered."""
    return {int(request["object_id"]) for request in open_requests} | set(answers)
