"""The archive: every classified alert as Parquet, a folder for each night, a file for each task and night.

A file is named after its task, and a task's name says which input it holds; so a batch that is done again
overwrites its own files and doubles nothing. A file is complete or absent.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from broker.settings import Settings
from schemas.night import date_of, night_of
from schemas.whole_file import whole_file

COLUMNS_LEFT_OUT = ("dead_stage", "dead_reason", "payload", "payload_length", "is_first_of_message", "topics")


def folder(settings: Settings) -> Path:
    """Where the archive lies; Spark and pyarrow read it as one data set partitioned by ``night``."""
    return settings.home / "archive"


def write(settings: Settings, alerts: pa.Table) -> list[Path]:
    """Write rows of alerts: a file for each task and night, complete on disk at return; returns the files.

    All of a task's rows of a night have to come in one call. Raises OSError where the disk refuses.
    """
    if not alerts.num_rows:
        return []
    alerts = alerts.drop_columns([name for name in COLUMNS_LEFT_OUT if name in alerts.column_names])
    mjd = np.nan_to_num(alerts.column("alert_mjd").to_numpy(), nan=0.0)
    nights = pa.array(night_of(mjd))
    tasks = alerts.column("task").combine_chunks()
    files = []
    for task in tasks.unique().to_pylist():
        of_task = pc.equal(tasks, task)
        for night in pc.unique(nights.filter(of_task)).to_pylist():
            rows = alerts.filter(pc.and_(of_task, pc.equal(nights, night)))
            file = folder(settings) / f"night={date_of(night)}" / f"{task}.parquet"
            with whole_file(file) as draft:
                pq.write_table(rows, draft, compression="zstd", use_dictionary=_repetitive(rows))
            files.append(file)
    return files


def _repetitive(rows: pa.Table) -> list[str]:
    """Columns worth a dictionary: not floats, which hardly ever repeat."""
    return ["class_ids.list.element", *(field.name for field in rows.schema if not pa.types.is_floating(field.type))]
