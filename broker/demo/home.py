"""The demonstration's home: emptied of the last run's stream, never of anybody else's."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from broker.local.services import stop
from broker.settings import Settings

MARKER = "demo.json"
"""In the home: this home's stream is a demonstration's; holds the SHA-256 of its first model."""

STREAM_FOLDERS = ("kafka", "redis", "checkpoint", "archive", "run")
"""What a stream leaves. Jars, models and caches stay, so that the second run is quick."""


def prepare(settings: Settings) -> dict[str, Any]:
    """Stop what runs in this home and remove the last demonstration's stream; returns the marker's content.

    Raises ValueError where the home holds a stream that is not a demonstration's, or where services outside this
    home are set.
    """
    outside = [name for name in ("kafka_bootstrap_servers", "redis_url") if getattr(settings, name)]
    if outside:
        raise ValueError(
            f"the demo brings its own Kafka and Redis, but {' and '.join(outside)} name others: unset "
            + " and ".join(f"GUESTSTAR_{name.upper()}" for name in outside)
        )
    marker = settings.home / MARKER
    kept: dict[str, Any] = json.loads(marker.read_text()) if marker.exists() else {}
    if not marker.exists() and (settings.home / "checkpoint").exists():
        raise ValueError(
            f"{settings.home} holds a stream that is not the demo's, and the demo would empty it: "
            "give the demo another folder, such as GUESTSTAR_HOME=~/gueststar-demo gueststar demo"
        )
    stop(settings)
    for name in STREAM_FOLDERS:
        shutil.rmtree(settings.home / name, ignore_errors=True)
    remember(settings.home, kept)
    return kept


def remember(home: Path, content: dict[str, Any]) -> None:
    """Write the marker."""
    home.mkdir(parents=True, exist_ok=True)
    (home / MARKER).write_text(json.dumps(content, indent=1) + "\n")
