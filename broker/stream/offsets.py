"""Offset planning: which input offsets a micro-batch takes, and how its tasks share them. Pure functions.

An offset of the stream, as Spark's write-ahead log keeps it, is a JSON object::

    {"topics": {topic: {"id": Kafka's topic id, "partitions": {"0": next offset, …}}},
     "model": SHA-256 of the bundle, "ranks": SHA-256 of the table of recent scores or "",
     "strange": alerts to mark as strange, "tasks": number of tasks}

What is not offsets is there so that a batch done again has the same model, p-values, marks and tasks. Older versions
wrote ``novelty_threshold`` in place of ``ranks`` and ``strange``: such a batch has the training's p-values.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from broker.kafka.ranges import Range, TopicState

ROWS_WORTH_A_SECOND_TASK = 2_000
"""Below this many messages one task does the batch: a second worker costs more than it brings."""

TopicOffsets = dict[str, dict[str, Any]]
"""The part ``topics`` of an offset."""


class ChangedTopic(RuntimeError):
    """A topic is not the log that the checkpoint speaks of."""


def advance(start: TopicOffsets, topics: Mapping[str, TopicState], limit: int | None) -> TopicOffsets:
    """The offsets after the next micro-batch of at most ``limit`` offsets (None: all there are).

    A topic that ``start`` does not know joins at its first kept offset and is read from the next
    batch on: so the place where reading began is in the write-ahead log too. A partition added to
    a known topic is read from offset 0. Topics no longer asked for keep their place.
    Raises ChangedTopic where a topic was made anew or ends before what was read.
    """
    check_same_topics(start, topics)
    after: TopicOffsets = {
        name: {"id": before["id"], "partitions": dict(before["partitions"])} for name, before in start.items()
    }
    backlog: dict[tuple[str, int], int] = {}
    for name, state in topics.items():
        if name not in start:
            after[name] = {"id": state.topic_id, "partitions": {str(p): state.low[p] for p in sorted(state.low)}}
            continue
        partitions = after[name]["partitions"]
        for partition, high in sorted(state.high.items()):
            backlog[name, partition] = high - partitions.setdefault(str(partition), 0)
    for (name, partition), taken in shares(backlog, limit).items():
        after[name]["partitions"][str(partition)] += taken
    return after


def check_same_topics(start: TopicOffsets, topics: Mapping[str, TopicState]) -> None:
    """Raise ChangedTopic where a topic's id differs from the checkpoint's, or its log ends before what was read."""
    for name, state in topics.items():
        before = start.get(name)
        if before is None:
            continue
        if before["id"] != state.topic_id:
            raise ChangedTopic(
                f"topic {name} was deleted and created again: the checkpoint belongs to topic id {before['id']}, "
                f"Kafka now has {state.topic_id}, so the offsets read so far mean nothing there; to read the new one "
                "from its beginning, move the checkpoint folder aside and run again"
            )
        for partition, place in before["partitions"].items():
            high = state.high.get(int(partition), place)
            if high < place:
                raise ChangedTopic(
                    f"topic {name} partition {partition} ends at offset {high}, before offset {place} up to which it "
                    "was read: Kafka lost messages it had confirmed; find out why, then move the checkpoint folder "
                    "aside and run again"
                )


def shares(backlog: Mapping[tuple[str, int], int], limit: int | None) -> dict[tuple[str, int], int]:
    """How much of each partition's backlog to take so that all together take ``limit``: in proportion, to the last one.

    What rounding leaves over goes to the largest remainders, so a limit of 1 still moves the stream.
    """
    total = sum(backlog.values())
    if limit is None or total <= limit:
        return dict(backlog)
    taken = {key: waiting * limit // total for key, waiting in backlog.items()}
    by_remainder = sorted(backlog, key=lambda key: (-(backlog[key] * limit % total), key))
    for key in by_remainder[: limit - sum(taken.values())]:
        taken[key] += 1
    return taken


def ranges(start: TopicOffsets, end: TopicOffsets) -> list[Range]:
    """What a batch from ``start`` to ``end`` reads, by topic and partition."""
    to_read = []
    for topic in sorted(end):
        if topic not in start:  # it joins with this batch
            continue
        before = start[topic]["partitions"]
        for partition, last in sorted((int(p), last) for p, last in end[topic]["partitions"].items()):
            first = before.get(str(partition), 0)
            if last > first:
                to_read.append(Range(topic, partition, first, last))
    return to_read


def task_count(ranges: Sequence[Range], cores: int) -> int:
    """Tasks for a batch: one for each core, or a single one for a small batch."""
    rows = sum(len(part) for part in ranges)
    return 1 if rows < ROWS_WORTH_A_SECOND_TASK else max(1, cores)


def split(ranges: Sequence[Range], tasks: int) -> list[tuple[Range, ...]]:
    """Cut ``ranges`` into at most ``tasks`` runs whose lengths differ by at most 1, in order and without loss."""
    total = sum(len(part) for part in ranges)
    tasks = min(tasks, total)
    sizes = [total // tasks + (i < total % tasks) for i in range(tasks)] if tasks else []
    waiting = list(reversed(ranges))
    plan = []
    for size in sizes:
        of_task: list[Range] = []
        while size:
            part = waiting.pop()
            if len(part) > size:
                waiting.append(Range(part.topic, part.partition, part.start + size, part.end))
                part = Range(part.topic, part.partition, part.start, part.start + size)
            of_task.append(part)
            size -= len(part)
        plan.append(tuple(of_task))
    return plan


def task_name(ranges: Sequence[Range]) -> str:
    """A name for a task's slice of input, fit for a file name: the same in every replay, another for another slice."""
    first = ranges[0]
    name = f"{first.topic}-{first.partition}-{first.start}-{first.end}"
    if len(ranges) == 1:
        return name
    rest = ",".join(f"{part.topic}:{part.partition}:{part.start}:{part.end}" for part in ranges[1:])
    return f"{name}+{len(ranges) - 1}-{hashlib.sha256(rest.encode()).hexdigest()[:12]}"
