"""The last defence of the stream: filters are tried in Spark before the job takes them, on rows of extreme values.

A filter that Spark can't plan or run is left out, with Spark's reason; the others go on.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
from py4j.protocol import Py4JJavaError  # type: ignore[import-untyped]
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from broker.filters.expression import Condition
from broker.filters.store import Filters, RefusedFilter
from broker.records.fields import FIELDS, arrow_schema

_EXTREMES: dict[str, tuple[Any, Any, Any]] = {
    "bigint": (2**63 - 1, -(2**63), 0),
    "int": (2**31 - 1, -(2**31), 0),
    "double": (math.inf, -math.inf, math.nan),
    "float": (math.inf, -math.inf, math.nan),
    "string": ("a'%_\\\U0001f31f" * 20, "", "a" * 5_000),
    "boolean": (True, False, True),
    "binary": (b"", b"\x00", b""),
    "array<int>": ([], [2222], [0] * 100),
    "array<float>": ([], [math.nan], [math.inf] * 100),
}
"""A column's type → what it holds in the three rows of a trial."""


def tried(spark: SparkSession, filters: Filters) -> Filters:
    """The filters that Spark runs, together and each alone; the others are added to ``refused``.

    Where all run together one plan is enough: each of them is a column of it. Else each is tried alone, and joins
    those before it only if they still run.
    """
    if not filters.conditions:
        return filters
    with _quiet():
        rows = extreme_rows(spark)
        if _fault(rows, filters.conditions) is None:
            return filters
        joined: dict[str, Condition] = {}
        refused = list(filters.refused)
        for name, condition in filters.conditions.items():
            fault = _fault(rows, {name: condition}) or _fault(rows, joined | {name: condition})
            if fault is None:
                joined[name] = condition
            else:
                refused.append(RefusedFilter(name, condition.expression, f"Spark can't run it: {fault}"))
    return Filters(joined, refused)


def fault_of(spark: SparkSession, condition: Condition) -> str | None:
    """Why Spark can't run a filter, in one line; None where it can."""
    with _quiet():
        return _fault(extreme_rows(spark), {"": condition})


def extreme_rows(spark: SparkSession) -> DataFrame:
    """Rows as they come to a filter: the largest and least values of each type, missing ones, and nulls alone."""
    schema = arrow_schema()
    values = [[*_EXTREMES[kind], None] for kind in FIELDS.values()]
    columns = [pa.array(column, kind) for column, kind in zip(values, schema.types, strict=True)]
    # From Arrow no Python worker is started, which would load the model first; beyond an exchange Spark compiles the
    # filters as in the job, where it would evaluate local rows in the planner.
    return spark.createDataFrame(pa.Table.from_arrays(columns, schema=schema)).repartition(1)


def _fault(rows: DataFrame, conditions: Mapping[str, Condition]) -> str | None:
    """What Spark says against filters that run side by side, as in the job."""
    try:
        passed = [F.when(F.expr(condition.sql), F.lit(name)) for name, condition in conditions.items()]
        rows.select(F.array_compact(F.array(*passed))).collect()
    except (PySparkException, Py4JJavaError) as error:
        return _first_line(error)
    return None


def _first_line(error: Exception) -> str:
    text = str(error.java_exception.toString()) if isinstance(error, Py4JJavaError) else str(error)
    return text.strip().split("\n")[0][:300]


@contextmanager
def _quiet() -> Iterator[None]:
    """PySpark writes every error with its whole trace to standard error, even one that is caught."""
    logger = logging.getLogger("SQLQueryContextLogger")
    before = logger.disabled
    logger.disabled = True
    try:
        yield
    finally:
        logger.disabled = before
