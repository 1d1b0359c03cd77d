"""The rows that flow from the source through Spark SQL to the sink: one for each alert, one for each dead letter.

Types have the names that SQL gives them: ``bigint`` and ``double`` have 64 bits, ``int`` and ``float`` 32. Elements of
an array are never null.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

INPUT_FIELDS: dict[str, str] = {
    "input_topic": "string",
    "input_partition": "int",
    "input_offset": "bigint",
    "input_time_ms": "bigint",
}
"""Where the alert came from; ``input_time_ms`` is Kafka's timestamp, milliseconds since 1970 UTC."""

ALERT_FIELDS: dict[str, str] = {
    "alert_id": "bigint",
    "object_id": "bigint",
    "object_name": "string",
    "survey": "string",
    "schema_id": "int",
    **INPUT_FIELDS,
    "alert_mjd": "double",
    "ra_deg": "double",
    "dec_deg": "double",
    "band": "string",
    "flux_njy": "double",
    "flux_err_njy": "double",
    "n_points": "int",
    "n_detections": "int",
    "n_points_dropped": "int",
    "n_points_from_history": "int",
    "is_solar_system": "boolean",
    "reliability": "float",
    "host_photoz": "float",
    "host_photoz_err": "float",
    "class_ids": "array<int>",
    "p_flat": "array<float>",
    "p_survey": "array<float>",
    "class_id": "int",
    "not_classified_reason": "string",
    "novelty_score": "float",
    "novelty_p_value": "double",
    "novelty_calibration": "string",
    "is_strange": "boolean",
    "model_sha256": "string",
    "features": "array<float>",
    "broker_version": "string",
}
"""The classification record's fields, in its order. NaN: a missing feature; null: see :data:`NULLABLE`."""

NULLABLE = ("reliability", "host_photoz", "host_photoz_err")
"""Fields that are null where the packet does not tell them."""

DEAD_FIELDS: dict[str, str] = {
    "dead_stage": "string",
    "dead_reason": "string",
    "payload": "binary",
    "payload_length": "bigint",
}
"""A dead letter: ``dead_stage`` is null on rows of alerts. ``payload_length`` is the whole message's, bytes."""

ROUTE_FIELDS: dict[str, str] = {
    "task": "string",
    "is_first_of_message": "boolean",
}
"""``task`` names the slice of input the row came from, the same in every replay. ``is_first_of_message`` is True
on exactly one row of each message, so that messages can be counted where one holds several alerts."""

FIELDS: dict[str, str] = {**ALERT_FIELDS, **DEAD_FIELDS, **ROUTE_FIELDS}
"""Rows of alerts have the alert columns and null dead-letter columns; dead letters have the input, dead-letter and
route columns, ``broker_version``, and null for the rest: ``alert_id is null`` tells a dead letter."""

TRUNCATED_PAYLOAD_BYTES = 1_000_000
"""A dead letter keeps its whole message, or this much of one longer than the setting ``packet_size_limit_bytes``."""


@cache
def arrow_schema() -> pa.Schema:
    """The rows as Arrow has them, and as Spark requires of the source's batches: names, order and types exactly."""
    import pyarrow as pa  # here: processes that only plan do without Arrow

    whole, real = pa.int32(), pa.float32()
    types = {
        "string": pa.string(),
        "int": whole,
        "bigint": pa.int64(),
        "float": real,
        "double": pa.float64(),
        "boolean": pa.bool_(),
        "binary": pa.binary(),
        "array<int>": pa.list_(pa.field("element", whole, nullable=False)),
        "array<float>": pa.list_(pa.field("element", real, nullable=False)),
    }
    return pa.schema([pa.field(name, types[kind]) for name, kind in FIELDS.items()])
