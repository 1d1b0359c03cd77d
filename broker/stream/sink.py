"""The streaming sink: rows with their topics → Kafka, the archive, and what Redis keeps.

A task returns its commit message only when Kafka has acknowledged every message and the archive's files are on
disk; if anything is missing the task fails, and Spark does it again. What is wrong with a single row never stops a
batch: the row becomes a dead letter of the stage "deliver". Connections and secrets come from each worker's own
settings; Spark's options, which are seen in query plans, carry the home folder and nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pyspark.sql.datasource import DataSource, DataSourceStreamArrowWriter, WriterCommitMessage
from pyspark.sql.types import StructType

from broker.stream.delivered import Delivered, summary
from schemas.whole_file import write_whole

if TYPE_CHECKING:
    import pyarrow as pa

NAME = "gueststar_sink"

BATCHES_FOLDER = Path("run") / "batches"
"""In the home: a JSON file for each committed batch."""

BATCH_FILES_KEPT = 10_000


class GueststarSink(DataSource):
    """``rows.writeStream.format("gueststar_sink").option("home", …)``, rows as ``routing.route`` leaves them."""

    @classmethod
    def name(cls) -> str:
        return NAME

    def streamWriter(self, schema: StructType, overwrite: bool) -> GueststarWriter:
        missing = {"alert_id", "task", "topics"} - set(schema.fieldNames())
        if missing:
            raise ValueError(
                "the sink needs the columns of broker.records.fields and `topics` of broker.stream.routing.route; "
                f"missing {missing}"
            )
        return GueststarWriter(self.options["home"])


class GueststarWriter(DataSourceStreamArrowWriter):
    """Writes in the workers, commits beside the driver."""

    def __init__(self, home: str) -> None:
        self.home = home

    def write(self, iterator: Iterator[pa.RecordBatch]) -> Delivered:
        """Deliver a task's rows; raises broker.kafka.writing.UndeliveredError where Kafka does not take them."""
        # numba, Kafka and Arrow load in workers, not in the commit's process
        from broker.stream.output import RowDelivery
        from broker.stream.worker import worker_of

        worker = worker_of(self.home)
        with worker.writer() as writer:
            delivery = RowDelivery(worker.settings, writer, worker.redis)
            for batch in iterator:
                delivery.take(batch)
            return delivery.finish()

    def commit(self, messages: Sequence[WriterCommitMessage | None], batchId: int) -> None:
        """Write ``<home>/run/batches/<batchId>.json``: complete or not at all."""
        delivered = [message for message in messages if isinstance(message, Delivered)]
        folder = Path(self.home) / BATCHES_FOLDER
        write_whole(folder / f"{batchId}.json", json.dumps(summary(delivered, batchId)))
        (folder / f"{batchId - BATCH_FILES_KEPT}.json").unlink(missing_ok=True)

    def abort(self, messages: Sequence[WriterCommitMessage | None], batchId: int) -> None:
        """Nothing to undo: the batch will come again with the same keys and file names."""
