"""A Spark session of a test module's own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from pyspark import SparkContext
from pyspark.sql import SparkSession

from broker.settings import Settings
from broker.stream.session import session


@contextmanager
def spark_session(settings: Settings) -> Iterator[SparkSession]:
    """A session whose workers have these settings; an earlier session's Java process has others, and is ended."""
    end_java()
    before = dict(os.environ)
    spark = session(settings)
    os.environ.clear()
    os.environ.update(before)
    yield spark
    spark.stop()
    end_java()


def end_java() -> None:
    gateway = SparkContext._gateway
    if gateway is not None:
        gateway.shutdown()
        gateway.proc.stdin.close()
        gateway.proc.wait(30)
        SparkContext._gateway = SparkContext._jvm = None
