"""A long run: does a worker's memory stay where it is?"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from broker.bench import alerts, cpu_time, stream_home
from broker.bench.contest import Progress
from broker.operate import job_process, replay
from broker.settings import Settings
from schemas import packets

BATCH_LIMIT = 10_000
AHEAD = 30_000
"""Messages that wait in Kafka at most: the rest is sent as the job gets on."""

SAMPLE_S = 2.0
WARM_UP_FRACTION = 0.2
"""Of the alerts, before memory is expected to be flat: code loads, pools fill."""


@dataclass(frozen=True, slots=True)
class Soak:
    """The largest worker's resident memory (bytes) against alerts done; ``seconds`` the run took."""

    alerts: NDArray[np.int64]
    largest_worker_bytes: NDArray[np.int64]
    seconds: float

    @property
    def growth_mib(self) -> float:
        """By which a straight line through the samples after the warm-up rises over them, MiB."""
        late = self.alerts >= WARM_UP_FRACTION * self.alerts.max()
        if late.sum() < 2 or np.ptp(self.alerts[late]) == 0:
            return float("nan")
        slope, _ = np.polyfit(self.alerts[late], self.largest_worker_bytes[late] / 2**20, 1)
        return float(slope * np.ptp(self.alerts[late]))


def measure(settings: Settings, n: int, progress: Progress) -> tuple[Soak, dict[str, Any]]:
    """Put ``n`` lean alerts (without images, 8 kB) through the job, and watch its workers."""
    with stream_home.stream_home(settings, progress) as bench_settings:
        fresh = stream_home.new_input(bench_settings, BATCH_LIMIT)
        made = replay.in_time_order(packets.write(alerts.on_one_night(alerts.simulated(BATCH_LIMIT))))
        samples: list[tuple[int, int]] = []
        sent, began = 0, time.monotonic()
        with job_process.running_job(fresh) as job:
            while (left := _left(fresh, sent)) > 0 or sent < n:
                job_process.check_runs(fresh, job)
                if sent < n and left < AHEAD:
                    sent += replay.send(fresh, fresh.input_topics[0], made[: n - sent]).alerts
                    continue
                samples.append((sent - left, cpu_time.read(fresh, job.pid).largest_worker_bytes))
                progress("soak", sent - left, n)
                time.sleep(SAMPLE_S)
            samples.append((n, cpu_time.read(fresh, job.pid).largest_worker_bytes))
        seconds = time.monotonic() - began
    done, size = np.array(samples, np.int64).T
    facts = {"peer": "none", "alerts": n, "bytes": round(sum(len(m.value) for m in made) / len(made))}
    return Soak(done, size, seconds), facts


def _left(settings: Settings, sent: int) -> int:
    """Messages sent that the job has not yet passed."""
    return job_process.remaining(settings.home, job_process.end_offsets(settings)) if sent else 0
