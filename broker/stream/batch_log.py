"""The streaming job's log of micro-batches: run/progress.jsonl in the home, one JSON object a line.

The job appends to it; `status`, the benchmarks and whoever waits for the job read it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil

BATCH_LOG = Path("run") / "progress.jsonl"
"""In the home."""

SIZE_LIMIT_BYTES = 50_000_000
"""At this size the log becomes progress.jsonl.1, and a new one begins."""

WINDOW_S = 60.0
"""Rates are means over this time, seconds."""

TAIL_BYTES = 1 << 20
"""Enough of the file's end for a minute of micro-batches of a quarter of a second, some 1 kB each."""

COUNTS = ("alerts_in", "alerts_out", "dead_letters")


def append(home: Path, batch: Mapping[str, Any]) -> None:
    """Add a line for ``batch``. A log that has grown too long is renamed first."""
    file = home / BATCH_LOG
    file.parent.mkdir(parents=True, exist_ok=True)
    if file.exists() and file.stat().st_size > SIZE_LIMIT_BYTES:
        file.replace(file.with_name(file.name + ".1"))
    with file.open("a") as lines:
        lines.write(json.dumps(batch) + "\n")


def read_batches(home: Path) -> list[dict[str, Any]]:
    """The latest micro-batches, oldest first; empty where no job ever ran.

    A line still being written is left out, and one that is no batch: a power cut may leave half a line, or zeros.
    """
    file = home / BATCH_LOG
    if not file.exists():
        return []
    with file.open("rb") as opened:
        size = opened.seek(0, 2)
        opened.seek(max(0, size - TAIL_BYTES))
        lines = opened.read().split(b"\n")
    # The first line may have lost its beginning, and what follows the last line break is not yet whole.
    whole = lines[:-1] if size <= TAIL_BYTES else lines[1:-1]
    return [batch for line in whole if (batch := _batch_of(line)) is not None]


def _batch_of(line: bytes) -> dict[str, Any] | None:
    """The batch on a line of the log; None where the line is damaged."""
    try:
        batch: dict[str, Any] = json.loads(line)
        _end_s(batch), batch["model"]
        numbers = [batch[name] for name in (*COUNTS, "seconds", "batch", "pid")]
        numbers += [offset for partitions in batch["offsets"].values() for offset in partitions.values()]
    except (AttributeError, KeyError, TypeError, ValueError):
        return None
    return batch if all(isinstance(number, int | float) for number in numbers) else None


def job_report(
    batches: list[dict[str, Any]], ends: Mapping[str, Mapping[int, int]], now_s: float
) -> dict[str, Any] | None:
    """The job's last micro-batch, its lag by topic and its rates (1/s); None where no job ever ran.

    `ends` is each input topic's end offset by partition; `now_s` is seconds since 1970.
    """
    if not batches:
        return None
    last = batches[-1]
    rates = {f"{name}_per_s": round(rate, 3) for name, rate in rates_per_s(batches, now_s).items()}
    lag = {topic: lag_of(last["offsets"].get(topic, {}), ends[topic]) for topic in last["offsets"] if topic in ends}
    return {"running": _runs(last), **{key: last[key] for key in last if key != "offsets"}, "lag": lag, **rates}


def lag_of(next_offsets: Mapping[str, int], ends: Mapping[int, int]) -> int:
    """Messages of a topic that the job has not read: end offset less next offset, over all partitions."""
    return sum(max(0, end - int(next_offsets.get(str(partition), 0))) for partition, end in ends.items())


def rates_per_s(batches: list[dict[str, Any]], now_s: float) -> dict[str, float]:
    """Alerts in, alerts out, dead letters per second: over the last minute, or since the first micro-batch in it."""
    recent = [batch for batch in batches if now_s - _end_s(batch) < WINDOW_S]
    if not recent:
        return dict.fromkeys(COUNTS, 0.0)
    span_s = min(WINDOW_S, max(now_s - min(_end_s(batch) - batch["seconds"] for batch in recent), 1e-3))
    return {name: sum(batch[name] for batch in recent) / span_s for name in COUNTS}


def _end_s(batch: dict[str, Any]) -> float:
    return datetime.fromisoformat(batch["end_time"]).timestamp()


def _runs(batch: dict[str, Any]) -> bool:
    """Whether the process that wrote this line still runs, and is not a later one with the same id."""
    try:
        process = psutil.Process(int(batch["pid"]))
        return process.status() != psutil.STATUS_ZOMBIE and process.create_time() <= _end_s(batch)
    except (KeyError, psutil.NoSuchProcess):
        return False
