"""The audit: every input offset that holds a message is in the output, in the dead letters, not yet read, or lost.

Input messages are large and outputs name the input they came from, so the inputs are not read: the offsets that
neither an output nor a dead letter names are the only ones looked at, to tell messages from offsets that hold none
(transaction markers, compaction).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from broker.kafka import clients, reading, topics
from broker.kafka.errors import NoSuchTopic
from broker.kafka.writing import INPUT_HEADER
from broker.operate import checkpoint
from broker.settings import Settings

OFFSETS_NAMED = 20

_GAP = 50
"""Ranges to look at that lie no further apart than this are read in one go, offsets."""

_CLOCKS_MS = 3_600_000
"""An output is never older than its input by more than clocks of two machines may differ, ms."""

_OUT, _DEAD = 1, 2

Place = tuple[str, int]
"""Topic and partition."""


class LostRange(NamedTuple):
    """Neighbouring messages that are neither in the output nor in the dead letters, ``first`` to ``last``."""

    topic: str
    partition: int
    first: int
    last: int


@dataclass
class Report:
    """What the audit found.

    - ``alerts_in``: input messages that the job has passed. A container of several alerts is one message.
    - ``alerts_out``: alerts classified, each counted once for the input message it came in.
    - ``dead_letters``: refusals, each counted once.
    - ``lost``: input messages that the job has passed without a trace of them.
    - ``duplicates``: outputs whose key another output has: a batch was done again, or the input holds an alert twice.
    - ``done_again``, ``twice_in_input``: the duplicates of either cause.
    - ``pending``: input offsets that the job has not yet finished with.
    - ``missing_topics``: input topics, and that of classifications, that do not exist; a name may be mistyped.
    """

    alerts_in: int = 0
    alerts_out: int = 0
    dead_letters: int = 0
    lost: int = 0
    duplicates: int = 0
    done_again: int = 0
    twice_in_input: int = 0
    pending: int = 0
    lost_ranges: list[LostRange] = field(default_factory=list)
    missing_topics: tuple[str, ...] = ()

    def lost_offsets(self, most: int = OFFSETS_NAMED) -> list[tuple[str, int, int]]:
        """The first of the lost messages: topic, partition, offset."""
        named = (
            (lost.topic, lost.partition, offset)
            for lost in self.lost_ranges
            for offset in range(lost.first, lost.last + 1)
        )
        return [offset for offset, _ in zip(named, range(most), strict=False)]


@dataclass
class _Slot:
    """The audited offsets of one partition, ``low`` to ``high - 1``; the job has passed those below ``passed``."""

    low: int
    high: int
    passed: int
    seen: NDArray[np.uint8]


def audit(settings: Settings, since_ms: int | None = None) -> Report:
    """Account for every input offset, or for those whose messages are not older than ``since_ms`` (ms since 1970 UTC).

    What the job has passed is told by the checkpoint in the home; where there is none, everything counts as passed.
    Input topics that do not exist are empty. Raises KafkaFailure.
    """
    slots = _slots(settings, since_ms)
    present, wanted = topics.existing(settings), (*settings.input_topics, topics.classifications(settings))
    report = Report(missing_topics=tuple(topic for topic in wanted if topic not in present))
    since_output_ms = None if since_ms is None else since_ms - _CLOCKS_MS
    keys, origins = _mark(settings, topics.classifications(settings), since_output_ms, slots, _OUT)
    report.alerts_out = len(np.unique(origins))
    report.done_again = len(origins) - report.alerts_out
    report.twice_in_input = report.alerts_out - len(np.unique(keys))
    report.duplicates = report.done_again + report.twice_in_input
    dead_keys, _ = _mark(settings, topics.dead_letters(settings), since_output_ms, slots, _DEAD)
    report.dead_letters = len(np.unique(dead_keys))
    for (topic, partition), slot in slots.items():
        unseen = np.flatnonzero(slot.seen == 0) + slot.low
        report.alerts_in += int(np.count_nonzero(slot.seen))
        report.pending += int(np.count_nonzero(unseen >= slot.passed))
        lost = _messages_at(settings, topic, partition, unseen[unseen < slot.passed])
        report.lost_ranges += [LostRange(topic, partition, first, last) for first, last in _runs(lost)]
        report.lost += len(lost)
    report.alerts_in += report.lost
    return report


def _slots(settings: Settings, since_ms: int | None) -> dict[Place, _Slot]:
    passed = checkpoint.committed(settings)
    slots = {}
    for topic in settings.input_topics:
        try:
            limits = reading.bounds(settings, topic)
        except NoSuchTopic:
            continue
        begins = {} if since_ms is None else reading.offsets_at(settings, topic, since_ms)
        for partition, (low, high) in limits.items():
            first = max(low, begins.get(partition, low))
            end = high if passed is None else min(high, passed.get(topic, {}).get(partition, first))
            slots[topic, partition] = _Slot(first, high, end, np.zeros(max(0, high - first), np.uint8))
    return slots


def _mark(
    settings: Settings, topic: str, since_ms: int | None, slots: Mapping[Place, _Slot], mark: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Mark the input offsets that a topic's messages name.

    Returns for each such message a number that stands for its key, and one for its key and input together.
    """
    key_hashes: list[NDArray[np.int64]] = []
    origins: list[NDArray[np.int64]] = []
    try:
        begins = None if since_ms is None else reading.offsets_at(settings, topic, since_ms)
    except NoSuchTopic:
        begins = None
    for batch in reading.read_batches(settings, topic, begins, missing_ok=True):
        for place, offsets, keys in _by_place(batch):
            slot = slots.get(place)
            if slot is not None:
                inside = (offsets >= slot.low) & (offsets < slot.high)
                slot.seen[offsets[inside] - slot.low] |= mark
                key_hashes.append(keys[inside])
                pairs = zip(offsets[inside].tolist(), keys[inside].tolist(), strict=True)
                origins.append(np.array([hash((*place, *pair)) for pair in pairs], np.int64))
    nothing = np.empty(0, np.int64)
    return np.concatenate([nothing, *key_hashes]), np.concatenate([nothing, *origins])


