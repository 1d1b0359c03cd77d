"""Killed with -9 in mid-stream and started again, the job loses nothing: the audit accounts for every input offset."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from broker.operate.checkpoint import committed
from broker.settings import Settings
from tests.kafka_topics import Topic
from tests.streaming.jobs import batches_of, run_command, start_job
from tests.streaming.small_models import wire_messages
from tests.waiting import wait_for

pytestmark = [pytest.mark.services, pytest.mark.timeout(1_200)]

GOOD, BAD = 600, 40


def test_kill_9_and_restart_lose_nothing(
    home: Path, topic: Callable[..., Topic], monkeypatch: pytest.MonkeyPatch
) -> None:
    alerts = topic(3)
    monkeypatch.setenv("GUESTSTAR_INPUT_TOPICS", json.dumps([alerts.name]))
    monkeypatch.setenv("GUESTSTAR_MAX_ALERTS_PER_BATCH", "40")  # many batches, so that the kill meets one half done
    monkeypatch.setenv("GUESTSTAR_TRIGGER_INTERVAL_S", "0")
    good = wire_messages(GOOD)
    every = GOOD // BAD
    mixed = [message for i in range(BAD) for message in (*good[i * every : (i + 1) * every], good[i][: 60 + i])]
    alerts.produce(mixed)

    with start_job(home) as job:
        wait_for(lambda: len(batches_of(home)) >= 3, 500, f"three batches in {home / 'run'}")
        job.send_signal(signal.SIGKILL)
        job.wait(30)
    assert committed_messages() < len(mixed), "killed too late to prove anything"

    with start_job(home, "--json") as again:
        wait_for(lambda: committed_messages() >= len(mixed), 500, "the rest")
        again.send_signal(signal.SIGINT)  # which Spark takes for itself
        out, err = again.communicate(timeout=300)
    assert again.returncode == 0, err
    assert "Traceback" not in err
    summary = json.loads(out)
    assert summary["alerts_in"] == summary["alerts_out"] + summary["dead_letters"]
    audit = run_command("audit", "--json")
    assert audit.returncode == 0, audit.stderr
    report = json.loads(audit.stdout)
    assert (report["alerts_in"], report["alerts_out"], report["dead_letters"]) == (GOOD + BAD, GOOD, BAD)
    assert report["lost"] == 0


def committed_messages() -> int:
    """Messages in the job's committed batches, by Spark's checkpoint.

    A line of the batch log follows its batch's commit; a kill between the two leaves that batch without a line.
    """
    partitions = (committed(Settings()) or {}).values()
    return sum(end for offsets in partitions for end in offsets.values())
