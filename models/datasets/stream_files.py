"""Labelled light curves written as a stream of wire messages, with the truth in a file of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from models.datasets.labelled import Labelled, alerts
from schemas import packets
from schemas.taxonomy import name_of

ALERTS_FILE = "alerts.parquet"
TRUTH_FILE = "truth.parquet"
ALERTS_A_GROUP = 2_000

SCHEMA = pa.schema(
    [("message", pa.binary()), ("alert_mjd", pa.float64()), ("alert_id", pa.int64()), ("object_id", pa.int64())]
)


def write(labelled: Labelled, folder: Path, progress: Callable[[int, int], None] = lambda done, of: None) -> int:
    """Write one wire message per detection, each with its history, in time order; returns their number.

    ``folder`` gets ``alerts.parquet`` (message, alert_mjd, alert_id, object_id) and ``truth.parquet``
    (object_id, class_id, class_name): the messages themselves hold no truth.
    """
    folder.mkdir(parents=True, exist_ok=True)
    stream = alerts(labelled)
    with pq.ParquetWriter(folder / ALERTS_FILE, SCHEMA, compression="zstd") as file:
        for begin in range(0, len(stream), ALERTS_A_GROUP):
            part = stream.select(np.arange(begin, min(begin + ALERTS_A_GROUP, len(stream))))
            columns = [packets.write(part), part.alert_mjd, part.alert_id, part.object_id]
            file.write_table(pa.table(columns, schema=SCHEMA))
            progress(begin + len(part), len(stream))
    truth = {
        "object_id": pa.array(labelled.light_curves.object_id),
        "class_id": pa.array(labelled.class_id),
        "class_name": pa.array([name_of(int(class_id)) for class_id in labelled.class_id]),
    }
    pq.write_table(pa.table(truth), folder / TRUTH_FILE)
    return len(stream)
