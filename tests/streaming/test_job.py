"""The streaming job as its operator meets it: a process, its files, its signals, its errors. Real Kafka, real Spark."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from models.registry import Registry
from tests.kafka_topics import Topic
from tests.streaming.jobs import progress_of, run_command, start_job
from tests.streaming.small_models import wire_messages
from tests.waiting import wait_for

pytestmark = [pytest.mark.services, pytest.mark.timeout(1_200)]


def test_the_life_of_a_job(home: Path, topic: Callable[..., Topic], monkeypatch: pytest.MonkeyPatch) -> None:
    alerts = topic(3)
    monkeypatch.setenv("GUESTSTAR_INPUT_TOPICS", json.dumps([alerts.name]))
    registry = Registry(f"sqlite:///{home / 'mlflow.db'}", home / "models")
    alerts.produce([*wire_messages(40), b"rubbish", b""])
    with start_job(home, "--json") as job:
        wait_for(lambda: total(home, "alerts_in") == 42, 500, f"the first alerts in {home / 'run'}")
        assert (total(home, "alerts_out"), total(home, "dead_letters")) == (40, 2)
        assert {line["model"] for line in progress_of(home)} == {registry.model(1).sha256}

        second = run_command("run", "--available-now")
        assert second.returncode == 1
        assert f"a job already runs in {home} (process {job.pid})" in second.stderr

        registry.promote(2)
        alerts.produce(wire_messages(10, seed=2))
        wait_for(lambda: total(home, "alerts_in") == 52, 300, "the alerts of the promoted model")
        assert progress_of(home)[-1]["model"] == registry.model(2).sha256

        job.send_signal(signal.SIGTERM)
        out, err = job.communicate(timeout=300)
    assert job.returncode == 0, err
    summary = json.loads(out)
    assert (summary["alerts_in"], summary["alerts_out"], summary["dead_letters"]) == (52, 50, 2)
    assert "ready" in err
    assert "batch" in err

    # On again from where it stopped, and into a gap that retention has made.
    alerts.produce([b"bytes"] * 30)
    ends = alerts.ends()
    admin = AdminClient(alerts.client)
    for future in admin.delete_records([TopicPartition(alerts.name, 1, ends[1])]).values():
        future.result(60)
    read = progress_of(home)[-1]["offsets"][alerts.name]["1"]
    failed = run_command("run", "--available-now")
    assert failed.returncode == 1
    assert f"topic {alerts.name} partition 1 offsets {read} to {ends[1] - 1}: {ends[1] - read} offsets" in failed.stderr
    assert "org.apache.spark" not in failed.stderr, "the cause alone is shown"


def total(home: Path, name: str) -> int:
    """The sum of a count over all batches so far."""
    return sum(line[name] for line in progress_of(home))
