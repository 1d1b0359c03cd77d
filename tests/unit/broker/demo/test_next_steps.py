"""What the demonstration suggests works in the shell where it is printed."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from platformdirs import user_data_path

from broker.demo.next_steps import STEPS, next_steps, program

SCRIPTS = Path(sys.executable).parent


def test_the_short_name_only_where_the_path_leads_to_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", f"{SCRIPTS}{os.pathsep}{os.environ['PATH']}")
    assert program() == "gueststar"
    other = tmp_path / "gueststar"
    other.write_text("#!/bin/sh\nexit 1\n")
    other.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert program() != "gueststar", "another program of that name comes first"


def test_below_this_folder_the_path_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.chdir(SCRIPTS.parents[1])
    assert program() == f"{SCRIPTS.parent.name}/{SCRIPTS.name}/gueststar"


@pytest.mark.parametrize("path", ["/usr/bin:/bin", f"{SCRIPTS}:/usr/bin:/bin"])
def test_every_line_runs_in_a_shell(path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", path)
    home = tmp_path / "a home"
    first, *rest = next_steps(home).splitlines()[2:]
    assert first == f"  export GUESTSTAR_HOME={shlex.quote(str(home))}"
    assert len(rest) == len(STEPS)
    for line, purpose in zip(rest, STEPS.values(), strict=True):
        command = line.removesuffix(purpose).strip()
        ran = subprocess.run(f"{first}; {command} --help", shell=True, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stderr
        assert "Usage: gueststar" in ran.stdout


def test_the_usual_home_needs_no_variable() -> None:
    assert "export" not in next_steps(Path(user_data_path("gueststar")))
