"""What the job says of its batches and of its failure."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from broker.settings import Settings
from broker.stream import telemetry
from broker.stream.job import cause, failure, only_job

PYTHON_ERROR = """Job aborted: org.apache.spark.api.python.PythonException: Traceback (most recent call last):
  File "fetch.py", line 170, in _skip_lost
    raise LostOffsets(
broker.kafka.errors.LostOffsets: topic alerts partition 3 offsets 5 to 9: 5 offsets were deleted

JVM stacktrace:
org.apache.spark.SparkException: Task failed
\tat org.apache.spark.sql.execution.python.Something.run(Something.scala:1)
Caused by: java.lang.RuntimeException: other
"""


def test_a_failure_is_told_by_its_python_cause() -> None:
    assert cause(PYTHON_ERROR) == "topic alerts partition 3 offsets 5 to 9: 5 offsets were deleted"
    assert cause(PYTHON_ERROR.replace("broker.kafka.errors.LostOffsets", "MemoryError")).startswith(
        "MemoryError: topic"
    )
    assert cause("Java alone failed\n\tat somewhere") == "Java alone failed"


JAVA_ERROR = """[STREAM_FAILED] Query [id = 8c] terminated with exception: batch 9 doesn't exist SQLSTATE: XXKST
=== Streaming Query ===
Identifier: gueststar [id = 8c6b937b, runId = 5a39fffa]
Current Committed Offsets: {GueststarSource: 8}

Current State: ACTIVE
Thread State: RUNNABLE

JVM stacktrace:
org.apache.spark.sql.streaming.StreamingQueryException: batch 9 doesn't exist
=== Streaming Query ===
Identifier: gueststar [id = 8c6b937b, runId = 5a39fffa]
\tat org.apache.spark.sql.Something.run(Something.scala:1)
Caused by: java.lang.IllegalStateException: batch 9 doesn't exist
"""


def test_a_failure_of_java_is_told_by_its_reason_and_not_by_the_query_s_name() -> None:
    assert cause(JAVA_ERROR) == "batch 9 doesn't exist"
    of_python = PYTHON_ERROR + JAVA_ERROR.partition("\n")[2]
    assert cause(of_python) == "topic alerts partition 3 offsets 5 to 9: 5 offsets were deleted"


def test_a_failed_job_says_what_to_do_next(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    emptied = str(failure(settings, JAVA_ERROR))
    assert emptied.startswith("the job ended: batch 9 doesn't exist. ")
    assert f"{tmp_path / 'checkpoint'} was removed under the job" in emptied
    assert "\n" not in emptied
    (tmp_path / "checkpoint" / "offsets").mkdir(parents=True)
    assert "`gueststar run` goes on after the last batch" in str(failure(settings, JAVA_ERROR))


def report(**offsets: dict[str, int]) -> dict[str, Any]:
    """Spark's report of a batch of ``topic`` up to ``end``, with ``latest`` there."""

    def as_offset(places: dict[str, int]) -> dict[str, Any]:
        return {"topics": {"alerts": {"id": "x", "partitions": places}}, "model": "abc", "tasks": 2}

    return {
        "batchId": 7,
        "durationMs": {"triggerExecution": 2_500},
        "observedMetrics": {"gueststar": {"alerts_in": 10, "alerts_out": 12, "dead_letters": 1}},
        "sources": [{"endOffset": as_offset(offsets["end"]), "latestOffset": json.dumps(as_offset(offsets["latest"]))}],
    }


def test_a_batch_is_told_in_numbers() -> None:
    line = telemetry.batch_line(report(end={"0": 30, "1": 5}, latest={"0": 100, "1": 5, "2": 8}))
    assert line["lag"] == 78
    assert (line["batch"], line["alerts_in"], line["alerts_out"], line["dead_letters"]) == (
        7,
        10,
        12,
        1,
    )
    assert (line["seconds"], line["model"]) == (2.5, "abc")
    assert line["offsets"] == {"alerts": {"0": 30, "1": 5}}


def test_a_batch_without_rows_counts_nothing() -> None:
    empty = report(end={"0": 0}, latest={"0": 0}) | {"observedMetrics": {}}
    assert telemetry.batch_line(empty)["alerts_in"] == 0


def test_only_one_job_holds_a_home(tmp_path: Path) -> None:
    with only_job(tmp_path), pytest.raises(RuntimeError, match="a job already runs in"), only_job(tmp_path):
        pass
    with only_job(tmp_path):
        pass
