"""How far the streaming job has come: the offsets of its last committed batch, from Spark's checkpoint."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

from broker.settings import Settings

NextOffsets = dict[str, dict[int, int]]
"""Topic → partition → the first offset that the job has not yet finished with."""


def committed(settings: Settings) -> NextOffsets | None:
    """The next offsets after the last committed batch; None where there is no checkpoint in the home.

    Spark writes ``offsets/N`` before batch N and ``commits/N`` after it. Empty before the first batch, and where the
    source is not Kafka. Raises ValueError where a file is damaged.
    """
    checkpoint = settings.home / "checkpoint"
    if not (checkpoint / "offsets").is_dir():
        return None
    finished = _batches(checkpoint / "commits") & _batches(checkpoint / "offsets")
    return _next_offsets(checkpoint / "offsets" / str(max(finished))) if finished else {}


def _batches(folder: Path) -> set[int]:
    return {int(file.name) for file in folder.iterdir() if file.name.isdigit()} if folder.is_dir() else set()


def _next_offsets(file: Path) -> NextOffsets:
    *_, line = "", *file.read_text(errors="replace").splitlines()  # before it stand a version and the query's metadata
    with suppress(AttributeError, KeyError, TypeError, ValueError):
        offset = json.loads(line)
        source = json.loads(offset) if isinstance(offset, str) else offset
        if source.get("logOffset") is not None:  # a source of files
            return {}
        topics = source["topics"].items()
        return {name: {int(p): int(end) for p, end in topic["partitions"].items()} for name, topic in topics}
    raise ValueError(
        f"{file} is damaged: it must hold the offsets of a batch of the job. Restore it from a copy, or move "
        f"{file.parents[1]} away: then the job reads from the beginning again"
    )
