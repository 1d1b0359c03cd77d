"""Labelled light curves written as a stream of wire messages, with the truth in a separate file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from models.datasets.labelled import Labelled, alerts
from schemas import packets
from schemas.counts import counted
from schemas.light_curves import LightCurves
from schemas.taxonomy import name_of
from schemas.whole_file import whole_file

ALERTS_FILE = "alerts.parquet"
TRUTH_FILE = "truth.parquet"
NAME_COLUMN = "object"
"""In the truth: what the data set calls the object, "" where it says nothing."""

ALERTS_A_GROUP = 2_000

SCHEMA = pa.schema(
    [("message", pa.binary()), ("alert_mjd", pa.float64()), ("alert_id", pa.int64()), ("object_id", pa.int64())]
)


@dataclass(slots=True)
class Written:
    """Number of ``alerts`` written, number ``left_out`` because the broker would refuse them, and the ``reason`` for
    the first of these."""

    alerts: int = 0
    left_out: int = 0
    reason: str = ""


def write(labelled: Labelled, folder: Path, progress: Callable[[int, int], None] = lambda done, of: None) -> Written:
    """Write one wire message per detection, each with its history, in time order.

    Writes ``alerts.parquet`` (message, alert_mjd, alert_id, object_id) and ``truth.parquet`` (object_id, class_id,
    class_name, and object, the name in the data set) to ``folder``; the messages hold no truth. Each message is read
    before it is written. One that would be a dead letter is left out and counted, and so are the alerts of an object
    without a position. Raises ValueError if there is no alert to write; then nothing is written.
    """
    stream = alerts(labelled)
    if not len(stream):
        raise ValueError(
            f"{labelled.source}: an alert is raised by a detection (is_detection, or a flux of five times its error), "
            f"found none in the light curves of {len(labelled):,} objects"
        )
    stream, written = _with_position(stream, labelled)
    with whole_file(folder / ALERTS_FILE) as draft:
        with pq.ParquetWriter(draft, SCHEMA, compression="zstd") as file:
            for begin in range(0, len(stream), ALERTS_A_GROUP):
                part = stream.select(np.arange(begin, min(begin + ALERTS_A_GROUP, len(stream))))
                file.write_table(
                    _readable(
                        pa.table([packets.write(part), part.alert_mjd, part.alert_id, part.object_id], schema=SCHEMA),
                        written,
                    )
                )
                progress(begin + len(part), len(stream))
        if not written.alerts:
            raise ValueError(
                f"{labelled.source}: no alert can be written: the broker would refuse all {written.left_out:,}, the "
                f"first because {written.reason}"
            )
    truth = {
        "object_id": pa.array(labelled.light_curves.object_id),
        "class_id": pa.array(labelled.class_id),
        "class_name": pa.array([name_of(int(class_id)) for class_id in labelled.class_id]),
        NAME_COLUMN: pa.array(labelled.truth.name.tolist(), pa.string()),
    }
    with whole_file(folder / TRUTH_FILE) as draft:
        pq.write_table(pa.table(truth), draft)
    return written


def names_beside(alerts_file: Path) -> dict[int, str]:
    """Object id → name in the data set, from the truth beside a file of alerts; none if there is none to be read."""
    file = alerts_file.with_name(TRUTH_FILE)
    try:
        truth = pq.read_table(file, columns=["object_id", NAME_COLUMN])
        pairs = zip(truth["object_id"].to_pylist(), truth[NAME_COLUMN].to_pylist(), strict=True)
        return {int(object_id): str(name) for object_id, name in pairs if name}
    except (OSError, ValueError, TypeError, pa.ArrowException):  # of no file, or of another's
        return {}


def _with_position(stream: LightCurves, labelled: Labelled) -> tuple[LightCurves, Written]:
    """The alerts that have a position, and how many have none. Raises ValueError where no alert has one."""
    placed = np.isfinite(stream.ra_deg) & np.isfinite(stream.dec_deg)
    curves = labelled.light_curves
    n_without = int((~(np.isfinite(curves.ra_deg) & np.isfinite(curves.dec_deg))).sum())
    if not placed.any():
        raise ValueError(
            f"{labelled.source}: an alert must have a position, and none of {counted(len(labelled), 'object')} has one:"
            " add the columns ra_deg and dec_deg, in degrees"
        )
    if placed.all():
        return stream, Written()
    reason = f"{counted(n_without, 'object')} without a position (ra_deg, dec_deg)"
    return stream.select(np.flatnonzero(placed)), Written(left_out=int((~placed).sum()), reason=reason)


def _readable(table: pa.Table, written: Written) -> pa.Table:
    """The rows whose messages can be read as alerts; counts them and the others."""
    _, dead = packets.read(table["message"].to_pylist())
    keep = np.ones(len(table), bool)
    keep[[letter.packet_index for letter in dead]] = False
    written.alerts += int(keep.sum())
    written.left_out += len(dead)
    written.reason = written.reason or (dead[0].reason if dead else "")
    return table.filter(pa.array(keep))
