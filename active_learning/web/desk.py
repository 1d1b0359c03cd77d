"""The labelling desk: the queue, what a labeller does, and the pictures of the objects."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from active_learning import labels, requests
from active_learning.labels import Answer
from active_learning.logs import CutOff, FollowedLog, NotSaved
from active_learning.web.figures import Figures
from schemas.light_curves import LightCurves

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Done:
    """What was stored: the label record, and the partition and offset where it lies."""

    record: Record
    partition: int
    offset: int


class Desk:
    """Everything behind the page. Methods may be called from several threads at once."""

    def __init__(
        self,
        request_log: FollowedLog,
        label_log: FollowedLog,
        light_curve_of: Callable[[Mapping[str, Any]], LightCurves],
    ) -> None:
        """``light_curve_of`` reads the light curve (one alert) that a request rests on; it raises OSError, LookupError
        or ValueError where it can't."""
        self._requests, self._labels, self._figures = request_log, label_log, Figures(light_curve_of)

    def start(self, timeout_s: float = 20.0) -> None:
        """Begin to follow the logs; returns when what was there is read, or after ``timeout_s``."""
        for log in (self._requests, self._labels):
            log.start()
        for log in (self._requests, self._labels):
            log.wait_until_read(timeout_s)

    def close(self) -> None:
        """End threads and connections."""
        self._figures.close()
        for log in (self._requests, self._labels):
            log.close()

    @property
    def cut_off(self) -> CutOff | None:
        """Since when the page may be out of date, and why; None where all is well."""
        cut_off = [log.cut_off for log in (self._requests, self._labels)]
        return min((one for one in cut_off if one is not None), default=None)

    def queue(self, labeller: str) -> list[Record]:
        """Open requests, newest night first; those this labeller has skipped come last."""
        log = self._labels.records()
        skipped = {r["request_id"] for r in labels.standing(log) if r["action"] == "skip" and r["labeller"] == labeller}
        still_open = requests.unanswered(self._requests.records(), labels.answers(log))
        return sorted(still_open, key=lambda request: (request["request_id"] in skipped, -request["night"]))

    def answers(self) -> dict[int, Answer]:
        """What holds of every object that has a label."""
        return labels.answers(self._labels.records())

    def request(self, request_id: str) -> Record:
        """A request by its id, open or answered; LookupError where there is none."""
        for request in self._requests.records():
            if request["request_id"] == request_id:
                return request
        raise LookupError(f"no request {request_id}")

    def label(self, request_id: str, class_id: int, labeller: str, comment: str = "") -> Done:
        """Store a label. Returns only when the log has it; raises NotSaved, LookupError, ValueError."""
        request = self.request(request_id)
        return self._store(labels.label_of(request, class_id, labeller, _now_ms(), comment=comment))

    def skip(self, request_id: str, labeller: str) -> Done:
        """Store that this labeller passes on; raises as :meth:`label`."""
        return self._store(labels.skip_of(self.request(request_id), labeller, _now_ms()))

    def last_of(self, labeller: str) -> Record | None:
        """The labeller's newest label or skip that stands: what an undo takes back."""
        theirs = [record for record in labels.standing(self._labels.records()) if record["labeller"] == labeller]
        return max(theirs, key=lambda record: record["created_ms"], default=None)

    def undo(self, labeller: str) -> Done | None:
        """Take back the labeller's newest label or skip that stands; None where there is none. Raises NotSaved."""
        last = self.last_of(labeller)
        if last is None:
            return None
        return self._store(labels.undo_of(last, labeller, max(_now_ms(), last["created_ms"] + 1)))

    def figure(self, request_id: str) -> dict[str, Any]:
        """The light curve as plots.figure gives it; raises CannotDraw."""
        return self._figures.figure(request_id, self.request)

    def draw_ahead(self, request_ids: list[str]) -> None:
        """Prepare figures that will be wanted soon."""
        self._figures.draw_ahead(request_ids, self.request)

    def _store(self, record: Record) -> Done:
        """Raises NotSaved, with the object's name, at once where the page is cut off already."""
        if self.cut_off is not None:
            raise NotSaved(f"{record['object_name']} is NOT saved: the page is cut off")
        try:
            return Done(record, *self._labels.append(record))
        except NotSaved as error:
            raise NotSaved(f"{record['object_name']}: {error}") from error


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
