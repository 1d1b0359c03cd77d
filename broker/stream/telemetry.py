"""What the job reports of each batch: a line for people, and a line of the batch log for programs.

The counts come from Spark itself: ``observed`` adds them up in the rows that pass from source to sink, and Spark
reports them with each batch. ``alerts_in`` counts messages, not rows (one message may hold several alerts) and not
offsets (some hold no message): it is the number of rows marked as their message's first.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.streaming.listener import (
    QueryIdleEvent,
    QueryProgressEvent,
    QueryStartedEvent,
    QueryTerminatedEvent,
    StreamingQueryListener,
)

from broker.stream import batch_log

OBSERVATION = "gueststar"


def observed(rows: DataFrame) -> DataFrame:
    """The same rows, counted as they pass."""
    return rows.observe(
        OBSERVATION,
        F.sum(F.col("is_first_of_message").cast("long")).alias("alerts_in"),
        F.count("alert_id").alias("alerts_out"),
        F.count("dead_stage").alias("dead_letters"),
    )


@dataclass
class Totals:
    """What the job did since it started; ``seconds`` is the time spent in batches that had messages."""

    batches: int = 0
    alerts_in: int = 0
    alerts_out: int = 0
    dead_letters: int = 0
    seconds: float = 0.0

    def summary(self) -> dict[str, Any]:
        """As ``gueststar run --json`` prints it; ``rate`` is alerts a second."""
        rate = self.alerts_in / self.seconds if self.seconds else 0.0
        return {**self.__dict__, "seconds": round(self.seconds, 3), "rate": round(rate, 1)}


@dataclass
class BatchListener(StreamingQueryListener):
    """Writes a line for each batch when it ends; ``say`` gets the lines for people."""

    home: Path
    say: Callable[[str], None] = lambda line: print(line, file=sys.stderr, flush=True)
    totals: Totals = field(default_factory=Totals)
    ready: threading.Event = field(default_factory=threading.Event)
    terminated: threading.Event = field(default_factory=threading.Event)

    def onQueryStarted(self, event: QueryStartedEvent) -> None:
        """Nothing to tell yet: the workers are still loading."""

    def onQueryIdle(self, event: QueryIdleEvent) -> None:
        self._say_ready()

    def onQueryProgress(self, event: QueryProgressEvent) -> None:
        self._say_ready()
        batch = batch_line(json.loads(event.progress.json))
        if not batch["alerts_in"] and not batch["dead_letters"]:
            return
        self.totals.batches += 1
        self.totals.seconds += batch["seconds"]
        for name in ("alerts_in", "alerts_out", "dead_letters"):
            setattr(self.totals, name, getattr(self.totals, name) + batch[name])
        lag = batch.pop("lag")
        batch_log.append(self.home, batch)
        self.say(
            f"batch {batch['batch']}: {batch['alerts_in']:,} alerts, {batch['dead_letters']:,} dead letters, "
            f"{batch['alerts_in'] / max(batch['seconds'], 1e-3):,.0f} alerts/s, {lag:,} behind"
        )

    def _say_ready(self) -> None:
        if not self.ready.is_set():
            self.ready.set()
            self.say("ready")

    def onQueryTerminated(self, event: QueryTerminatedEvent) -> None:
        self.terminated.set()


def batch_line(report: dict[str, Any]) -> dict[str, Any]:
    """One line of the batch log, and ``lag`` (messages still to read), from Spark's report of a batch."""
    source = report["sources"][0]
    end, latest = _offset(source.get("endOffset")), _offset(source.get("latestOffset"))
    offsets = {topic: topic_offsets["partitions"] for topic, topic_offsets in end.get("topics", {}).items()}
    behind = [
        high - offsets.get(topic, {}).get(partition, 0)
        for topic, topic_offsets in latest.get("topics", {}).items()
        for partition, high in topic_offsets["partitions"].items()
    ]
    counts = report.get("observedMetrics", {}).get(OBSERVATION, {})
    return {
        "batch": report["batchId"],
        "end_time": datetime.now(UTC).isoformat(),
        **{name: int(counts.get(name) or 0) for name in ("alerts_in", "alerts_out", "dead_letters")},
        "seconds": report["durationMs"].get("triggerExecution", 0) / 1_000,
        "durations_ms": report["durationMs"],
        "offsets": offsets,
        "model": end.get("model", ""),
        "pid": os.getpid(),
        "lag": sum(max(waiting, 0) for waiting in behind),
    }


def _offset(value: Any) -> dict[str, Any]:
    """An offset as Spark reports it: JSON, JSON within JSON, or nothing."""
    match = json.loads(value) if isinstance(value, str) else value
    return match if isinstance(match, dict) else {}
