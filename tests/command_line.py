"""The command line, run as a person runs it: another process, another home."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def command(*arguments: str) -> list[str]:
    """The words that run ``gueststar`` with this Python."""
    return [sys.executable, "-m", "broker.cli", *arguments]


def gueststar(
    home: Path, *arguments: str, deadline_s: float = 120.0, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run ``gueststar`` in a home of its own, with these variables besides the session's; its output and exit code."""
    environment = os.environ | {"GUESTSTAR_HOME": str(home)} | variables
    return subprocess.run(
        command(*arguments), env=environment, capture_output=True, text=True, timeout=deadline_s, check=False
    )
