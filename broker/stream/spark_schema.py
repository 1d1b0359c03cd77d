"""The rows between source and sink as Spark has them."""

from __future__ import annotations

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

from broker.records.fields import FIELDS

_TYPES: dict[str, DataType] = {
    "string": StringType(),
    "int": IntegerType(),
    "bigint": LongType(),
    "float": FloatType(),
    "double": DoubleType(),
    "boolean": BooleanType(),
    "binary": BinaryType(),
    "array<int>": ArrayType(IntegerType(), containsNull=False),
    "array<float>": ArrayType(FloatType(), containsNull=False),
}

SPARK_SCHEMA = StructType([StructField(name, _TYPES[kind], nullable=True) for name, kind in FIELDS.items()])
"""The columns of ``broker.records.fields``."""
