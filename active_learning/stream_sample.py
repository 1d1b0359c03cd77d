"""Objects of the archive as an adaptation needs them: labelled ones with some alerts, others with their last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from active_learning.labelled_rows import alerts_of, snapshots
from features.catalogue import NAMES
from models.hashing import uniform
from models.scoring.redshift_view import Host
from schemas.passbands import SURVEYS

MOST_UNLABELLED = 3_000
"""Objects without a label that are looked at, drawn by a hash of their ids."""

_COLUMNS = (
    "object_id", "alert_id", "alert_mjd", "survey", "not_classified_reason", "features", "host_photoz",
    "host_photoz_err",
)  # fmt: skip
_DETECTIONS = NAMES.index("n_detections")


@dataclass(frozen=True, slots=True)
class Alerts:
    """``m`` classified alerts in order of object and time.

    ``object_id``, ``alert_mjd``: (m,); ``survey``: (m,), index into ``schemas.passbands.SURVEYS``; ``features``:
    (m, f), NaN where missing; ``host``; ``is_last``: (m,), the newest alert of its object.
    """

    object_id: NDArray[np.int64]
    alert_mjd: NDArray[np.float64]
    survey: NDArray[np.int8]
    features: NDArray[np.float64]
    host: Host
    is_last: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.object_id)

    @property
    def detections(self) -> NDArray[np.int64]:
        """The number of detections of each alert, (m,)."""
        return np.nan_to_num(self.features[:, _DETECTIONS]).astype(np.int64)

    def select(self, which: NDArray[np.bool_] | NDArray[np.int64]) -> Alerts:
        """The chosen alerts."""
        return Alerts(
            self.object_id[which], self.alert_mjd[which], self.survey[which], self.features[which],
            self.host.select(which), self.is_last[which],
        )  # fmt: skip


def labelled(archive: Path, classes: Mapping[int, int]) -> Alerts:
    """Some alerts of each object of ``classes`` (object id: class id), as training has them. Raises LookupError without
    an archive."""
    alerts = _classified(alerts_of(archive, list(classes), _COLUMNS))
    return _alerts(alerts.take(pa.array(snapshots(alerts), pa.int64())))


def unlabelled(archive: Path, besides: Mapping[int, int], seed: int) -> Alerts:
    """The last alerts of at most :data:`MOST_UNLABELLED` other objects. Raises LookupError without an archive."""
    ids = [pq.read_table(file, columns=["object_id"])["object_id"] for file in _files(archive)]
    every = np.unique(pa.chunked_array([chunk for one in ids for chunk in one.chunks], pa.int64()).to_numpy())
    free = every[(every != 0) & ~np.isin(every, list(besides))]
    drawn = free[np.argsort(uniform(free, seed + 31), kind="stable")[:MOST_UNLABELLED]]
    alerts = _alerts(_classified(alerts_of(archive, drawn.tolist(), _COLUMNS)))
    return alerts.select(alerts.is_last)


def _files(archive: Path) -> list[Path]:
    return sorted(file for file in archive.rglob("*.parquet") if not file.name.startswith("."))


def _classified(alerts: pa.Table) -> pa.Table:
    """Without those that were not classified, have other features than this program's, or are of no known survey."""
    usable = pc.and_(pc.equal(alerts["not_classified_reason"], ""), pc.is_in(alerts["survey"], pa.array(SURVEYS)))
    usable = pc.and_(usable, pc.equal(pc.list_value_length(alerts["features"]), len(NAMES)))
    return alerts.filter(pc.fill_null(usable, False))


def _alerts(table: pa.Table) -> Alerts:
    flat = table["features"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
    object_id = table["object_id"].to_numpy()
    photoz = (
        table[name].to_numpy(zero_copy_only=False).astype(np.float64) for name in ("host_photoz", "host_photoz_err")
    )
    return Alerts(
        object_id=object_id,
        alert_mjd=table["alert_mjd"].to_numpy(),
        survey=np.array([SURVEYS.index(name) for name in table["survey"].to_pylist()], np.int8),
        features=np.asarray(flat, np.float64).reshape(len(table), len(NAMES)),
        host=Host(*photoz),
        is_last=np.append(np.diff(object_id) != 0, True)[: len(object_id)],
    )
