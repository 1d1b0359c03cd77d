"""The archive of published scores beside the labels that people gave, or that a file gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from active_learning import labelled_rows, labels
from broker.records import archive
from broker.settings import Settings
from models.suites import published
from models.suites.outcome import Outcome
from models.suites.published import COLUMNS, Label
from schemas.taxonomy import class_id_of

RANDOM = "random"
"""The reason of a request for an object that was drawn at random."""


def evaluate(settings: Settings, data: Path | None, label_file: Path | None, *, seed: int) -> Outcome:
    """What was published under ``data`` (the home's archive by default) against the labels in a file, or in Kafka."""
    known = from_file(label_file) if label_file else from_log(settings)
    if not known:
        raise LookupError("there is no label yet: answer requests on the page of `gueststar label`, or give --labels")
    where = data or archive.folder(settings)
    rows = labelled_rows.alerts_of(where, list(known), COLUMNS)
    return published.outcome(rows, known, source=str(where), seed=seed)


def from_log(settings: Settings) -> dict[int, Label]:
    """The labels that hold, from the topic of labels, by object id; conflicts are left out."""
    records = [stored.record for stored in labels.log_of(settings.kafka_client(), settings.topic_prefix).read()]
    return {
        object_id: Label(answer.class_id, float(answer.newest["created_ms"]), answer.newest["reason"] == RANDOM)
        for object_id, answer in labels.answers(records).items()
        if answer.class_id is not None
    }


def from_file(file: Path) -> dict[int, Label]:
    """The labels in a CSV or Parquet table: ``object_id``, ``class_id`` (or a class's name), and if there is one
    ``created_ms``, ms since 1970 UTC. Raises ValueError naming the line and what must stand there."""
    table = pq.read_table(file).to_pandas() if file.suffix == ".parquet" else pd.read_csv(file, dtype=str)
    missing = [name for name in ("object_id", "class_id") if name not in table]
    if missing:
        raise ValueError(f"{file}: labels need the columns object_id and class_id, missing are {missing}")
    known_ms = table["created_ms"].astype(float) if "created_ms" in table else np.full(len(table), np.inf)
    found: dict[int, Label] = {}
    for line, (object_id, class_id, ms) in enumerate(
        zip(table["object_id"], table["class_id"], known_ms, strict=True), 2
    ):
        try:
            found[int(object_id)] = Label(class_id_of(class_id), float(ms))
        except (LookupError, ValueError) as error:
            raise ValueError(f"{file}, line {line}: object_id must be a number and class_id a class: {error}") from None
    return found
