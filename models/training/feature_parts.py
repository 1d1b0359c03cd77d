"""A feature matrix measured in parts, by several processes, so that a run that was killed can be gone on with.

Parts are numbered batches of messages (or objects). Each becomes a Parquet file in the folder ``<out>.parts``, complete
or not at all; when all are there they are joined in their order, and the folder goes. The folder is bound to what was
asked for by a fingerprint of the sources, the catalogue and the size of a part: another request empties it.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from schemas.light_curves import LightCurves

ALERTS_AT_A_TIME = 1_000
PLASTICC = "plasticc"
PLAN_FILE = "plan.json"
_REFUSED = b"refused"

Batch = list[bytes] | LightCurves


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be measured: batches in order, messages or objects in all, and the fingerprint of the request."""

    batches: Sequence[Batch]
    total: int
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Progress:
    """Messages or objects that are done, and how many of those an earlier run had done."""

    done: int
    resumed: int


@dataclass(frozen=True, slots=True)
class Joined:
    """What the joined file holds, and how many messages were refused."""

    objects: int
    alerts: int
    refused: int


def plan(src: Sequence[str]) -> Plan:
    """Cut the sources into batches: alert files, or the word plasticc. Raises as ``packets.read_files`` does."""
    from features.catalogue import fingerprint

    if tuple(src) == (PLASTICC,):
        from models.datasets import plasticc

        labelled = plasticc.load()
        whole, source = labelled.light_curves, [PLASTICC, labelled.fingerprint]
        cuts = range(0, len(whole), ALERTS_AT_A_TIME)
        batches: list[Batch] = [whole.select(np.arange(i, min(i + ALERTS_AT_A_TIME, len(whole)))) for i in cuts]
        return Plan(batches, len(whole), _digest(source, len(whole), fingerprint()))
    from schemas import packets

    messages, origins = packets.read_files(src)
    files = [[str(file.resolve()), *_state(file)] for file in dict.fromkeys(origins)]
    batches = [messages[i : i + ALERTS_AT_A_TIME] for i in range(0, len(messages), ALERTS_AT_A_TIME)]
    return Plan(batches, len(messages), _digest(files, len(messages), fingerprint()))


def _digest(source: Any, count: int, catalogue: str) -> str:
    return hashlib.sha256(json.dumps([source, count, catalogue, ALERTS_AT_A_TIME]).encode()).hexdigest()


def _state(file: Path) -> tuple[int, int]:
    """Size and time of change of a file; of an archive's member, nothing is known but its name."""
    try:
        found = file.stat()
    except OSError:
        return 0, 0
    return found.st_size, found.st_mtime_ns


def folder_of(out: Path) -> Path:
    """Where the parts of ``out`` lie until they are joined."""
    return out.with_name(f"{out.name}.parts")


def measure(request: Plan, out: Path, jobs: int | None = None) -> Iterator[Progress]:
    """Measure the parts that are not there yet, telling of each; ``jobs`` processes, by default one for each core."""
    folder = folder_of(out)
    _prepare(folder, request.fingerprint)
    files = [folder / f"{number:06d}.parquet" for number in range(len(request.batches))]
    missing = [k for k, file in enumerate(files) if not file.is_file()]
    done = resumed = sum(len(request.batches[k]) for k in range(len(files)) if k not in set(missing))
    yield Progress(done, resumed)
    processes = min(jobs or len(os.sched_getaffinity(0)), len(missing))
    if processes <= 1:
        for k in missing:
            done += measure_part(request.batches[k], files[k])
            yield Progress(done, resumed)
        return
    # Fresh processes: a fork of a process with threads may hang.
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        pending = [pool.submit(measure_part, request.batches[k], files[k]) for k in missing]
        for future in as_completed(pending):
            done += future.result()
            yield Progress(done, resumed)


def _prepare(folder: Path, fingerprint: str) -> None:
    """An empty folder, or the parts of the same request."""
    file = folder / PLAN_FILE
    if folder.is_dir() and not (file.is_file() and file.read_text() == fingerprint):
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    file.write_text(fingerprint)


def measure_part(batch: Batch, file: Path) -> int:
    """Write a batch's features to ``file``; how many messages or objects that were."""
    from features import extract
    from schemas import packets

    curves, dead = (batch, []) if isinstance(batch, LightCurves) else packets.read(batch)
    matrix = extract(curves)
    columns = {name: matrix.values[:, k] for k, name in enumerate(matrix.names)}
    table = pa.table({"alert_id": curves.alert_id, "object_id": curves.object_id, **columns})
    draft = file.with_suffix(f".{os.getpid()}.draft")
    pq.write_table(table.replace_schema_metadata({_REFUSED: str(len(dead))}), draft)
    os.replace(draft, file)
    return len(batch)


def join(request: Plan, out: Path) -> Joined:
    """Put the parts together, in order, into ``out``, and remove them."""
    from features.catalogue import fingerprint

    folder = folder_of(out)
    parts = [pq.read_table(folder / f"{number:06d}.parquet") for number in range(len(request.batches))]
    refused = sum(int(part.schema.metadata[_REFUSED]) for part in parts)
    bare = [part.replace_schema_metadata(None) for part in parts]
    table = pa.concat_tables(bare).replace_schema_metadata({"feature_fingerprint": fingerprint()})
    draft = folder / f"whole.{os.getpid()}.draft"
    pq.write_table(table, draft)
    os.replace(draft, out)
    shutil.rmtree(folder)
    return Joined(len(pc.unique(table["object_id"])), table.num_rows, refused)
