"""The same job on a Spark cluster: a real master and worker on loopback, and spark-submit."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pyspark
import pytest

from broker.local import java_home
from broker.stream import submit
from tests.kafka_topics import Topic
from tests.streaming.jobs import batches_of
from tests.streaming.small_models import wire_messages
from tests.waiting import wait_for

pytestmark = [pytest.mark.services, pytest.mark.timeout(1_200)]

SPARK_BIN = Path(pyspark.__file__).parent / "bin"


@pytest.fixture
def cluster(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A standalone master with one worker of two cores: its address."""
    monkeypatch.setenv("JAVA_HOME", str(java_home(home)))
    monkeypatch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address, log = f"spark://127.0.0.1:{port}", tmp_path / "cluster.log"
    master = ["org.apache.spark.deploy.master.Master", "--host", "127.0.0.1", "--port", str(port), "--webui-port", "0"]
    worker = ["org.apache.spark.deploy.worker.Worker", "--host", "127.0.0.1", "--cores", "2", "--memory", "2g"]
    worker += ["--webui-port", "0", "--work-dir", str(tmp_path / "work"), address]
    # Executors must get their settings from the job, as on another machine.
    bare = {name: value for name, value in os.environ.items() if not name.startswith("GUESTSTAR_")}
    with log.open("wb") as out:
        started = [
            subprocess.Popen([SPARK_BIN / "spark-class", *what], stdout=out, stderr=out, env=bare)
            for what in (master, worker)
        ]
        try:
            wait_for(lambda: "Successfully registered with master" in log.read_text(), 120, f"a cluster, see {log}")
            yield address
        finally:
            for process in reversed(started):
                process.terminate()
                process.wait(30)


def test_spark_submit_runs_the_same_job(
    cluster: str, home: Path, topic: Callable[..., Topic], monkeypatch: pytest.MonkeyPatch
) -> None:
    alerts = topic(2)
    alerts.produce([*wire_messages(30), b"rubbish"])
    monkeypatch.setenv("GUESTSTAR_INPUT_TOPICS", json.dumps([alerts.name]))
    command = [
        SPARK_BIN / "spark-submit",
        "--master",
        cluster,
        "--driver-memory",
        "1g",
        submit.__file__,
        "--available-now",
    ]
    job = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False, cwd=home)
    assert job.returncode == 0, job.stderr[-4_000:]
    totals = json.loads(job.stdout.splitlines()[-1])
    assert (totals["alerts_in"], totals["alerts_out"], totals["dead_letters"]) == (31, 30, 1)
    assert sum(line["alerts_in"] for line in batches_of(home)) == 31
