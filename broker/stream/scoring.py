"""Messages in, rows out: decode, score, and say of each message what became of it. Nothing raises inside a batch."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from broker.kafka.fetching import Messages
from broker.records.build import RowContext, alert_rows, dead_rows, mark_first_of_message
from broker.state.object_history import ObjectHistory
from models.scoring.recent_scores import RecentScores
from models.scoring.scorer import Scorer, Scores
from schemas import packets
from schemas.dead_letters import DeadLetter
from schemas.light_curves import LightCurves

log = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class MessageScorer:
    """Turns messages into rows with one pinned model; ``history`` lengthens light curves that packets cut short,
    ``recent`` are the scores of the stream that p-values are ranks among."""

    scorer: Scorer
    context: RowContext
    history: ObjectHistory | None = None
    recent: RecentScores = field(default_factory=RecentScores)

    def rows(self, messages: Messages) -> pa.RecordBatch:
        """One row for each alert and each dead letter; every message has at least one, and one marked as its first."""
        light_curves, letters = self._read(messages)
        if self.history is not None:
            light_curves = self.history.joined(light_curves)
        scored, scores, failures = self._score(light_curves)
        letters += [DeadLetter(int(light_curves.packet_index[row]), _stage(e), _reason(e)) for row, e in failures]
        letters += _empty_messages(len(messages), light_curves, letters)
        if failures:
            kept = np.delete(np.arange(len(light_curves)), [row for row, _ in failures])
            light_curves, scored = light_curves.select(kept), np.searchsorted(kept, scored)
        alerts = alert_rows(light_curves, scored, scores, messages, self.context, self.recent)
        dead = dead_rows(letters, messages, self.context)
        return mark_first_of_message(pa.concat_batches([alerts, dead]))

    def _read(self, messages: Messages) -> tuple[LightCurves, list[DeadLetter]]:
        parts, letters = [], []
        for topic in sorted(set(messages.topic)):
            index = np.flatnonzero(np.array(messages.topic, object) == topic)

            def read(places: NDArray[np.int64], topic: str = topic) -> tuple[LightCurves, list[DeadLetter]]:
                limit = self.context.packet_size_limit_bytes
                return packets.read([messages.value[i] for i in places], topic, size_limit_bytes=limit)

            done, failures = isolate(read, index)
            for places, (light_curves, refused) in done:
                parts.append(replace(light_curves, packet_index=places[light_curves.packet_index]))
                letters += [letter._replace(packet_index=int(places[letter.packet_index])) for letter in refused]
            letters += [DeadLetter(place, "decode", _reason(error)) for place, error in failures]
        return LightCurves.concatenate(parts), letters

    def _score(self, light_curves: LightCurves) -> tuple[NDArray[np.int64], Scores | None, list[tuple[int, Exception]]]:
        """The alerts that were scored, their scores, and those that failed; Solar System objects are passed over."""
        of_sky = np.flatnonzero(~light_curves.is_solar_system)
        parts, failures = isolate(lambda rows: self.scorer.score(light_curves.select(rows)), of_sky)
        scored = np.concatenate([rows for rows, _ in parts]) if parts else of_sky[:0]
        return scored, Scores.concatenate([scores for _, scores in parts]) if parts else None, failures


def isolate(
    work: Callable[[NDArray[np.int64]], T], index: NDArray[np.int64]
) -> tuple[list[tuple[NDArray[np.int64], T]], list[tuple[int, Exception]]]:
    """Do ``work`` on all of ``index`` at once; where that raises, on halves of it, so that only the culprits fail.

    Returns the results with the places they are about, and the places that failed with what was raised.
    """
    if not len(index):
        return [], []
    try:
        return [(index, work(index))], []
    except Exception as error:  # whatever it is, its neighbours go on
        if len(index) == 1:
            log.exception("one message could not be used")
            return [], [(int(index[0]), error)]
    middle = len(index) // 2
    first, first_failures = isolate(work, index[:middle])
    second, second_failures = isolate(work, index[middle:])
    return first + second, first_failures + second_failures


def _empty_messages(n: int, light_curves: LightCurves, letters: Sequence[DeadLetter]) -> list[DeadLetter]:
    """Dead letters for messages of which there is nothing else to say: a container without alerts."""
    has_row = np.zeros(n, bool)
    has_row[light_curves.packet_index] = True
    has_row[[letter.packet_index for letter in letters]] = True
    return [DeadLetter(int(place), "decode", "the message holds no alert") for place in np.flatnonzero(~has_row)]


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:1_000]


def _stage(error: Exception) -> str:
    """Where an alert failed: in its features, or in the models behind them."""
    modules = [frame.f_globals.get("__name__", "") for frame, _ in traceback.walk_tb(error.__traceback__)]
    return "features" if any(module.startswith("features.") for module in modules) else "score"
