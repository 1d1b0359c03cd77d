"""The streaming job as it is usually written, to measure against: a Python UDF that is called for every row.

Alerts come from the same Kafka by the same consumer, and results go back to it; between them each alert is decoded
by fastavro, its process fitted by george, its features scored by scikit-learn's models, one by one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F
from pyspark.sql.datasource import DataSource, DataSourceStreamArrowWriter, InputPartition, WriterCommitMessage
from pyspark.sql.types import BinaryType, StructField, StructType

from broker.kafka import topics
from broker.settings import Settings
from broker.stream.session import session
from broker.stream.source import CHUNK_MESSAGES, GueststarReader, GueststarSource, Slice

if TYPE_CHECKING:
    import pyarrow as pa

    from broker.bench.pipeline import UsualTools

WARM_UP_BATCHES = 1
MESSAGE = StructType([StructField("value", BinaryType(), False)])


class MessageSource(GueststarSource):
    """The messages of the input topics, as they are."""

    @classmethod
    def name(cls) -> str:
        return "bench_messages"

    def schema(self) -> StructType:
        return MESSAGE

    def streamReader(self, schema: StructType) -> MessageReader:
        return MessageReader(self.options["home"], int(self.options["cores"]))


class MessageReader(GueststarReader):
    """Plans as the job does, and hands out bytes."""

    def read(self, partition: InputPartition) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa

        from broker.stream.worker import worker_of

        assert isinstance(partition, Slice)
        schema = pa.schema([pa.field("value", pa.binary(), nullable=False)])
        with worker_of(self.home).fetcher() as fetcher:
            for part in fetcher.fetch(partition.ranges, CHUNK_MESSAGES):
                yield pa.RecordBatch.from_arrays([pa.array(part.value, pa.binary())], schema=schema)  # type: ignore[union-attr]


class ResultSink(DataSource):
    """Results to one topic."""

    @classmethod
    def name(cls) -> str:
        return "bench_results"

    def streamWriter(self, schema: StructType, overwrite: bool) -> ResultWriter:
        return ResultWriter(self.options["home"])


class ResultWriter(DataSourceStreamArrowWriter):
    """Writes in the workers, as the job's own sink does."""

    def __init__(self, home: str) -> None:
        self.home = home

    def write(self, iterator: Iterator[pa.RecordBatch]) -> WriterCommitMessage:
        from broker.stream.worker import worker_of

        worker = worker_of(self.home)
        with worker.writer() as writer:
            for batch in iterator:
                for value in batch.column(0).to_pylist():
                    writer.send(topics.classifications(worker.settings), None, value, [])
            writer.finish()
        return WriterCommitMessage()

    def commit(self, messages: Sequence[WriterCommitMessage | None], batchId: int) -> None:
        """Nothing more to do."""

    def abort(self, messages: Sequence[WriterCommitMessage | None], batchId: int) -> None:
        """Nothing to undo."""


@cache
def tools(bundle: str) -> UsualTools:
    """What a worker scores with, made once in each."""
    from broker.bench import alerts
    from broker.bench.pipeline import UsualTools
    from models.scoring.scorer import Scorer

    return UsualTools(Scorer.load(bundle), alerts.made_up(60, 5, 20))


def main(home: Path) -> float:
    """Work off the input topic with the UDF; returns alerts a second once it is warm."""
    settings = Settings(home=home)
    model = settings.registry().model("production")
    spark = session(settings, warm_model=model.sha256)
    bundle = str(model.path)
    scored = F.udf(lambda value: json.dumps(tools(bundle).score_message(bytes(value))).encode(), BinaryType())
    for source in (MessageSource, ResultSink):
        spark.dataSource.register(source)
    options = {"home": str(home), "cores": str(spark.sparkContext.defaultParallelism)}
    rows = spark.readStream.format(MessageSource.name()).options(**options).load()
    writer = rows.select(scored("value").alias("value")).writeStream.format(ResultSink.name()).options(**options)
    query = writer.option("checkpointLocation", str(home / "checkpoint")).trigger(availableNow=True).start()
    spark.conf.set("spark.sql.streaming.numRecentProgressUpdates", "100")
    query.awaitTermination()
    done: list[dict[str, Any]] = [json.loads(p.json) if hasattr(p, "json") else dict(p) for p in query.recentProgress]
    warm = [p for p in done if p["numInputRows"]][WARM_UP_BATCHES:]
    seconds = sum(p["durationMs"]["triggerExecution"] for p in warm) / 1_000
    spark.stop()
    return float(sum(p["numInputRows"] for p in warm) / seconds)
