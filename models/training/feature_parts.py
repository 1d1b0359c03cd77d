"""A feature matrix computed in parts by several processes, so that a killed run can be continued.

A part is a numbered batch of messages or objects. Each becomes a Parquet file in the folder ``<out>.parts``, written
whole or not at all. When all parts are there, they are joined in order and the folder is removed. A fingerprint of the
sources, the catalogue and the size of a part ties the folder to its request; another request empties it.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import multiprocessing
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from models.datasets import sources, table_files
from models.datasets.labelled import Labelled
from schemas.files import PassOver
from schemas.other_files import NoAlertsError
from schemas.whole_file import whole_file

ALERTS_AT_A_TIME = 1_000
PLAN_FILE = "plan.json"
_REFUSED, _REASON = b"refused", b"reason"

Batch = list[bytes] | Labelled


@dataclass(frozen=True, slots=True)
class PartPlan:
    """The batches in order, the total number of messages or objects, and the fingerprint of the request."""

    batches: Sequence[Batch]
    total: int
    fingerprint: str


@dataclass(frozen=True, slots=True)
class PartsDone:
    """The number of messages or objects done so far, and how many of them an earlier run had done."""

    done: int
    resumed: int


@dataclass(frozen=True, slots=True)
class Joined:
    """The contents of the joined file, and the number of refused messages."""

    objects: int
    alerts: int
    refused: int


def plan(
    src: Sequence[str],
    load: Callable[[str], Labelled] = sources.load,
    pass_over: PassOver = lambda error: None,
) -> PartPlan:
    """Cut the sources into batches: alert files, or labelled light curves, which ``load`` reads.

    Raises as ``load`` and ``packets.read_files`` do, and gives ``pass_over`` what the latter passes over.
    """
    from features.catalogue import fingerprint

    batches: list[Batch] = []
    origins: list[Any] = []
    for of_light_curves, group in itertools.groupby(src, sources.holds_light_curves):
        if of_light_curves:
            for source in group:
                labelled = load(source)
                origins.append([source, labelled.fingerprint])
                batches += [labelled.select(cut) for cut in _cuts(len(labelled))]
        else:
            messages, files = _messages(group, pass_over)
            origins += [[str(file.resolve()), *_state(file)] for file in dict.fromkeys(files)]
            batches += [messages[cut.start : cut.stop] for cut in _cuts(len(messages))]
    total = sum(map(len, batches))
    return PartPlan(batches, total, _digest(origins, total, fingerprint()))


def _messages(paths: Iterable[str], pass_over: PassOver) -> tuple[list[bytes], list[Path]]:
    from schemas import packets

    try:
        return packets.read_files(paths, pass_over)
    except NoAlertsError as error:
        raise ValueError(f"{error}. A table of light curves ends in {', '.join(table_files.READERS)}") from error


def _cuts(count: int) -> list[range]:
    return [range(k, min(k + ALERTS_AT_A_TIME, count)) for k in range(0, count, ALERTS_AT_A_TIME)]


def _digest(source: Any, count: int, catalogue: str) -> str:
    return hashlib.sha256(json.dumps([source, count, catalogue, ALERTS_AT_A_TIME]).encode()).hexdigest()


def _state(file: Path) -> tuple[int, int]:
    """Size and time of change of a file; zeros for a member of an archive."""
    try:
        status = file.stat()
    except OSError:
        return 0, 0
    return status.st_size, status.st_mtime_ns


def folder_of(out: Path) -> Path:
    """The folder with the parts of ``out`` until they are joined."""
    return out.with_name(f"{out.name}.parts")


def measure(request: PartPlan, out: Path, jobs: int | None = None) -> Iterator[PartsDone]:
    """Compute the missing parts and report after each; ``jobs`` processes, by default one for each core."""
    folder = folder_of(out)
    _prepare(folder, request.fingerprint)
    files = [folder / f"{number:06d}.parquet" for number in range(len(request.batches))]
    missing = [k for k, file in enumerate(files) if not file.is_file()]
    done = resumed = sum(len(request.batches[k]) for k in range(len(files)) if k not in set(missing))
    yield PartsDone(done, resumed)
    processes = min(jobs or len(os.sched_getaffinity(0)), len(missing))
    if processes <= 1:
        for k in missing:
            done += measure_part(request.batches[k], files[k])
            yield PartsDone(done, resumed)
        return
    # Fresh processes: a fork of a process with threads may hang.
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        pending = [pool.submit(measure_part, request.batches[k], files[k]) for k in missing]
        for future in as_completed(pending):
            done += future.result()
            yield PartsDone(done, resumed)


def _prepare(folder: Path, fingerprint: str) -> None:
    """An empty folder, or the parts of the same request."""
    file = folder / PLAN_FILE
    if folder.is_dir() and not (file.is_file() and file.read_text() == fingerprint):
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    file.write_text(fingerprint)


def measure_part(batch: Batch, file: Path) -> int:
    """Write the features of a batch to ``file``; returns its number of messages or objects."""
    from features import extract
    from schemas import packets

    curves, dead = (batch.light_curves, []) if isinstance(batch, Labelled) else packets.read(batch)
    matrix = extract(curves)
    columns: dict[str, Any] = {"alert_id": curves.alert_id, "object_id": curves.object_id}
    if isinstance(batch, Labelled):
        columns["object"] = pa.array(batch.truth.name.tolist(), pa.string())
    table = pa.table(columns | {name: matrix.values[:, k] for k, name in enumerate(matrix.names)})
    refusals = {_REFUSED: str(len(dead)), _REASON: dead[0].reason if dead else ""}
    with whole_file(file) as draft:
        pq.write_table(table.replace_schema_metadata(refusals), draft)
    return len(batch)


def join(request: PartPlan, out: Path) -> Joined:
    """Join the parts in order to ``out``, and remove them.

    If all messages were refused, raises ValueError with the reason of the first.
    """
    from features.catalogue import fingerprint

    folder = folder_of(out)
    parts = [pq.read_table(folder / f"{number:06d}.parquet") for number in range(len(request.batches))]
    refused = sum(int(part.schema.metadata[_REFUSED]) for part in parts)
    reason = next((part.schema.metadata[_REASON].decode() for part in parts if part.schema.metadata[_REASON]), "")
    if not sum(map(len, parts)):
        shutil.rmtree(folder)
        raise ValueError(f"no alert could be measured, {refused:,} refused: {reason}")
    bare = [part.replace_schema_metadata(None) for part in parts]
    table = pa.concat_tables(bare, promote_options="default")
    ids = [name for name in ("alert_id", "object_id", "object") if name in table.column_names]
    table = table.select(ids + [name for name in table.column_names if name not in ids])
    table = table.replace_schema_metadata({"feature_fingerprint": fingerprint()})
    with whole_file(out) as draft:
        pq.write_table(table, draft)
    shutil.rmtree(folder)
    return Joined(len(pc.unique(table["object_id"])), table.num_rows, refused)
