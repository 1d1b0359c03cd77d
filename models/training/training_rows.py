"""The training table: one row per snapshot, with features, class, object, weight and split."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import ArrayLike, NDArray

from features.catalogue import NAMES, fingerprint
from models.datasets.labelled import Labelled
from models.progress import Progress, silent
from models.scoring.abstention import n_detections
from models.scoring.redshift_view import Host
from models.training import snapshots
from models.training.extraction import extract_many
from schemas.whole_file import whole_file

KEYS = {
    "object_id": pa.int64(),
    "alert_id": pa.int64(),
    "alert_mjd": pa.float64(),
    "class_id": pa.int64(),
    "weight": pa.float64(),
    "stream_weight": pa.float64(),
    "split": pa.string(),
    "detections": pa.int32(),
    "is_last": pa.bool_(),
    "host_photoz": pa.float32(),
    "host_photoz_err": pa.float32(),
}
"""The columns beside the features: see models.training.snapshots.Snapshots. ``detections`` is the number of the alert's
detections; ``host_photoz`` and its error are the photometric redshift of the host, if the packet gives one."""


@dataclass(frozen=True, slots=True)
class TrainingRows:
    """Columns of the training table as arrays: features (m, f), the others (m,)."""

    features: NDArray[np.float64]
    class_id: NDArray[np.int64]
    object_id: NDArray[np.int64]
    weight: NDArray[np.float64]
    stream_weight: NDArray[np.float64]
    detections: NDArray[np.int64]
    is_last: NDArray[np.bool_]
    split: NDArray[np.str_]
    host_photoz: NDArray[np.float64]
    host_photoz_err: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.class_id)

    @property
    def host(self) -> Host:
        """The photometric redshift of the host of each row."""
        return Host(self.host_photoz, self.host_photoz_err)

    @classmethod
    def of(cls, table: pa.Table, feature_names: Sequence[str]) -> TrainingRows:
        """The rows of a table; raises ValueError with the names of missing columns."""
        lacking = [name for name in [*feature_names, *KEYS] if name not in table.column_names]
        if lacking:
            raise ValueError(
                f"a training table must have the columns of the catalogue and {list(KEYS)}, it lacks {lacking}"
            )
        columns = [table[name].to_numpy().astype(np.float64) for name in feature_names]
        return cls(
            features=np.stack(columns, axis=1),
            split=np.asarray(table["split"].to_pylist(), np.str_),
            detections=table["detections"].to_numpy().astype(np.int64),
            host_photoz=table["host_photoz"].to_numpy().astype(np.float64),
            host_photoz_err=table["host_photoz_err"].to_numpy().astype(np.float64),
            **{
                name: table[name].to_numpy() for name in ("class_id", "object_id", "weight", "stream_weight", "is_last")
            },
        )

    def select(self, which: ArrayLike) -> TrainingRows:
        """The chosen rows: row numbers or a mask."""
        index = np.asarray(which)
        return TrainingRows(**{name: getattr(self, name)[index] for name in self.__slots__})


def table_fingerprint(labelled: Labelled, seed: int) -> str:
    """SHA-256 of the inputs of a training table: the data, the feature catalogue, the choice of snapshots."""
    choice = [seed, snapshots.FIRST_DETECTIONS, snapshots.RANDOM_DETECTIONS, snapshots.SPLIT_FRACTIONS]
    choice += [snapshots.TEMPLATE_SEED, *KEYS]
    count = [len(labelled), int(labelled.light_curves.object_id.sum())]
    text = json.dumps([labelled.fingerprint, fingerprint(), choice, count])
    return hashlib.sha256(text.encode()).hexdigest()


def training_table(
    labelled: Labelled, seed: int, folder: Path, *, progress: Progress = silent, n_jobs: int | None = None
) -> tuple[pa.Table, Path]:
    """The table of a data set's snapshots, and its file ``folder/<fingerprint>.parquet``; made once, then read.

    ``n_jobs``: processes that extract features; by default one for each processor available to the program.
    """
    file = folder / f"{table_fingerprint(labelled, seed)}.parquet"
    if not file.is_file():
        taken = snapshots.take(labelled, seed)
        table = table_of(taken, extract_many(taken.light_curves, progress=progress, n_jobs=n_jobs))
        keep(table, file)
    return pq.read_table(file), file


def keep(table: pa.Table, file: Path) -> None:
    """Write a table whole or not at all."""
    with whole_file(file) as draft:
        pq.write_table(table, draft, compression="zstd")


def table_of(taken: snapshots.Snapshots, features: NDArray[np.float64]) -> pa.Table:
    """Snapshots and their features (m, f) as a training table."""
    curves = taken.light_curves
    keys = {
        "object_id": curves.object_id,
        "alert_id": curves.alert_id,
        "alert_mjd": curves.alert_mjd,
        "class_id": taken.class_id,
        "weight": taken.weight,
        "stream_weight": taken.stream_weight,
        "split": np.asarray(snapshots.SPLITS)[taken.split],
        "detections": n_detections(curves),
        "is_last": taken.is_last,
        "host_photoz": curves.host_photoz,
        "host_photoz_err": curves.host_photoz_err,
    }
    arrays = {name: pa.array(np.ascontiguousarray(features[:, j])) for j, name in enumerate(NAMES)}
    return pa.table({**{name: pa.array(values, KEYS[name]) for name, values in keys.items()}, **arrays})


def with_labelled(table: pa.Table, labelled: pa.Table) -> pa.Table:
    """The table with the rows of newly labelled objects added; older rows of the same objects are replaced.

    ``labelled`` needs ``object_id``, ``class_id`` and the features. Other columns that are left out are filled in:
    weights divide an object equally among its rows, ``detections`` comes from the feature ``n_detections``, and
    ``split`` is "train". Objects that were labelled because they looked novel must not go to "calibration": they are
    not a representative sample of the stream.
    """
    object_id = labelled["object_id"].to_numpy()
    _, row, rows = np.unique(object_id, return_inverse=True, return_counts=True)
    defaults: dict[str, ArrayLike] = {
        "alert_id": np.zeros(len(labelled)),
        "alert_mjd": np.zeros(len(labelled)),
        "weight": 1.0 / rows[row],
        "stream_weight": 1.0 / rows[row],
        "split": ["train"] * len(labelled),
        "detections": np.nan_to_num(labelled["n_detections"].to_numpy()).astype(np.int32),
        "is_last": np.zeros(len(labelled), bool),
        "host_photoz": np.full(len(labelled), np.nan),
        "host_photoz_err": np.full(len(labelled), np.nan),
    }
    for name, values in defaults.items():
        if name not in labelled.column_names:
            labelled = labelled.append_column(name, pa.array(values))
    old = ~np.isin(table["object_id"].to_numpy(), object_id)
    return pa.concat_tables([table.filter(pa.array(old)), labelled.select(table.column_names).cast(table.schema)])
