"""The desk of novel and strange objects: what is listed, a person's votes, and the ranking that they make."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from active_learning import votes
from active_learning.logs import CutOff, FollowedLog, NotSaved
from active_learning.web.desk import Done
from active_learning.web.figures import Figures
from models.discovery.interest import Candidates, Opinion, Vote, interest, order
from schemas.light_curves import LightCurves

Record = dict[str, Any]
NOVEL, STRANGE = "novel", "strange"
"""The two lists: objects of the nights' selections, and the strangest alerts of each batch."""

VectorsOf = Callable[[Sequence[Mapping[str, Any]]], NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class Discovery:
    """An object of a list. ``key``: its id as the page writes it; ``opinion``: the voter's, or None."""

    record: Record
    source: str
    opinion: Opinion | None

    @property
    def key(self) -> str:
        """The object's id, as text."""
        return str(self.record["object_id"])


@dataclass(frozen=True, slots=True)
class Ranking:
    """One voter's lists.

    ``groups``: of each source the groups of alike objects, the most interesting first, as are their members.
    ``without_likeness``: why votes do not reach objects alike; "" where they do.
    """

    groups: dict[str, list[list[Discovery]]]
    without_likeness: str

    @property
    def discoveries(self) -> list[Discovery]:
        """All objects in the order of the page."""
        return [one for groups in self.groups.values() for group in groups for one in group]

    def group_of(self, key: str) -> list[Discovery]:
        """The object and those it is grouped with; LookupError where there is none."""
        for groups in self.groups.values():
            for group in groups:
                if any(one.key == key for one in group):
                    return group
        raise LookupError(f"no novel or strange object {key} is listed")


class DiscoveryDesk:
    """Everything behind the page of novel objects. Methods may be called from several threads at once."""

    def __init__(
        self,
        novel_log: FollowedLog,
        strange_log: FollowedLog,
        vote_log: FollowedLog,
        light_curve_of: Callable[[Mapping[str, Any]], LightCurves],
        vectors_of: VectorsOf,
    ) -> None:
        """``vectors_of`` gives, for records of objects (messages or votes), vectors (n, d) in which alike objects lie
        close, a row of NaN where one cannot be had; it raises OSError, LookupError or ValueError where none can."""
        self._logs = {NOVEL: novel_log, STRANGE: strange_log}
        self._votes, self._vectors_of = vote_log, vectors_of
        self._figures = Figures(light_curve_of)

    def start(self, timeout_s: float = 20.0) -> None:
        """Begin to follow the logs; returns when what was there is read, or after ``timeout_s``."""
        for log in self._all:
            log.start()
        for log in self._all:
            log.wait_until_read(timeout_s)

    def close(self) -> None:
        """End threads and connections."""
        self._figures.close()
        for log in self._all:
            log.close()

    @property
    def _all(self) -> list[FollowedLog]:
        return [*self._logs.values(), self._votes]

    @property
    def cut_off(self) -> CutOff | None:
        """Since when the page may be out of date, and why; None where all is well."""
        return min((log.cut_off for log in self._all if log.cut_off is not None), default=None)

    def ranking(self, voter: str) -> Ranking:
        """What is listed, by this voter's interest: a function of the logs alone."""
        listed = self._listed()
        held = list(votes.of_voter(self._votes.records(), voter).values())
        records = [record for of_source in listed.values() for record in of_source]
        vectors, why_not = self._vectors([*records, *held])
        opinions = [
            Vote(int(vote["object_id"]), Opinion(vote["vote"]), vector)
            for vote, vector in zip(held, vectors[len(records) :], strict=True)
        ]
        by_object = {vote.object_id: vote.opinion for vote in opinions}
        groups, begin = {}, 0
        for source, of_source in listed.items():
            rows = slice(begin, begin := begin + len(of_source))
            candidates = Candidates(_ids(of_source), vectors[rows], _novelty(source, of_source))
            ranked = order(candidates, interest(candidates, opinions))
            discoveries = [Discovery(of_source[i], source, by_object.get(of_source[i]["object_id"])) for i in ranked]
            groups[source] = _grouped(discoveries)
        return Ranking(groups, why_not)

    def record(self, key: str) -> Record:
        """The message about a listed object; LookupError where there is none."""
        return self._at(key)[1]

    def vote(self, key: str, opinion: str, voter: str) -> Done:
        """Store a vote. Returns only when the log has it; raises NotSaved, LookupError, ValueError."""
        source, record = self._at(key)
        return self._store(votes.vote_of(record, source, opinion, voter, _now_ms()))

    def last_of(self, voter: str) -> Record | None:
        """The voter's vote that an undo takes back."""
        return votes.last_of(self._votes.records(), voter)

    def undo(self, voter: str) -> Done | None:
        """Take back the voter's last vote that stands; None where there is none. Raises NotSaved."""
        last = self.last_of(voter)
        return self._store(votes.undo_of(last, _now_ms())) if last is not None else None

    def figure(self, key: str) -> dict[str, Any]:
        """The light curve as plots.figure gives it; raises CannotDraw."""
        return self._figures.figure(key, self.record)

    def draw_ahead(self, keys: list[str]) -> None:
        """Prepare figures that will be wanted soon."""
        self._figures.draw_ahead(keys, self.record)

    def _listed(self) -> dict[str, list[Record]]:
        """The newest message about each object, in order of the ids; a novel one is not listed as strange, too."""
        newest = {source: {r["object_id"]: r for r in log.records()} for source, log in self._logs.items()}
        only_strange = {one: record for one, record in newest[STRANGE].items() if one not in newest[NOVEL]}
        return {
            source: [of_source[one] for one in sorted(of_source)]
            for source, of_source in ((NOVEL, newest[NOVEL]), (STRANGE, only_strange))
        }

    def _at(self, key: str) -> tuple[str, Record]:
        for source, records in self._listed().items():
            for record in records:
                if str(record["object_id"]) == key:
                    return source, record
        raise LookupError(f"no novel or strange object {key[:40]} is listed")

    def _vectors(self, records: Sequence[Record]) -> tuple[NDArray[np.float64], str]:
        try:
            return self._vectors_of(records), ""
        except (LookupError, OSError, ValueError) as error:
            return np.full((len(records), 1), np.nan), str(error)

    def _store(self, record: Record) -> Done:
        """Raises NotSaved, with the object's name, at once where the page is cut off already."""
        if self.cut_off is not None:
            raise NotSaved(f"{record['object_name']} is NOT saved: the page is cut off")
        try:
            return Done(record, *self._votes.append(record))
        except NotSaved as error:
            raise NotSaved(f"{record['object_name']}: {error}") from error


def _ids(records: Sequence[Record]) -> NDArray[np.int64]:
    return np.array([record["object_id"] for record in records], np.int64)


def _novelty(source: str, records: Sequence[Record]) -> NDArray[np.float64]:
    """Scores of several selections cannot be compared, places among their objects can."""
    if source == NOVEL:
        return np.array([-(record["rank"] - 0.5) / max(record["n_objects"], 1) for record in records], np.float64)
    return np.array([record["novelty_score"] for record in records], np.float64)


def _grouped(ranked: Iterable[Discovery]) -> list[list[Discovery]]:
    """Objects of one selection's group together, in the order of their first."""
    groups: dict[Any, list[Discovery]] = {}
    for one in ranked:
        of_selection = (one.record["night"], one.record["group"]) if one.source == NOVEL else one.key
        groups.setdefault(of_selection, []).append(one)
    return list(groups.values())


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
