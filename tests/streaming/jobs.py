"""The streaming job as another process."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from broker.stream.batch_log import BATCH_LOG


@contextmanager
def start_job(home: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """``gueststar run`` with the settings of this process's environment; killed at the end if it still runs."""
    command = [sys.executable, "-m", "broker.cli", "run", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=home) as job:
        try:
            yield job
        finally:
            if job.poll() is None:
                job.kill()


def run_command(*arguments: str, deadline_s: float = 600) -> subprocess.CompletedProcess[str]:
    """A ``gueststar`` command, to its end."""
    command = [sys.executable, "-m", "broker.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=deadline_s, check=False)


def batches_of(home: Path) -> list[dict[str, Any]]:
    """The whole lines of the job's batch log so far."""
    file = home / BATCH_LOG
    text = file.read_text() if file.exists() else ""
    return [json.loads(line) for line in text.splitlines() if line.endswith("}")]
