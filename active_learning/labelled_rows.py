"""Training rows of labelled objects: their alerts' features from the archive, as the stream computed them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from numpy.typing import NDArray

from features.catalogue import NAMES

FIRST_ALERTS = 3
SPREAD_ALERTS = 3
"""Of each object its first three alerts, its last, and three spread between: as the base table has them."""

HOST = ("host_photoz", "host_photoz_err")
_COLUMNS = ("object_id", "alert_id", "alert_mjd", "features", *HOST)


@dataclass(frozen=True, slots=True)
class LabelledRows:
    """``table``: object_id, class_id, alert_id, alert_mjd, is_last, the host's photometric redshift and its error (NaN
    if the packet gives none) and the features, one row per alert.

    ``missing``: labelled objects without a usable alert in the archive.
    """

    table: pa.Table
    missing: list[int]


def read(archive: Path, classes: Mapping[int, int]) -> LabelledRows:
    """The rows of the objects in ``classes`` (object id: class id) from the Parquet files under ``archive``.

    An alert that was scored twice counts once; alerts whose features are not those of this program's
    catalogue (another number of them) are left out.
    """
    alerts = alerts_of(archive, list(classes), _COLUMNS)
    alerts = alerts.filter(pc.equal(pc.list_value_length(alerts["features"]), len(NAMES)))
    rows = snapshots(alerts)
    chosen = alerts.take(pa.array(rows))
    features = np.array(chosen["features"].to_pylist(), np.float64).reshape(len(rows), len(NAMES))
    object_id = chosen["object_id"].to_numpy()
    table = pa.table(
        {
            "object_id": object_id,
            "class_id": np.array([classes[int(i)] for i in object_id], np.int64),
            "alert_id": chosen["alert_id"],
            "alert_mjd": chosen["alert_mjd"],
            "is_last": _is_last(object_id),
            **{name: chosen[name].to_numpy().astype(np.float64) for name in HOST},
            **{name: features[:, column] for column, name in enumerate(NAMES)},
        }
    )
    return LabelledRows(table, sorted(set(classes) - set(object_id.tolist())))


def alerts_of(archive: Path, object_ids: list[int], columns: Sequence[str]) -> pa.Table:
    """The archived alerts of some objects in order of object and time, each once: ``columns`` of them, among which
    must be object_id, alert_id and alert_mjd. Raises LookupError where there is no archive."""
    files = sorted(str(file) for file in archive.rglob("*.parquet") if not file.name.startswith("."))
    if not files:
        raise LookupError(f"no archive of classified alerts under {archive}: run the stream first (`gueststar run`)")
    wanted = pc.field("object_id").isin(object_ids) & pc.field("alert_id").is_valid()
    schema = pq.read_schema(max(files, key=lambda file: Path(file).stat().st_mtime))  # others may lack its columns
    for name in HOST:  # archives of before it was kept lack these: they are null
        schema = schema if name in schema.names else schema.append(pa.field(name, pa.float32()))
    table = ds.dataset(files, schema, format="parquet").to_table(columns=list(columns), filter=wanted)
    table = table.sort_by([("object_id", "ascending"), ("alert_mjd", "ascending"), ("alert_id", "ascending")])
    ids = table["alert_id"].to_numpy()
    _, first = np.unique(ids, return_index=True)
    return table.take(pa.array(np.sort(first)))


def snapshots(alerts: pa.Table) -> list[int]:
    """The rows that train, of alerts in order of object and time: of each object its first three, its last, and three
    between."""
    object_id = alerts["object_id"].to_numpy()
    rows: list[int] = []
    for begin, end in zip(*_spans(object_id), strict=True):
        n = end - begin
        spread = np.linspace(min(FIRST_ALERTS, n - 1), n - 1, SPREAD_ALERTS + 2).astype(int).tolist()
        rows.extend(begin + i for i in sorted({*range(min(FIRST_ALERTS, n)), *spread[1:]}))
    return rows


def _spans(object_id: NDArray[np.int64]) -> tuple[list[int], list[int]]:
    """Begin and end of each object's run of alerts."""
    begins: list[int] = np.flatnonzero(np.diff(object_id, prepend=object_id[:1] - 1)).tolist()
    return begins, [*begins[1:], len(object_id)][: len(begins)]


def _is_last(object_id: NDArray[np.int64]) -> NDArray[np.bool_]:
    last = np.ones(len(object_id), bool)
    last[:-1] = object_id[1:] != object_id[:-1]
    return last
