"""What is wrong with a setting, so that a person can mend it: which one, where it came from, what must hold."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import ValidationError

PREFIX = "GUESTSTAR_"

OTHER_VARIABLES = ("CONFIG", "TRACEBACK", "TEST_DATA")
"""Variables with the prefix that are no settings."""


class SettingsError(ValueError):
    """A setting has a value it cannot have, or a name that no setting has."""

    takes_lines = True


def variable_of(name: str) -> str:
    """The environment variable of a setting."""
    return PREFIX + name.upper()


@dataclass(frozen=True)
class Origin:
    """Where settings came from: those given in the call (flags), the TOML file; all names, and the secret ones."""

    given: Collection[str]
    file: Path
    names: Collection[str]
    secret: Collection[str]

    def of(self, name: str) -> str:
        """The flag, variable or file that set the setting."""
        if name in self.given:
            return f"--{name.replace('_', '-')}"
        return variable_of(name) if variable_of(name) in os.environ else str(self.file)


def explain(error: ValidationError, origin: Origin) -> str:
    """What pydantic found wrong, one line a setting."""
    return "\n".join(_explain_one(problem, origin) for problem in error.errors())


def _explain_one(problem: Mapping[str, Any], origin: Origin) -> str:
    if not problem["loc"]:  # about several settings together: the message names them
        return str(problem["msg"].removeprefix("Value error, "))
    name = str(problem["loc"][0])
    if problem["type"] == "extra_forbidden":
        return f"{origin.of(name)} sets {name}, which is no setting{near(name, origin.names)}"
    must = problem["msg"].removeprefix("Value error, ").replace("Input should be", "must be")
    value = "" if name in origin.secret else f", found {problem['input']!r}"
    return f"setting {name} (from {origin.of(name)}) {must}{value}"


def near(name: str, names: Collection[str]) -> str:
    """``; did you mean …?`` where a name is close to `name`, else nothing."""
    close = get_close_matches(name, names, n=1, cutoff=0.75)
    return f"; did you mean {close[0]}?" if close else ""


def mistyped_variables(names: Collection[str]) -> list[str]:
    """A line for each variable that is close to a setting's but is none, and would be passed over in silence."""
    valid = {name.upper() for name in (*names, *OTHER_VARIABLES)}
    present = {name.removeprefix(PREFIX) for name in os.environ if name.startswith(PREFIX)}
    lines = []
    for name in sorted(present - valid):
        if close := get_close_matches(name, valid, n=1, cutoff=0.75):
            lines.append(f"the variable {PREFIX}{name} is no setting; did you mean {PREFIX}{close[0]}?")
    return lines
