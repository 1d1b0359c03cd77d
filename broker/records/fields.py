"""The rows that flow from the source through Spark SQL to the sink: one for each alert, one for each dead letter."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from pyspark.sql.types import (
    ArrayType,
    BinaryType,
    BooleanType,
    DataType,
    DoubleType,
    FloatType,
    IntegerType,
    LongType,
    StringType,
    StructField,
    StructType,
)

if TYPE_CHECKING:
    import pyarrow as pa

INPUT_FIELDS: dict[str, DataType] = {
    "input_topic": StringType(),
    "input_partition": IntegerType(),
    "input_offset": LongType(),
    "input_time_ms": LongType(),
}
"""Where the alert came from; ``input_time_ms`` is Kafka's timestamp, milliseconds since 1970 UTC."""

ALERT_FIELDS: dict[str, DataType] = {
    "alert_id": LongType(),
    "object_id": LongType(),
    "object_name": StringType(),
    "survey": StringType(),
    "schema_id": IntegerType(),
    **INPUT_FIELDS,
    "alert_mjd": DoubleType(),
    "ra_deg": DoubleType(),
    "dec_deg": DoubleType(),
    "band": StringType(),
    "flux_njy": DoubleType(),
    "flux_err_njy": DoubleType(),
    "n_points": IntegerType(),
    "n_points_dropped": IntegerType(),
    "n_points_from_history": IntegerType(),
    "is_solar_system": BooleanType(),
    "reliability": FloatType(),
    "host_photoz": FloatType(),
    "host_photoz_err": FloatType(),
    "class_ids": ArrayType(IntegerType(), containsNull=False),
    "p_flat": ArrayType(FloatType(), containsNull=False),
    "p_survey": ArrayType(FloatType(), containsNull=False),
    "class_id": IntegerType(),
    "not_classified_reason": StringType(),
    "novelty_score": FloatType(),
    "novelty_p_value": DoubleType(),
    "novelty_threshold": DoubleType(),
    "is_novel": BooleanType(),
    "model_sha256": StringType(),
    "features": ArrayType(FloatType(), containsNull=False),
    "broker_version": StringType(),
}
"""The classification record's fields, in its order. NaN: a missing feature; null: see :data:`NULLABLE`."""

NULLABLE = ("reliability", "host_photoz", "host_photoz_err")
"""Fields that are null where the packet does not tell them."""

DEAD_FIELDS: dict[str, DataType] = {
    "dead_stage": StringType(),
    "dead_reason": StringType(),
    "payload": BinaryType(),
    "payload_length": LongType(),
}
"""A dead letter: ``dead_stage`` is null on rows of alerts. ``payload_length`` is the whole message's, bytes."""

ROUTE_FIELDS: dict[str, DataType] = {
    "task": StringType(),
    "is_first_of_message": BooleanType(),
}
"""``task`` names the slice of input the row came from, the same in every replay. ``is_first_of_message`` is True
on exactly one row of each message, so that messages can be counted where one holds several alerts."""

FIELDS: dict[str, DataType] = {**ALERT_FIELDS, **DEAD_FIELDS, **ROUTE_FIELDS}

SPARK_SCHEMA = StructType([StructField(name, kind, nullable=True) for name, kind in FIELDS.items()])
"""Rows of alerts have the alert columns and null dead-letter columns; dead letters have the input, dead-letter and
route columns, ``broker_version``, and null for the rest: ``alert_id is null`` tells a dead letter."""

TRUNCATED_PAYLOAD_BYTES = 1_000_000
"""A dead letter keeps its whole message, or this much of one longer than the setting ``packet_size_limit_bytes``."""


@cache
def arrow_schema() -> pa.Schema:
    """The Arrow schema that Spark requires of the source's batches: names, order and types exactly."""
    from pyspark.sql.pandas.types import to_arrow_schema  # here: planning processes do without pandas and Arrow

    return to_arrow_schema(SPARK_SCHEMA, timezone="UTC")
