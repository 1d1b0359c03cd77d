"""What the pages tell people to type works, in a home where the demonstration ran."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command_line import command, gueststar
from tests.documentation import ROOT, blocks, commands
from tests.end_to_end.conftest import Demo
from tests.waiting import wait_for

pytestmark = [pytest.mark.services, pytest.mark.timeout(900)]

ENDLESS = {"run": "started after", "label": "labelling page:"}
"""Commands that go on until Ctrl-C, and what they say when they are ready."""


def interrupted(home: Path, arguments: list[str], ready: str) -> tuple[int, str]:
    """Run a command until it says that it is ready, then press Ctrl-C; exit code and output."""
    output = home / "logs" / f"documented-{arguments[0]}.txt"
    with output.open("wb") as out:
        environment = os.environ | {"GUESTSTAR_HOME": str(home)}
        running = subprocess.Popen(command(*arguments), env=environment, stdout=out, stderr=out)
        try:
            wait_for(
                lambda: ready in output.read_text() or running.poll() is not None,
                300,
                f"`gueststar {arguments[0]}` to be ready",
            )
            running.send_signal(signal.SIGINT)
            return running.wait(120), output.read_text()
        finally:
            running.kill()


def test_the_tutorial_s_commands_work(demo: Demo) -> None:
    lines = commands(ROOT / "docs" / "tutorial.md")
    assert len(lines) >= 8
    for arguments in lines:
        if arguments[0] in ENDLESS:
            code, said = interrupted(demo.home, arguments, ENDLESS[arguments[0]])
            assert ENDLESS[arguments[0]] in said, said
            assert code in (0, 130), said
        else:
            ran = gueststar(demo.home, *arguments, deadline_s=300)
            assert ran.returncode == 0, f"{arguments}\n{ran.stdout}\n{ran.stderr}"


def test_the_tutorial_s_python_works(demo: Demo) -> None:
    (code,) = blocks(ROOT / "docs" / "tutorial.md", "python")
    environment = os.environ | {"GUESTSTAR_HOME": str(demo.home)}
    ran = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert ran.returncode == 0, ran.stderr
    assert len(ran.stdout.splitlines()) >= 10
