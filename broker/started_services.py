"""What ``gueststar up`` wrote of the servers of a home, and whether they still run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil

SERVICES_FILE = "services.json"
"""In the home: addresses and process ids of what ``gueststar up`` started."""

_KINDS = {"address": str, "pid": int, "since": int | float, "port": int, "controller_port": int}

_CLOCK_S = 60.0
"""How far the start of a process may seem to move as the clock of the machine is set, seconds."""


def read(home: Path) -> dict[str, dict[str, Any]]:
    """The entry of each service; empty where nothing was started. Raises ValueError where the file is damaged."""
    file = home / SERVICES_FILE
    try:
        services = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise ValueError(_damaged(file, f"it is not JSON: {error}")) from None
    if not isinstance(services, dict) or not all(isinstance(entry, dict) for entry in services.values()):
        raise ValueError(_damaged(file, "it must be a table of services"))
    for name, entry in services.items():
        for key, kind in _KINDS.items():
            if key in entry and not isinstance(entry[key], kind):
                raise ValueError(_damaged(file, f"{name} has {key} {json.dumps(entry[key])}"))
    return services


def runs(entry: Mapping[str, Any], folder: Path) -> bool:
    """Whether the process that an entry names runs and is the server of ``folder``: ids are given again."""
    if "address" not in entry or "pid" not in entry:
        return False
    try:
        process = psutil.Process(entry["pid"])
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        try:
            return Path(process.cwd()) == folder.resolve()
        except psutil.AccessDenied:  # of another user
            return abs(process.create_time() - entry.get("since", 0)) < _CLOCK_S
    except (psutil.NoSuchProcess, ValueError, OverflowError):
        return False


def _damaged(file: Path, why: str) -> str:
    return f"{file} is damaged ({why}): remove it, and run `gueststar up`"
