"""The streaming sink: rows with their topics → Kafka, the archive, and what Redis keeps.

A task returns its commit message only when Kafka has acknowledged every message and the archive's files are on
disk; if anything is missing the task fails, and Spark does it again. What is wrong with a single row never stops a
batch: the row becomes a dead letter of the stage "deliver". Connections and secrets come from each worker's own
settings; Spark's options, which are seen in query plans, carry the home folder and nothing else.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyspark.sql.datasource import DataSource, DataSourceStreamArrowWriter, WriterCommitMessage
from pyspark.sql.types import StructType

if TYPE_CHECKING:
    import pyarrow as pa

NAME = "gueststar_sink"

BATCHES_FOLDER = Path("run") / "batches"
"""In the home: a JSON file for each committed batch."""

BATCH_FILES_KEPT = 10_000


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
    novel: int = 0
    not_offered: int = 0
    topics: Counter[str] = field(default_factory=Counter)
    ends: dict[str, int] = field(default_factory=dict)


class GueststarSink(DataSource):
    """``rows.writeStream.format("gueststar_sink").option("home", …)``, rows as ``broker.topics.route`` leaves them."""

    @classmethod
    def name(cls) -> str:
        return NAME

    def streamWriter(self, schema: StructType, overwrite: bool) -> GueststarWriter:
        missing = {"alert_id", "task", "topics"} - set(schema.fieldNames())
        if missing:
            raise ValueError(
                f"the sink needs the columns of broker.rows and `topics` of broker.topics.route; missing {missing}"
            )
        return GueststarWriter(self.options["home"])


class GueststarWriter(DataSourceStreamArrowWriter):
    """Writes in the workers, commits beside the driver."""

    def __init__(self, home: str) -> None:
        self.home = home

    def write(self, iterator: Iterator[pa.RecordBatch]) -> Delivered:
        """Deliver a task's rows; raises broker.delivery.UndeliveredError where Kafka does not take them."""
        from broker.row_delivery import (
            RowDelivery,  # numba, Kafka and Arrow load in workers, not in the commit's process
        )

        with RowDelivery(Path(self.home)) as delivery:
            for batch in iterator:
                delivery.take(batch)
            return delivery.finish()

    def commit(self, messages: Sequence[WriterCommitMessage | None], batchId: int) -> None:
        """Write ``<home>/run/batches/<batchId>.json``: complete or not at all."""
        delivered = [message for message in messages if isinstance(message, Delivered)]
        folder = Path(self.home) / BATCHES_FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        draft = folder / f".{batchId}.{os.getpid()}.draft"
        draft.write_text(json.dumps(summary(delivered, batchId)))
        draft.replace(folder / f"{batchId}.json")
        (folder / f"{batchId - BATCH_FILES_KEPT}.json").unlink(missing_ok=True)

    def abort(self, messages: Sequence[WriterCommitMessage | None], batchId: int) -> None:
        """Nothing to undo: the batch will come again with the same keys and file names."""


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
        "novel": sum(message.novel for message in delivered),
        "not_offered": sum(message.not_offered for message in delivered),
        "topics": dict(sorted(topics.items())),
        "ends": ends,
        "tasks": [task for message in delivered for task in message.tasks],
    }
