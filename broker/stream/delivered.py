"""What a task of the sink delivered, and a batch of such tasks in numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from pyspark.sql.datasource import WriterCommitMessage


@dataclass(frozen=True)
class Delivered(WriterCommitMessage):
    """What a task delivered. ``alerts`` and ``dead_letters`` count rows; ``inputs`` counts input messages.

    ``not_offered``: alerts that Redis could not be told of. ``topics``: messages by topic. ``ends``: by
    "topic:partition" the offset after the last row's.
    """

    tasks: tuple[str, ...] = ()
    alerts: int = 0
    dead_letters: int = 0
    inputs: int = 0
    strange: int = 0
    not_offered: int = 0
    topics: Counter[str] = field(default_factory=Counter)
    ends: dict[str, int] = field(default_factory=dict)


def summary(delivered: Sequence[Delivered], batch_id: int) -> dict[str, Any]:
    """A batch in numbers: the sums over its tasks."""
    topics: Counter[str] = Counter()
    ends: dict[str, int] = {}
    for message in delivered:
        topics.update(message.topics)
        for partition, end in message.ends.items():
            ends[partition] = max(end, ends.get(partition, 0))
    return {
        "batch": batch_id,
        "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "inputs": sum(message.inputs for message in delivered),
        "alerts_out": sum(message.alerts for message in delivered),
        "dead_letters": sum(message.dead_letters for message in delivered),
        "strange": sum(message.strange for message in delivered),
        "not_offered": sum(message.not_offered for message in delivered),
        "topics": dict(sorted(topics.items())),
        "ends": ends,
        "tasks": [task for message in delivered for task in message.tasks],
    }
