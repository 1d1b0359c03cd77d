"""The last signs of drift, as ``gueststar adapt`` found them: a small file in the home, which ``status`` shows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from schemas.whole_file import write_whole

DRIFT_FILE = "drift.json"


def write(home: Path, drift: Mapping[str, Mapping[str, Any]], now_ms: int) -> None:
    """Keep the signs of drift of each survey, by its name."""
    write_whole(home / DRIFT_FILE, json.dumps({"computed_ms": now_ms, "surveys": drift}, allow_nan=False) + "\n")


def warnings(home: Path) -> list[str]:
    """A line for each sign of drift, with its survey; none without a file, and one that says so where it is damaged."""
    file = home / DRIFT_FILE
    if not file.is_file():
        return []
    try:
        surveys = json.loads(file.read_bytes())["surveys"]
        return [f"{survey}: {line}" for survey, signs in surveys.items() for line in signs["warnings"]]
    except (ValueError, KeyError, TypeError, AttributeError):
        return [f"{file} is damaged: `gueststar adapt --dry-run` writes it anew"]
