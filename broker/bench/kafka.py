"""From Kafka through Spark to Kafka, working off a backlog: the whole job on this machine, broker included."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from typing import Any

import numpy as np

from broker.bench import cpu_time, stream_home
from broker.bench.contest import Progress
from broker.operate import job_process
from broker.settings import Settings
from broker.stream.batch_log import read_batches
from broker.stream.job import cause

BATCH_SIZES = (10_000, 4_000)
WARM_UP_BATCHES = 3
MEASURED_BATCHES = 6
PEER_ALERTS = 240
POLL_S = 0.1
RUN_PEER = "import sys, pathlib, broker.bench.row_by_row as peer; print(peer.main(pathlib.Path(sys.argv[1])))"
"""Not with ``-m``: the workers must find its classes in a module that they can import."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """Alerts a second while a backlog was worked off, by batch in ``rates``; CPU time an alert by part, µs."""

    rate: float
    rates: list[float]
    cpu_us: dict[str, float]
    alerts: int

    def to_json(self) -> dict[str, Any]:
        return {
            "rate": round(self.rate, 1),
            "rate_low": round(min(self.rates), 1),
            "rate_high": round(max(self.rates), 1),
            "alerts": self.alerts,
            **{f"cpu_us_{part}": round(value, 1) for part, value in self.cpu_us.items()},
        }


def contest(settings: Settings, progress: Progress) -> tuple[dict[int, Backlog], float, dict[str, Any]]:
    """The backlog by batch size, the peer's rate (1/s), and what was measured with."""
    with stream_home.stream_home(settings, progress) as bench_settings:
        made = stream_home.messages(progress)
        peer = peer_rate(bench_settings, made[:PEER_ALERTS], progress)
        by_batch_size, mean_bytes = {}, 0
        for size in dict.fromkeys(BATCH_SIZES):
            n = size * (WARM_UP_BATCHES + MEASURED_BATCHES)
            fresh = stream_home.new_input(bench_settings, size)
            mean_bytes = stream_home.send(fresh, made, n, progress)
            by_batch_size[size] = work_off(fresh, size, n, progress)
    facts = {
        "peer": f"the same job, its work a Python UDF row by row: fastavro {version('fastavro')}, "
        f"george {version('george')}, scikit-learn's trees and forest",
        "bytes": mean_bytes,
    }
    return by_batch_size, peer, facts


def work_off(settings: Settings, batch_size: int, n: int, progress: Progress) -> Backlog:
    """Run the job until ``n`` waiting messages are done; the first batches, in which everything warms up, don't
    count."""
    goal = job_process.end_offsets(settings)
    before = None
    with job_process.running_job(settings) as job:
        while (left := job_process.remaining(settings.home, goal)) > 0:
            job_process.check_runs(settings, job)
            if before is None and len(read_batches(settings.home)) >= WARM_UP_BATCHES:
                before, done_before = cpu_time.read(settings, job.pid), n - left
            progress(f"{batch_size:,} a batch", n - left, n)
            time.sleep(POLL_S)
        after = cpu_time.read(settings, job.pid)
        progress(f"{batch_size:,} a batch", n, n)
    if before is None:
        raise RuntimeError(f"the job did {n:,} messages in fewer than {WARM_UP_BATCHES} batches")
    batches = read_batches(settings.home)
    ends = np.array([datetime.fromisoformat(batch["end_time"]).timestamp() for batch in batches])
    counts = np.array([batch["alerts_in"] for batch in batches])
    spans = np.diff(ends)[WARM_UP_BATCHES - 1 :]
    measured = counts[WARM_UP_BATCHES:]
    return Backlog(
        rate=float(measured.sum() / spans.sum()),
        rates=(measured / spans).tolist(),
        cpu_us=after.per_alert_us(before, n - done_before),
        alerts=int(measured.sum()),
    )


def peer_rate(settings: Settings, made: list[Any], progress: Progress) -> float:
    """Alerts a second of the job whose work is a Python UDF, once it is warm."""
    fresh = stream_home.new_input(settings, len(made) // 3)
    stream_home.send(fresh, made, len(made), progress)
    progress("the peer", 0, 1)
    ran = subprocess.run(
        [sys.executable, "-c", RUN_PEER, str(fresh.home)],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, **fresh.variables()},
    )
    progress("the peer", 1, 1)
    if ran.returncode:
        raise RuntimeError(f"the peer's job failed: {cause(ran.stderr)}")
    return float(ran.stdout.splitlines()[-1])
