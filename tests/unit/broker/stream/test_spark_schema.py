"""Spark's schema and Arrow's say the same of the rows."""

from __future__ import annotations

from pyspark.sql.pandas.types import to_arrow_schema

from broker.records.fields import FIELDS, arrow_schema
from broker.stream.spark_schema import SPARK_SCHEMA


def test_arrow_has_exactly_what_spark_asks_for() -> None:
    assert arrow_schema().equals(to_arrow_schema(SPARK_SCHEMA, timezone="UTC"))


def test_types_have_the_names_that_sql_gives_them() -> None:
    assert {field.name: field.dataType.simpleString() for field in SPARK_SCHEMA.fields} == FIELDS
