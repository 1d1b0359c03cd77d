"""Filters in a real Spark: none raises, each answers as Python does, and one that Spark can't run is left out."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from broker.filters import Condition, Filters, parse, refusals
from broker.filters.trial import extreme_rows, fault_of, tried
from broker.settings import Settings
from broker.stream import job
from broker.stream.session import LOG_FILE
from broker.stream.spark_schema import SPARK_SCHEMA
from tests.filter_faults import faults
from tests.streaming import filter_language
from tests.streaming.filter_language import Part
from tests.streaming.sink_rows import alert_rows, dead_rows
from tests.streaming.spark_sessions import spark_session

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    home = tmp_path_factory.mktemp("home")
    return Settings(
        home=home, topic_prefix=f"t{uuid.uuid4().hex[:8]}", spark_master="local[1]", spark_driver_memory_gib=1
    )


@pytest.fixture(scope="module")
def spark(settings: Settings) -> Iterator[SparkSession]:
    with spark_session(settings) as made:
        yield made


@pytest.fixture(scope="module")
def rows(spark: SparkSession) -> DataFrame:
    """Ordinary alerts, a dead letter, and the largest, least and missing values of every type."""
    alerts = [tuple(row.values()) for row in alert_rows(12).to_pylist() + dead_rows([b"x"]).to_pylist()]
    return spark.createDataFrame([*extreme_rows(spark).collect(), *alerts], SPARK_SCHEMA)


def answers(rows: DataFrame, conditions: list[Condition]) -> list[list[bool | None]]:
    """Of each condition what Spark says of each row."""
    asked = [F.expr(condition.sql).alias(f"f{i}") for i, condition in enumerate(conditions)]
    return [list(column) for column in zip(*rows.select(*asked).collect(), strict=True)]


@hypothesis_settings(deadline=None, max_examples=6, suppress_health_check=list(HealthCheck))
@given(parts=st.lists(filter_language.filters(), min_size=30, max_size=30))
def test_no_filter_raises_and_each_answers_as_python_does(rows: DataFrame, parts: list[Part]) -> None:
    values: list[dict[str, Any]] = [row.asDict() for row in rows.collect()]
    for part, answer in zip(parts, answers(rows, [parse(part.text) for part in parts]), strict=True):
        if part.is_exact:
            assert answer == [part.value(row) for row in values], part.text


def test_ids_are_compared_to_the_last_digit(spark: SparkSession) -> None:
    ids = [1105522281015015000, 1105522281015015001, 1105522281015015002, 2**63 - 1, -(2**63)]
    rows = spark.createDataFrame([(one, one) for one in ids], "alert_id long, object_id long")
    chosen = {
        faults()["id19"]: [1105522281015015001],
        "alert_id = '1105522281015015001'": [1105522281015015001],
        "alert_id IN (1105522281015015000, '1105522281015015002', 5)": [1105522281015015000, 1105522281015015002],
        "object_id BETWEEN 1105522281015015001 AND '1105522281015015002'": [1105522281015015001, 1105522281015015002],
        "object_id - 1 = 1105522281015015000": [1105522281015015001],
        "alert_id > 1105522281015015001": [1105522281015015002, 2**63 - 1],
        "abs(alert_id) >= 9223372036854775807": [2**63 - 1],
        "alert_id % 10 = 1 OR greatest(alert_id, 9223372036854775806) = alert_id": [1105522281015015001, 2**63 - 1],
    }
    answered = answers(rows, [parse(expression) for expression in chosen])
    for (expression, wanted), answer in zip(chosen.items(), answered, strict=True):
        assert [one for one, passed in zip(ids, answer, strict=True) if passed] == wanted, expression


def test_what_is_missing_passes_no_comparison(rows: DataFrame) -> None:
    missing = [
        "galactic_latitude_deg < 91",
        "abs(galactic_latitude_deg) > -1",
        "separation_deg(10, 20) >= 0",
        "magnitude > -99",
    ]
    without_position = rows.where("isnan(ra_deg)")
    assert without_position.count() == 1
    assert answers(without_position, [parse(expression) for expression in missing]) == [[None]] * len(missing)


LARGEST = {
    "or": " OR ".join(["n_points=1"] * 285),
    "in": f"n_points IN ({','.join(str(i) for i in range(700))})",
    "in of columns": f"n_points IN ({','.join(f'n_points+{i}' for i in range(200))})",
    "sum": "+".join(["flux_njy"] * 75) + " > 5",
    "product": "*".join(["n_points"] * 75) + " > 5",
    "not": "NOT " * 39 + "is_strange",
    "equal": "(" * 38 + "is_strange" + "=is_strange)" * 38,
    "functions": "sin(" * 38 + "flux_njy" + ")" * 38 + " > 0",
    "powers": "pow(" * 3 + "ra_deg" + ", n_points)" * 3 + " > 1",
    "choices": "greatest(" * 3 + "ra_deg" + ", flux_njy)" * 3 + " > 1",
    "separations": "separation_deg(1," * 4 + "1" + ")" * 4 + " > 5",
    "groups": " OR ".join(["p['variable'] > 0.5"] * 3),
    "wildcards": f"object_name LIKE '{'%a' * 900}b'",
    "places": f"object_name LIKE '{'_%' * 900}'",
    "letters and places": f"object_name LIKE '{'_a' * 1_900}%'",
}
"""Filters as large as they may be, each in another direction."""


def test_the_largest_filters_run(rows: DataFrame) -> None:
    answered = answers(rows, [parse(expression) for expression in LARGEST.values()])
    assert all(len(answer) == rows.count() for answer in answered)
    of_patterns = dict(zip(LARGEST, answered, strict=True))
    assert of_patterns["places"].count(True) == of_patterns["letters and places"].count(True) == 1
    assert True not in of_patterns["wildcards"]


def test_filters_that_stopped_a_job_run(spark: SparkSession) -> None:
    for name in ("star", "ors", "id19"):
        assert fault_of(spark, parse(faults()[name])) is None


def test_what_spark_refuses_is_left_out_and_told(
    spark: SparkSession, settings: Settings, capfd: pytest.CaptureFixture[str]
) -> None:
    spoilt = {
        "raises": "raise_error('boom') IS NULL",
        "divides": "1 / (n_points - n_points) > 0",
        "unknown": "no_such_column > 3",
        "deep": "(" * 3_000 + "is_strange" + ")" * 3_000,
    }
    good = {"first": parse("is_strange"), "last": parse("n_points > 3")}
    bad = {name: Condition(name, sql) for name, sql in spoilt.items()}
    kept = job.admitted_filters(spark, settings, Filters({"first": good["first"], **bad, "last": good["last"]}))
    assert kept.conditions == good
    assert {refused.name for refused in kept.refused} == set(spoilt)
    reasons = {refused.name: refused.reason for refused in kept.refused}
    assert "boom" in reasons["raises"]
    assert "no_such_column" in reasons["unknown"]
    err = capfd.readouterr().err
    log = (settings.home / LOG_FILE).read_text()
    for name, reason in reasons.items():
        assert f"left out the filter {name}: {reason}\n" in err
        assert f"left out the filter {name}: {reason}\n" in log
    assert len(err.splitlines()) == len(spoilt), "one line each"
    listed = refusals.without_refused(settings, Filters({**good, **bad}))
    assert listed == Filters(good, kept.refused)
    assert tried(spark, Filters(good)) == Filters(good)
