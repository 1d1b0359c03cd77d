"""CPU time of everything that takes part in the stream: Kafka, Spark's JVM, Python."""

from __future__ import annotations

from dataclasses import dataclass

import psutil

from broker.local import services
from broker.settings import Settings

PARTS = ("kafka", "jvm", "python")


@dataclass(frozen=True, slots=True)
class CpuTime:
    """Seconds of CPU since the processes began, by part; resident memory of the Python workers, bytes."""

    kafka: float
    jvm: float
    python: float
    largest_worker_bytes: int

    def per_alert_us(self, earlier: CpuTime, n_alerts: int) -> dict[str, float]:
        """µs of CPU an alert and part, since an earlier reading."""
        return {part: 1e6 * (getattr(self, part) - getattr(earlier, part)) / n_alerts for part in PARTS}


def read(settings: Settings, job_pid: int) -> CpuTime:
    """What has been used until now by the home's Kafka and by a job with all its processes."""
    kafka = services.running(settings, "kafka")
    spent = {"jvm": 0.0, "python": 0.0}
    largest = 0
    job = psutil.Process(job_pid)
    for process in [job, *job.children(recursive=True)]:
        try:
            is_java = "java" in process.name()
            times, resident, command = process.cpu_times(), process.memory_info().rss, " ".join(process.cmdline())
        except psutil.NoSuchProcess:
            continue
        spent["jvm" if is_java else "python"] += times.user + times.system
        spent["python"] += times.children_user + times.children_system  # processes that have ended: all were Python's
        if not is_java and "worker" in command:
            largest = max(largest, resident)
    return CpuTime(_seconds(kafka), spent["jvm"], spent["python"], largest)


def _seconds(process: psutil.Process | None) -> float:
    times = process.cpu_times() if process else None
    return times.user + times.system if times else 0.0
