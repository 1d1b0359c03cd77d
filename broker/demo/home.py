"""The demonstration's home: emptied of the last run's stream, never under a command at work."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from active_learning import labels
from broker.kafka.message_log import labels_log
from broker.kafka.watermarks import all_ranges
from broker.local.at_work import others_at_work
from broker.local.services import running, start, stop
from broker.settings import Settings

MARKER = "demo.json"
"""In the home: this home's stream is a demonstration's; holds the SHA-256 of its first model."""

STREAM_FOLDERS = ("kafka", "redis", "checkpoint", "archive", "run")
"""What a stream leaves. Jars, models and caches stay, so that the second run is quick."""

SPECTROGRAPH = "demo-spectrograph"
"""The labeller that answers the demonstration's requests with the truth."""

OTHER_FOLDER = "give the demo another folder, such as GUESTSTAR_HOME=~/gueststar-demo gueststar demo"
"""What to do where this home cannot be emptied."""


def check_may_be_emptied(settings: Settings) -> None:
    """Raise ValueError where services outside this home are set, a command is at work in it, or its stream is not a
    demonstration's."""
    outside = [name for name in ("kafka_bootstrap_servers", "redis_url") if getattr(settings, name)]
    if outside:
        raise ValueError(
            f"the demo brings its own Kafka and Redis, but {' and '.join(outside)} name others: unset "
            + " and ".join(f"GUESTSTAR_{name.upper()}" for name in outside)
        )
    if workers := others_at_work(settings.home):
        commands = " and ".join(f"`gueststar {worker.command}` (process {worker.pid})" for worker in workers)
        pids = " ".join(str(worker.pid) for worker in workers)
        verb, them = ("is", "it") if len(workers) == 1 else ("are", "them")
        raise ValueError(
            f"{commands} {verb} at work in {settings.home}, which the demo would empty: "
            f"stop {them} with `kill {pids}`, or {OTHER_FOLDER}"
        )
    if not (settings.home / MARKER).exists() and (held := _stream_in(settings)):
        raise ValueError(
            f"{settings.home} holds a stream that is not the demo's ({held}), and the demo would empty it: "
            f"{OTHER_FOLDER}"
        )


def labels_of_people(settings: Settings) -> Counter[str]:
    """How many labels each person gave in this home, that emptying it would remove.

    Labels are in Kafka alone, so the home's Kafka is started where it holds any topic. Raises OSError where the
    labels cannot be read.
    """
    if not (settings.home / "kafka").exists():
        return Counter()
    given: Counter[str] = Counter()
    with _kafka_up(settings):
        for topic in all_ranges(settings):
            prefix, _, kind = topic.rpartition(".")
            if kind == "labels" and prefix:
                with labels_log(settings.model_copy(update={"topic_prefix": prefix})) as log:
                    standing = labels.standing(stored.record for stored in log.read())
                given.update(record["labeller"] for record in standing if record["action"] == "label")
    del given[SPECTROGRAPH]
    return given


def prepare(settings: Settings) -> dict[str, Any]:
    """Stop Kafka and Redis of this home and remove the last demonstration's stream; returns the marker's content.

    Raises as :func:`check_may_be_emptied`.
    """
    check_may_be_emptied(settings)
    marker = settings.home / MARKER
    kept: dict[str, Any] = json.loads(marker.read_text()) if marker.exists() else {}
    stop(settings)
    for name in STREAM_FOLDERS:
        shutil.rmtree(settings.home / name, ignore_errors=True)
    remember(settings.home, kept)
    return kept


def remember(home: Path, content: dict[str, Any]) -> None:
    """Write the marker."""
    home.mkdir(parents=True, exist_ok=True)
    (home / MARKER).write_text(json.dumps(content, indent=1) + "\n")


def _stream_in(settings: Settings) -> str:
    """What a home holds of a stream, in words; empty where it holds none."""
    for folder in ("checkpoint", "archive"):
        if (settings.home / folder).exists():
            return f"{folder}/ is there"
    if not (settings.home / "kafka").exists():
        return ""
    with _kafka_up(settings):
        messages = sum(end - low for parts in all_ranges(settings).values() for low, end in parts.values())
    return f"messages in Kafka: {messages:,}" if messages else ""


@contextmanager
def _kafka_up(settings: Settings) -> Iterator[None]:
    """Kafka runs in the home while the context lasts, and afterwards only where it ran before."""
    was_up = running(settings, "kafka") is not None
    start(settings)
    try:
        yield
    finally:
        if not was_up:
            stop(settings)
