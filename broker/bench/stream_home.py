"""A home of its own for a benchmark of the stream: a real Kafka and Redis, a model in production, a job's settings."""

from __future__ import annotations

import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from broker.bench import alerts, model
from broker.bench.contest import Progress
from broker.kafka import topics
from broker.local import services
from broker.operate import replay
from broker.settings import Settings

DISTINCT_ALERTS = 10_000
"""Alerts that differ; a longer stream sends them again and again."""


@contextmanager
def stream_home(settings: Settings, progress: Progress) -> Iterator[Settings]:
    """Settings of a new home whose Kafka and Redis run; they are stopped, and all of it removed, on leaving.

    Raises ValueError where the settings name services elsewhere: their processes could not be measured.
    """
    outside = [name for name in ("kafka_bootstrap_servers", "redis_url") if getattr(settings, name)]
    if outside:
        raise ValueError(f"this benchmark brings its own Kafka and Redis: unset {' and '.join(outside)}")
    scorer_folder = model.bundle_folder(settings, progress)
    base = settings.home / "cache" / "bench"
    base.mkdir(parents=True, exist_ok=True)
    home = Path(tempfile.mkdtemp(prefix="stream-", dir=base))
    bench_settings = Settings(home=home, jars=settings.jars or settings.home / "jars", registry_uri="")
    try:
        services.start(bench_settings)
        progress("model", 0, 1)
        bench_settings.registry().register(scorer_folder, {}, {"made_for": "a benchmark"})
        progress("model", 1, 1)
        yield bench_settings
    finally:
        services.stop(bench_settings)
        shutil.rmtree(home, ignore_errors=True)


def new_input(
    settings: Settings, max_alerts_per_batch: int, *, partitions: int = replay.PARTITIONS, **more: Any
) -> Settings:
    """Settings, ``more`` among them, for a job that begins anew, on an input topic that is empty.

    The topics of earlier inputs are deleted.
    """
    name = uuid.uuid4().hex[:8]
    for folder in ("checkpoint", "run", "archive"):
        shutil.rmtree(settings.home / folder, ignore_errors=True)
    topics.delete(settings, [name for name in topics.existing(settings) if not name.startswith("__")])
    fresh = Settings(
        home=settings.home,
        jars=settings.jars,
        registry_uri="",
        input_topics=[f"{name}-alerts"],
        topic_prefix=name,
        max_alerts_per_batch=max_alerts_per_batch,
        **more,
    )
    replay.make_topic(fresh, fresh.input_topics[0], partitions)
    return fresh


def messages(progress: Progress, n: int = DISTINCT_ALERTS) -> list[replay.Message]:
    """The stream's messages: the alerts of one night, in time order."""
    progress("alerts made", 0, 1)
    wire = alerts.messages(alerts.on_one_night(alerts.simulated(n)))
    made = replay.in_time_order(wire)
    progress("alerts made", 1, 1)
    return made


def send(settings: Settings, made: list[replay.Message], n: int, progress: Progress) -> int:
    """Send ``n`` messages as fast as Kafka takes them, the same ones over and over; returns their mean size, bytes."""
    topic, size = settings.input_topics[0], 0
    for begin in range(0, n, len(made)):
        size += replay.send(settings, topic, made[: min(len(made), n - begin)]).bytes
        progress("messages sent", min(n, begin + len(made)), n)
    return round(size / n)
