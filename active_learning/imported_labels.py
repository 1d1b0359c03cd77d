"""Labels that others gave, from a table: matched to the objects of the archive by name, or by position."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
from numpy.typing import NDArray

from active_learning.labelled_rows import alerts_of
from active_learning.labels import label_of
from active_learning.nulls import IMPORTED
from models.datasets.label_table import LabelTable
from schemas.identifiers import object_id_of

MATCH_RADIUS_ARCSEC = 1.5
"""A label at a position belongs to the nearest object within this distance: about the seeing of a ground-based survey,
and less than the distance between most neighbours."""

_OF_LABELS = (
    *("object_id", "object_name", "alert_id", "alert_mjd", "input_topic", "input_partition", "input_offset"),
    "model_sha256",
)


@dataclass(frozen=True, slots=True)
class Imported:
    """``records``: label records, one an object; ``absent``: rows whose object is not in the archive; ``conflicting``:
    rows of objects that the table gives two classes, which are left out."""

    records: list[dict[str, Any]]
    absent: list[int]
    conflicting: list[int]


def records_of(table: LabelTable, archive: Path, source: str, now_ms: int) -> Imported:
    """The labels of a table for objects in the archive. ``source``: who gave them, such as TNS; it stands as labeller.

    The same row imported twice has the same id, so it counts once. Raises LookupError where there is no archive.
    """
    object_id = _object_ids(table, archive)
    class_of_object: dict[int, int] = {}
    conflicting_objects = set()
    for one, class_id in zip(object_id.tolist(), table.class_id.tolist(), strict=True):
        if one and class_of_object.setdefault(one, class_id) != class_id:
            conflicting_objects.add(one)
    wanted = {one: class_id for one, class_id in class_of_object.items() if one not in conflicting_objects}
    newest = {row["object_id"]: row for row in alerts_of(archive, list(wanted), _OF_LABELS).to_pylist()}
    records = [_record(newest[one], class_id, source, now_ms) for one, class_id in wanted.items() if one in newest]
    absent = [row for row, one in enumerate(object_id.tolist()) if one not in newest and one not in conflicting_objects]
    conflicting = [row for row, one in enumerate(object_id.tolist()) if one in conflicting_objects]
    return Imported(records, absent, conflicting)


def _record(alert: Mapping[str, Any], class_id: int, source: str, now_ms: int) -> dict[str, Any]:
    request = {**alert, "request_id": "", "reason": IMPORTED, "propensity": 1.0}
    digest = sha256(f"{source}\n{alert['object_id']}\n{class_id}".encode()).hexdigest()[:32]
    return label_of(request, class_id, source, now_ms) | {"label_id": digest}


def _object_ids(table: LabelTable, archive: Path) -> NDArray[np.int64]:
    """The survey's id of each row's object, 0 where it has none: by its name if that is one of the survey's,
    else by position."""
    ids = np.array([_id(name) for name in table.name.tolist()], np.int64)
    placed = (ids == 0) & np.isfinite(table.ra_deg) & np.isfinite(table.dec_deg)
    if placed.any():
        ids[placed] = _nearest(table.ra_deg[placed], table.dec_deg[placed], archive)
    return ids


def _id(name: str) -> int:
    try:
        return object_id_of(name)
    except ValueError:  # a name of another catalogue: no object of this archive
        return 0


def _nearest(ra_deg: NDArray[np.float64], dec_deg: NDArray[np.float64], archive: Path) -> NDArray[np.int64]:
    """The id of the nearest object within :data:`MATCH_RADIUS_ARCSEC` of each position, (n,); 0 where there is none."""
    from astropy import units
    from astropy.coordinates import SkyCoord

    files = sorted(str(file) for file in archive.rglob("*.parquet") if not file.name.startswith("."))
    if not files:
        raise LookupError(f"no archive of classified alerts under {archive}: run the stream first (`gueststar run`)")
    on_sky = pc.is_finite(pc.field("ra_deg")) & pc.is_finite(pc.field("dec_deg")) & (pc.field("object_id") != 0)
    columns = ["object_id", "ra_deg", "dec_deg"]
    objects = ds.dataset(files, format="parquet").to_table(columns=columns, filter=on_sky)
    object_id, first = np.unique(objects["object_id"].to_numpy(), return_index=True)
    if not len(object_id):
        return np.zeros(len(ra_deg), np.int64)
    objects = objects.take(pa.array(first))
    in_archive = SkyCoord(objects["ra_deg"].to_numpy(), objects["dec_deg"].to_numpy(), unit=units.deg)
    nearest, separation, _ = SkyCoord(ra_deg, dec_deg, unit=units.deg).match_to_catalog_sky(in_archive)
    return np.where(separation.arcsec <= MATCH_RADIUS_ARCSEC, object_id[nearest], 0)
