"""The streaming job as a process of its own, and waiting until it has passed given offsets."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from broker.kafka import reading
from broker.kafka.errors import NoSuchTopic
from broker.settings import Settings
from broker.stream.batch_log import lag_of, read_batches

Offsets = dict[str, dict[int, int]]
"""Topic → partition → the offset after the last message."""

READY_DEADLINE_S = 600.0
STOP_DEADLINE_S = 60.0
POLL_S = 0.2


@contextmanager
def running_job(settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    """Run ``gueststar run`` in the background; on leaving, ask it to stop and wait for it."""
    log_file = settings.home / "logs" / "job.log"
    log_file.parent.mkdir(parents=True, exist_ok=True)
    with log_file.open("ab") as log:
        job = _start(settings, log)
        try:
            yield job
        finally:
            stop(job)


def stop(job: subprocess.Popen[bytes]) -> None:
    """End the job after its running batch; kill it where it does not end in time."""
    if job.poll() is not None:
        return
    job.send_signal(signal.SIGTERM)
    try:
        job.wait(STOP_DEADLINE_S)
    except subprocess.TimeoutExpired:
        os.killpg(job.pid, signal.SIGKILL)
        job.wait()


def end_offsets(settings: Settings) -> Offsets:
    """The offset after the last message of every partition of the input topics that exist."""
    ends: Offsets = {}
    for topic in settings.input_topics:
        with suppress(NoSuchTopic):
            ends[topic] = {partition: end for partition, (_, end) in reading.bounds(settings, topic).items()}
    return ends


def wait_until_passed(
    settings: Settings,
    job: subprocess.Popen[bytes],
    goal: Offsets,
    report_left: Callable[[int], None],
    deadline_s: float = READY_DEADLINE_S,
) -> None:
    """Wait until the job has committed every offset of ``goal``; ``report_left`` gets the number of alerts left.

    Raises RuntimeError, with the end of the job's log, where it ended or made no progress for ``deadline_s`` seconds.
    """
    left, last_change = None, time.monotonic()
    while True:
        now_left = remaining(settings.home, goal)
        if now_left != left:
            left, last_change = now_left, time.monotonic()
            report_left(left)
        if left == 0:
            return
        check_runs(settings, job)
        if time.monotonic() - last_change > deadline_s:
            raise RuntimeError(f"the streaming job made no progress for {deadline_s:.0f} s:\n{log_tail(settings.home)}")
        time.sleep(POLL_S)


def check_runs(settings: Settings, job: subprocess.Popen[bytes]) -> None:
    """Raise RuntimeError, with the end of the job's log, where it has ended."""
    if job.poll() is not None:
        raise RuntimeError(f"the streaming job ended with exit code {job.returncode}:\n{log_tail(settings.home)}")


def remaining(home: Path, goal: Offsets) -> int:
    """Messages between the offsets that the job has committed, by its batch log, and ``goal``."""
    batches = read_batches(home)
    passed = batches[-1]["offsets"] if batches else {}
    return sum(lag_of(passed.get(topic, {}), ends) for topic, ends in goal.items())


def log_tail(home: Path, lines: int = 15) -> str:
    """The last lines of the job's log."""
    file = home / "logs" / "job.log"
    return "\n".join(file.read_text(errors="replace").splitlines()[-lines:]) if file.exists() else "(no log)"


def _start(settings: Settings, log: IO[bytes]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "broker.cli", "run"],
        env={**os.environ, **settings.variables()},
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,
    )
