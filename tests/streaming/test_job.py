"""The streaming job as its operator meets it: a process, its files, its signals, its errors. Real Kafka, real Spark."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from broker.records import score_tables
from models.registry.versions import Registry
from tests.filter_faults import faults
from tests.kafka_topics import Topic
from tests.streaming.jobs import batches_of, run_command, start_job
from tests.streaming.small_models import wire_messages
from tests.waiting import wait_for

pytestmark = [pytest.mark.services, pytest.mark.timeout(1_200)]


def test_the_life_of_a_job(home: Path, topic: Callable[..., Topic], monkeypatch: pytest.MonkeyPatch) -> None:
    alerts = topic(3)
    monkeypatch.setenv("GUESTSTAR_INPUT_TOPICS", json.dumps([alerts.name]))
    registry = Registry(f"sqlite:///{home / 'mlflow.db'}", home / "models")
    monkeypatch.setenv("GUESTSTAR_RECENT_SCORES_INTERVAL_S", "1")
    alerts.produce([*wire_messages(700), b"rubbish", b""])
    accepted = _add_filters_that_once_stopped_a_job()
    with (home / "filters.toml").open("a", encoding="utf-8") as file:
        file.write('all = "n_points > 0"\nspoilt = "no_column > 3"\nhalf = "is_\n')
    with start_job(home, "--json") as job:
        wait_for(lambda: total(home, "alerts_in") == 702, 500, f"the first alerts in {home / 'run'}")
        assert (total(home, "alerts_out"), total(home, "dead_letters")) == (700, 2)
        assert {line["model"] for line in batches_of(home)} == {registry.model(1).sha256}

        second = run_command("run", "--available-now")
        assert second.returncode == 1
        assert f"a job already runs in {home} (process {job.pid})" in second.stderr

        registry.promote(2)
        new = registry.model(2).sha256
        wait_for(lambda: new in score_tables.current(home), 300, "the promoted model's scores of the archive")
        alerts.produce(wire_messages(10, seed=2))
        wait_for(lambda: total(home, "alerts_in") == 712, 300, "the alerts of the promoted model")
        assert batches_of(home)[-1]["model"] == new
        _require_ranks_among_the_stream(home, new)

        _take_away_what_was_not_read(alerts, job)
        _, err = job.communicate(timeout=300)
    assert job.returncode == 1
    assert re.search(rf"topic {alerts.name} partition 1 offsets \d+ to \d+: \d+ offsets", err)
    assert "org.apache.spark" not in err, "the cause alone is shown"
    assert "ready" in err
    assert "batch" in err
    assert re.search("^left out the filter spoilt: no column 'no_column'", err, re.M)
    assert re.search(r"^left out the filter \(no name\): line \d+ is not TOML", err, re.M)
    assert len(re.findall("^left out the filter", err, re.M)) == 2, "none of those that were accepted"
    passed = run_command("listen", "filter.all", "--start-at", "earliest", "--no-wait", "--json")
    assert len(passed.stdout.splitlines()) >= 40, "the good filter of the damaged file runs"
    _require_that_filters_ran(accepted)


def _require_ranks_among_the_stream(home: Path, model: str) -> None:
    """The first alerts had nothing to be ranked among, the last have; and the strangest are in their topic."""
    published = run_command("listen", "classifications", "--start-at", "earliest", "--no-wait", "--json").stdout
    records = [json.loads(line) for line in published.splitlines()]
    calibration = {record["novelty_calibration"] for record in records if record["model_sha256"] != model}
    assert calibration == {"training"}
    late = [record for record in records if record["model_sha256"] == model and record["n_detections"] >= 13]
    assert len(late) >= 5
    assert {record["novelty_calibration"] for record in late} == {"stream"}
    strange = run_command("listen", "strange", "--start-at", "earliest", "--no-wait", "--json").stdout
    expected = {record["alert_id"] for record in records if record["is_strange"]}
    assert {json.loads(line)["alert_id"] for line in strange.splitlines()} == expected
    assert len(expected) >= 20, "ten of each batch"
    assert not run_command("listen", "novel", "--start-at", "earliest", "--no-wait").stdout


def _add_filters_that_once_stopped_a_job() -> list[str]:
    """The names of those that are kept; each other is refused in one line."""
    added = {name: run_command("filters", "add", name, expression) for name, expression in faults().items()}
    for name, command in added.items():
        assert command.returncode == 0 or (command.returncode == 1 and command.stderr.count("\n") == 1), name
    return [name for name, command in added.items() if command.returncode == 0]


def _require_that_filters_ran(accepted: list[str]) -> None:
    """The job took them, `list` says so, and `check` counts in the archive what the job sent to the filter's topic."""
    assert accepted == ["star", "ors", "id19"]
    listed = json.loads(run_command("filters", "list", "--json").stdout)["filters"]
    refused = {row["name"]: row["refused"] for row in listed}
    assert [refused[name] for name in accepted] == [None] * len(accepted)
    for name in accepted:
        checked = run_command("filters", "check", name, "--json")
        assert checked.returncode == 0, checked.stderr
        passed = json.loads(checked.stdout)
        sent = run_command("listen", f"filter.{name}", "--start-at", "earliest", "--no-wait", "--json").stdout
        assert passed["matched"] == len(sent.splitlines()), name
        assert passed["of"] >= 50
        assert (passed["matched"] == passed["of"]) == (name == "star")


def _take_away_what_was_not_read(topic: Topic, job: subprocess.Popen[str]) -> None:
    """As retention does, until the job, which reads as soon as it can, has come too late."""
    admin = AdminClient(topic.client)

    def is_gone() -> bool:
        topic.produce([b"bytes"] * 30)
        gone = admin.delete_records([TopicPartition(topic.name, 1, topic.ends()[1])])
        for future in gone.values():
            future.result(60)
        return job.poll() is not None

    wait_for(is_gone, 200, "the job to meet a gap")


def total(home: Path, name: str) -> int:
    """The sum of a count over all batches so far."""
    return sum(line[name] for line in batches_of(home))
