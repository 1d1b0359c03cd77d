"""The archive of published scores beside the labels that people gave, or that a file gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from active_learning import labelled_rows, labels
from broker.kafka.message_log import labels_log
from broker.records import archive
from broker.settings import Settings
from models.datasets import table_files, table_values
from models.datasets.reading import reading
from models.suites import published
from models.suites.outcome import Outcome
from models.suites.published import COLUMNS, Label
from schemas.taxonomy import class_id_of

RANDOM = "random"
"""The reason of a request for an object that was drawn at random."""


def evaluate(settings: Settings, data: Path | None, label_file: Path | None, *, seed: int) -> Outcome:
    """What was published under ``data`` (the home's archive by default) against the labels in a file, or in Kafka."""
    labels_by_object = from_file(label_file) if label_file else from_log(settings)
    if not labels_by_object:
        raise LookupError("there is no label yet: answer requests on the page of `gueststar label`, or give --labels")
    where = data or archive.folder(settings)
    rows = labelled_rows.alerts_of(where, list(labels_by_object), COLUMNS)
    return published.outcome(rows, labels_by_object, source=str(where), seed=seed)


def from_log(settings: Settings) -> dict[int, Label]:
    """The labels that hold, from the topic of labels, by object id; conflicts are left out."""
    records = [stored.record for stored in labels_log(settings).read()]
    return {
        object_id: Label(answer.class_id, float(answer.newest["created_ms"]), answer.newest["reason"] == RANDOM)
        for object_id, answer in labels.answers(records).items()
        if answer.class_id is not None
    }


def from_file(file: Path) -> dict[int, Label]:
    """The labels in a CSV or Parquet table: ``object_id``, ``class_id`` (or a class's name), and if there is one
    ``created_ms``, ms since 1970 UTC. Raises ValueError naming the line and what must stand there."""
    table = table_files.read(file, ("object_id", "class_id", "created_ms"))
    missing = [name for name in ("object_id", "class_id") if name not in table.columns]
    if missing:
        raise ValueError(f"{file}: labels need the columns object_id and class_id, missing are {missing}")
    created_ms = np.full(table.n_rows, np.inf)
    with reading(file, "a table of labels"):  # a column may be of a type that names or counts nothing
        ids, classes = (_texts(table.columns[name]) for name in ("object_id", "class_id"))
        if "created_ms" in table.columns:
            created_ms = np.nan_to_num(table_values.numbers(table.columns["created_ms"]).value, nan=np.inf)
    labels_by_id: dict[int, Label] = {}
    for row, (object_id, name, ms) in enumerate(zip(ids, classes, created_ms.tolist(), strict=True)):
        try:
            labels_by_id[int(object_id)] = Label(class_id_of(name.removesuffix(".0")), ms)
        except (LookupError, ValueError) as error:
            raise ValueError(
                f"{file}, {table.place(row)}: object_id must be a number and class_id a class: {error}"
            ) from None
    return labels_by_id


def _texts(column: pa.ChunkedArray) -> list[str]:
    """Ids and names as they are written: as a double an id of 64 bits loses its last digits."""
    names = table_values.names(column)
    texts = [*names.distinct, ""]
    return [texts[code] for code in names.code]
