"""From Kafka to Kafka at a telescope's pace: how long an alert is on its way, and how soon a burst has passed."""

from __future__ import annotations

import subprocess
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from broker.bench import stream_home
from broker.bench.contest import Progress
from broker.kafka import reading, topics
from broker.operate import job_process, replay
from broker.settings import Settings
from schemas import messages

RATE_PER_S = 270.0
"""10,000 alerts a visit of 38 s (arXiv:0805.2366, LSE-163)."""

LEAD_IN_S = 60.0
"""At the same rate, before what counts: the job meets its first batches."""

BURST_ALERTS, BURST_S = 10_000, 5.0
"""A visit's alerts, all at once."""

BATCH_LIMIT = 10_000


@dataclass(frozen=True, slots=True)
class Passage:
    """Alerts of one stretch: Kafka time in the input and in the output, ms since 1970."""

    in_ms: NDArray[np.int64]
    out_ms: NDArray[np.int64]

    @property
    def latency_s(self) -> NDArray[np.float64]:
        """From the one to the other."""
        return (self.out_ms - self.in_ms) / 1_000.0

    @property
    def tail_s(self) -> float:
        """From the last in to the last out."""
        return float(self.out_ms.max() - self.in_ms.max()) / 1_000.0


def measure(settings: Settings, seconds: float, progress: Progress) -> tuple[Passage, Passage, dict[str, Any]]:
    """The passage of ``seconds`` of steady alerts, and of a burst; and what was measured with."""
    with stream_home.stream_home(settings, progress) as bench_settings:
        made = stream_home.messages(progress)
        fresh = stream_home.new_input(bench_settings, BATCH_LIMIT)
        with job_process.running_job(fresh) as job:
            _pass(fresh, job, made, int(LEAD_IN_S * RATE_PER_S), RATE_PER_S, "lead-in", progress)
            steady = _pass(fresh, job, made, int(seconds * RATE_PER_S), RATE_PER_S, "steady", progress)
            burst = _pass(fresh, job, made, BURST_ALERTS, BURST_ALERTS / BURST_S, "burst", progress)
        sent_in_s = float(np.ptp(burst.in_ms)) / 1_000.0
    facts = {
        "peer": "no broker publishes one",
        "rate_per_s": RATE_PER_S,
        "steady_alerts": len(steady.in_ms),
        "burst_alerts": len(burst.in_ms),
        "burst_sent_in_s": round(sent_in_s, 2),
        "batch_limit": BATCH_LIMIT,
    }
    return steady, burst, facts


def _pass(
    settings: Settings,
    job: subprocess.Popen[bytes],
    made: list[replay.Message],
    n: int,
    rate_per_s: float,
    what: str,
    progress: Progress,
) -> Passage:
    """Send ``n`` messages at a rate, wait until the job has passed them, and look at what came out."""
    began_ms = int(1_000 * time.time())
    stretch = (made * (n // len(made) + 1))[:n]
    replay.send(settings, settings.input_topics[0], stretch, rate_per_s, lambda done: progress(what, done, n))
    job_process.wait_until_passed(settings, job, job_process.end_offsets(settings), lambda left: None)
    passed = passage(settings, began_ms)
    if len(passed.in_ms) != n:
        raise RuntimeError(f"{n:,} alerts were sent, {len(passed.in_ms):,} came out: see `gueststar audit`")
    return passed


def passage(settings: Settings, since_ms: int) -> Passage:
    """What came out of the alerts that came in since a time, each once."""
    seen: dict[tuple[str, int, int], tuple[int, int]] = {}
    for entry in reading.read(settings, topics.classifications(settings)):
        if entry.value is None or entry.timestamp_ms < since_ms:
            continue
        record = messages.decode(entry.value)[1]
        place = (record["input_topic"], record["input_partition"], record["input_offset"])
        if record["input_time_ms"] >= since_ms:
            seen.setdefault(place, (record["input_time_ms"], entry.timestamp_ms))
    times = np.array(sorted(seen.values()), np.int64).reshape(-1, 2)
    return Passage(times[:, 0], times[:, 1])