def _by_place(batch: list[Any]) -> Iterator[tuple[Place, NDArray[np.int64], NDArray[np.int64]]]:
    """Of a batch of outputs: for each input partition the offsets named, and a hash of each message's key."""
    gathered: dict[bytes, tuple[list[int], list[int]]] = {}
    for message in batch:
        named = next((value for name, value in message.headers() or () if name == INPUT_HEADER), None)
        if named is None:  # not written by the sink
            continue
        place, _, offset = named.rpartition(b":")
        offsets, keys = gathered.setdefault(place, ([], []))
        offsets.append(int(offset))
        keys.append(hash(message.key()))
    for place, (offsets, keys) in gathered.items():
        topic, _, partition = place.decode().rpartition(":")
        yield (topic, int(partition)), np.array(offsets, np.int64), np.array(keys, np.int64)


def _messages_at(settings: Settings, topic: str, partition: int, offsets: NDArray[np.int64]) -> NDArray[np.int64]:
    """Those of the offsets (ascending) that hold a message."""
    if not len(offsets):
        return offsets
    breaks = np.flatnonzero(np.diff(offsets) > _GAP) + 1
    parts = np.split(offsets, breaks)
    # Kafka gives at least one message, however long; of few messages we want no more than that.
    most = 4_000_000 if len(offsets) > 1_000 else 65_536
    consumer = clients.log_reader(settings, **{"fetch.message.max.bytes": most})
    held: list[int] = []
    try:
        for part in parts:
            for batch in reading.read_ranges(consumer, topic, {partition: (int(part[0]), int(part[-1]) + 1)}):
                held += [message.offset() or 0 for message in batch]
    finally:
        consumer.close()
    return offsets[np.isin(offsets, np.array(held, np.int64))]


def _runs(offsets: NDArray[np.int64]) -> list[tuple[int, int]]:
    """First and last of each run of consecutive numbers."""
    if not len(offsets):
        return []
    parts = np.split(offsets, np.flatnonzero(np.diff(offsets) > 1) + 1)
    return [(int(part[0]), int(part[-1])) for part in parts]
