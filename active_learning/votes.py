"""Votes on novel and strange objects: interesting, boring or artefact, kept for ever, and what currently holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import uuid4

from models.discovery.interest import Opinion

Record = dict[str, Any]
OF_ALERT = ("object_id", "object_name", "alert_id", "alert_mjd", "input_topic", "input_partition", "input_offset")
"""Fields that a vote copies from the message about the object."""


def vote_of(alert: Mapping[str, Any], source: str, opinion: str, voter: str, now_ms: int) -> Record:
    """A new vote on the object of an alert, listed by ``source``; ValueError for no such opinion or without a voter."""
    if opinion not in list(Opinion):
        raise ValueError(f"a vote must be one of {', '.join(Opinion)}, found {opinion[:40]!r}")
    if not voter.strip():
        raise ValueError("a vote needs the name of its voter, found none")
    return {name: alert[name] for name in OF_ALERT} | {
        "vote_id": uuid4().hex,
        "vote": str(opinion),
        "action": "vote",
        "undoes": "",
        "voter": voter.strip(),
        "created_ms": now_ms,
        "source": source,
    }


def undo_of(vote: Mapping[str, Any], now_ms: int) -> Record:
    """A record with which its voter takes a vote back."""
    return {**vote, "vote_id": uuid4().hex, "action": "undo", "undoes": vote["vote_id"], "created_ms": now_ms}


def standing(records: Iterable[Mapping[str, Any]]) -> list[Record]:
    """Votes that have not been taken back, each once, in order of the log.

    An undo counts for the voter's own votes only; a record that comes twice counts once.
    """
    once = {record["vote_id"]: dict(record) for record in records}
    undone = {
        record["undoes"]
        for record in once.values()
        if record["action"] == "undo" and once.get(record["undoes"], {}).get("voter") == record["voter"]
    }
    return [r for vote_id, r in once.items() if r["action"] == "vote" and vote_id not in undone]


def of_voter(records: Iterable[Mapping[str, Any]], voter: str) -> dict[int, Record]:
    """What holds of one voter: the newest vote on each object that was not taken back, by object id.

    In order of the log, by the vote that counts: so a session that is replayed comes to the same ranking, to the bit.
    """
    newest: dict[int, Record] = {}
    for vote in standing(records):
        if vote["voter"] == voter:
            newest.pop(vote["object_id"], None)
            newest[vote["object_id"]] = vote
    return newest


def last_of(records: Iterable[Mapping[str, Any]], voter: str) -> Record | None:
    """The voter's vote that an undo takes back: the last in the log of those that stand; None where there is none."""
    return next((vote for vote in reversed(standing(records)) if vote["voter"] == voter), None)
