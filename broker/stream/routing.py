"""Which topics a row goes to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from broker.filters import Condition
from broker.kafka import topics
from broker.settings import Settings
from schemas.taxonomy import NOT_CLASSIFIED, TAXONOMY


def route(dataframe: DataFrame, settings: Settings, filters: Mapping[str, Condition]) -> DataFrame:
    """Add the column ``topics`` (array of strings): where each row goes.

    Dead letters go to the dead-letter topic only. ``filters`` maps a filter's name to its condition.
    """
    chosen = [
        F.lit(topics.classifications(settings)),
        _class_topic(settings),
        F.when(F.col("is_strange"), F.lit(topics.strange(settings))),
        F.when(_in_sample(settings.sample_fraction), F.lit(topics.sample(settings))),
        *(F.when(F.expr(one.sql), F.lit(topics.of_filter(settings, name))) for name, one in filters.items()),
    ]
    of_alert = F.array_compact(F.array(*chosen))
    of_dead_letter = F.array(F.lit(topics.dead_letters(settings)))
    return dataframe.withColumn("topics", F.when(F.col("alert_id").isNull(), of_dead_letter).otherwise(of_alert))


def _class_topic(settings: Settings) -> Column:
    literals: list[Any] = []
    for class_id in TAXONOMY:
        literals += [F.lit(class_id), F.lit(topics.of_class(settings, class_id))]
    class_topic = F.try_element_at(F.create_map(*literals), F.col("class_id"))
    return F.coalesce(class_topic, F.lit(topics.of_class(settings, NOT_CLASSIFIED)))


def _in_sample(fraction: float) -> Column:
    """True for the same fraction of objects at any time; alerts without an object are drawn one by one."""
    drawn = F.when(F.col("object_id") != 0, F.col("object_id")).otherwise(F.col("alert_id"))
    lot: Column = F.pmod(F.xxhash64(drawn), F.lit(1_000_000))
    return lot < round(fraction * 1_000_000)
