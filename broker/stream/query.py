"""The streaming query: alerts from Kafka, decoded and scored, routed by Spark SQL, to Kafka, the archive and Redis.

``spark.default.parallelism`` tells how many tasks share a batch: the cores of the machine or of the cluster.
"""

from __future__ import annotations

from collections.abc import Mapping

from pyspark.sql import SparkSession
from pyspark.sql.streaming import StreamingQuery

from broker.filters import Condition
from broker.settings import Settings
from broker.stream import routing, telemetry
from broker.stream.sink import GueststarSink
from broker.stream.source import GueststarSource

CHECKPOINT_FOLDER = "checkpoint"
"""In the home: where Spark keeps how far the job is."""


def start(
    spark: SparkSession, settings: Settings, filters: Mapping[str, Condition], *, available_now: bool = False
) -> StreamingQuery:
    """Start the query with subscribers' filters; with ``available_now`` it ends where the input topics end now."""
    spark.dataSource.register(GueststarSource)
    spark.dataSource.register(GueststarSink)
    options = {"home": str(settings.home), "cores": str(spark.sparkContext.defaultParallelism)}

    rows = spark.readStream.format(GueststarSource.name()).options(**options).load()
    rows = telemetry.observed(rows)
    rows = routing.route(rows, settings, filters)

    writer = rows.writeStream.format(GueststarSink.name()).options(**options).queryName("gueststar")
    writer = writer.option("checkpointLocation", str(settings.home / CHECKPOINT_FOLDER))
    if available_now:
        return writer.trigger(availableNow=True).start()
    return writer.trigger(processingTime=f"{settings.trigger_interval_s} seconds").start()
