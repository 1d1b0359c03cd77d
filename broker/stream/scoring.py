"""Messages in, rows out: decode, score, and say of each message what became of it. Nothing raises inside a batch."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from broker.kafka.fetching import Messages
from broker.records.build import RowContext, Verdicts, alert_rows, dead_rows, mark_first_of_message
from broker.state.object_history import ObjectHistory
from models.scoring.scorer import Scorer
from schemas import packets
from schemas.dead_letters import DeadLetter
from schemas.light_curves import LightCurves

SOLAR_SYSTEM_REASON = "a Solar System object"
"""Its flux follows its distance and rotation: the classes, which are of transients and variables, do not apply."""

log = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class MessageScorer:
    """Turns messages into rows with one pinned model; ``history`` lengthens light curves that packets cut short."""

    scorer: Scorer
    context: RowContext
    history: ObjectHistory | None = None

    def rows(self, messages: Messages) -> pa.RecordBatch:
        """One row for each alert and each dead letter; every message has at least one, and one marked as its first."""
        light_curves, letters = self._read(messages)
        if self.history is not None:
            light_curves = self.history.joined(light_curves)
        verdicts, failures = self._score(light_curves)
        keep = np.ones(len(light_curves), bool)
        keep[[row for row, _, _ in failures]] = False
        letters += [DeadLetter(int(light_curves.packet_index[row]), stage, reason) for row, stage, reason in failures]
        letters += _empty_messages(len(messages), light_curves, letters)
        alerts = alert_rows(light_curves, verdicts, keep, messages, self.context)
        dead = dead_rows(letters, messages, self.context)
        return mark_first_of_message(pa.concat_batches([alerts, dead]))

    def _read(self, messages: Messages) -> tuple[LightCurves, list[DeadLetter]]:
        parts, letters = [], []
        for topic in sorted(set(messages.topic)):
            index = np.flatnonzero(np.array(messages.topic, object) == topic)

            def read(which: NDArray[np.int64], topic: str = topic) -> tuple[LightCurves, list[DeadLetter]]:
                limit = self.context.packet_size_limit_bytes
                return packets.read([messages.value[i] for i in which], topic, size_limit_bytes=limit)

            found, failures = isolate(read, index)
            for which, (light_curves, refused) in found:
                parts.append(replace(light_curves, packet_index=which[light_curves.packet_index]))
                letters += [letter._replace(packet_index=int(which[letter.packet_index])) for letter in refused]
            letters += [DeadLetter(place, "decode", _reason(error)) for place, error in failures]
        return LightCurves.concatenate(parts), letters

    def _score(self, light_curves: LightCurves) -> tuple[Verdicts, list[tuple[int, str, str]]]:
        sky = np.flatnonzero(~light_curves.is_solar_system)
        parts, failures = isolate(lambda which: self.scorer.score(light_curves.select(which)), sky)
        classes, features = (parts[0][1].p_flat.shape[1], parts[0][1].features.shape[1]) if parts else (0, 0)
        verdicts = Verdicts.unscored(len(light_curves), SOLAR_SYSTEM_REASON, classes, features)
        for which, scores in parts:
            verdicts.put(which, scores)
        return verdicts, [(place, _stage(error), _reason(error)) for place, error in failures]


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
    told = np.zeros(n, bool)
    told[light_curves.packet_index] = True
    told[[letter.packet_index for letter in letters]] = True
    return [DeadLetter(int(place), "decode", "the message holds no alert") for place in np.flatnonzero(~told)]


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:1_000]


def _stage(error: Exception) -> str:
    """Where an alert failed: in its features, or in the models behind them."""
    modules = [frame.f_globals.get("__name__", "") for frame, _ in traceback.walk_tb(error.__traceback__)]
    return "features" if any(module.startswith("features.") for module in modules) else "score"
