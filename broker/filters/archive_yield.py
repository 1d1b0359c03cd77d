"""What a filter would have selected: it is run on the archive, in Spark as the job does."""

from __future__ import annotations

from typing import NamedTuple

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from broker.filters.expression import Condition
from broker.records import archive
from broker.settings import Settings


class Yield(NamedTuple):
    """How many archived alerts pass a filter, of how many."""

    matched: int
    of: int


def yield_of(spark: SparkSession, settings: Settings, condition: Condition) -> Yield:
    """Run a filter on the whole archive, in Spark as the job does. LookupError where the archive is empty."""
    folder = archive.folder(settings)
    if not any(folder.glob("night=*/*.parquet")):
        raise LookupError(f"the archive {folder} holds no alert yet: let `gueststar run` classify some first")
    alerts = spark.read.parquet(str(folder))
    passed = F.count_if(F.coalesce(F.expr(condition.sql), F.lit(False)))
    counts = alerts.agg(passed.alias("matched"), F.count(F.lit(1)).alias("all")).head()
    assert counts is not None
    return Yield(counts["matched"], counts["all"])
