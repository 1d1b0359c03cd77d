"""The commands that the demonstration suggests at its end, written so that they work where they are printed."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path

from platformdirs import user_data_path

STEPS = {
    "novelty show": "what belongs to no known class, alike objects together",
    "listen novel --start-at earliest --no-wait": "the same, as a subscriber hears it",
    "audit": "every input offset accounted for",
    "deadletters list": "what was refused, and why",
    "models list": "the models, before and after the labels",
    "label": "the labelling page",
    "down": "stop Kafka and Redis",
}
"""Arguments of ``gueststar``, and what a newcomer sees then."""


def next_steps(home: Path) -> str:
    """The lines to print: with the program's path where a shell would not find it, with the home where it is not
    the one that commands take by themselves."""
    name = program()
    commands = {f"{name} {arguments}": purpose for arguments, purpose in STEPS.items()}
    width = max(map(len, commands)) + 2
    lines = ["", "Look around (Kafka and Redis are still running):"]
    if home != Path(user_data_path("gueststar")):
        lines.append(f"  export GUESTSTAR_HOME={shlex.quote(str(home))}")
    return "\n".join([*lines, *(f"  {command:<{width}}{purpose}" for command, purpose in commands.items())])


def program() -> str:
    """How a shell in this folder calls this program: ``gueststar`` where the PATH leads to it, else its path.

    The path is relative where the program lies below this folder, as ``.venv/bin/gueststar`` does after ``make``.
    """
    script = Path(sys.executable).parent / "gueststar"
    on_path = shutil.which("gueststar")
    if on_path is not None and Path(on_path).absolute() == script:
        return "gueststar"
    if not os.access(script, os.X_OK):
        return f"{shlex.quote(sys.executable)} -m broker.cli"
    here = Path.cwd()
    return shlex.quote(str(script.relative_to(here) if script.is_relative_to(here) else script))
