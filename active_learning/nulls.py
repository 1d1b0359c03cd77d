"""Nulls: labelled objects of known classes, with which a night's selection compares the stream.

A false-discovery rate holds if the nulls are like the known objects of the stream. So only two kinds of labels count:
those of objects that were drawn at random from the stream, and those that were imported. An object that was labelled
because it looked uncertain or novel is no fair sample. Imported labels have to come from the same survey, with the same
selection; a list of bright supernovae makes the rate wrong (docs/novelty.md shows by how much).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from active_learning.labelled_rows import alerts_of
from active_learning.labels import Answer
from features.catalogue import NAMES
from schemas.whole_file import whole_file

IMPORTED = "imported"
"""The reason that a label has which was not asked for here, but taken from a catalogue."""

FAIR_REASONS = frozenset({"random", IMPORTED})
"""Reasons for which a label says something about the stream's objects in general."""


@dataclass(frozen=True, slots=True)
class LabelledObjects:
    """``object_id``, ``class_id``: (n,); ``features``: of each object's newest alert, (n, f), NaN where missing;
    ``host_photoz`` and ``host_photoz_err``: (n,), NaN where there is none."""

    object_id: NDArray[np.int64]
    class_id: NDArray[np.int64]
    features: NDArray[np.float32]
    host_photoz: NDArray[np.float32]
    host_photoz_err: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.object_id)

    def select(self, chosen: NDArray[np.bool_]) -> LabelledObjects:
        """The objects of a mask, (n,)."""
        return LabelledObjects(*(getattr(self, name)[chosen] for name in self.__slots__))

    @classmethod
    def concatenate(cls, parts: Sequence[LabelledObjects]) -> LabelledObjects:
        """All objects, each once: of one that comes twice the first counts."""
        joined = cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in cls.__slots__))
        first = np.zeros(len(joined), bool)
        first[np.unique(joined.object_id, return_index=True)[1]] = True
        return joined.select(first)


_TYPES = {
    "object_id": pa.int64(),
    "class_id": pa.int64(),
    "features": pa.list_(pa.float32()),
    "host_photoz": pa.float32(),
    "host_photoz_err": pa.float32(),
}
EMPTY = LabelledObjects(
    np.zeros(0, np.int64),
    np.zeros(0, np.int64),
    np.zeros((0, len(NAMES)), np.float32),
    np.zeros(0, np.float32),
    np.zeros(0, np.float32),
)


def fair(answers: Mapping[int, Answer]) -> dict[int, int]:
    """Class ids by object id, of the labels that count for nulls: agreed on, and given for a fair reason."""
    return {
        object_id: answer.class_id
        for object_id, answer in answers.items()
        if answer.class_id is not None and answer.newest["reason"] in FAIR_REASONS
    }


def in_archive(archive: Path, classes: Mapping[int, int]) -> LabelledObjects:
    """The objects of ``classes`` (object id: class id), as their newest alerts in the archive have them; those that
    the archive lacks, or that were not classified, are left out."""
    if not classes:
        return EMPTY
    columns = ("object_id", "alert_id", "alert_mjd", "features", "host_photoz", "host_photoz_err")
    alerts = alerts_of(archive, list(classes), columns)
    alerts = alerts.filter(pc.equal(pc.list_value_length(alerts["features"]), len(NAMES)))
    object_id = alerts["object_id"].to_numpy()
    is_last = np.append(np.diff(object_id) != 0, True)[: len(object_id)]
    alerts = alerts.filter(pa.array(is_last))
    class_id = np.array([classes[int(one)] for one in object_id[is_last]], np.int64)
    return _of_table(alerts.append_column("class_id", pa.array(class_id)))


def keep(folder: Path, name: str, objects: LabelledObjects) -> Path:
    """Store objects of a catalogue under a name, whole or not at all; an older one of that name is replaced."""
    features = pa.FixedSizeListArray.from_arrays(objects.features.ravel(), len(NAMES)).cast(_TYPES["features"])
    columns = {name: features if name == "features" else getattr(objects, name) for name in _TYPES}
    table = pa.table({name: pa.array(values, _TYPES[name]) for name, values in columns.items()})
    file = folder / f"{name}.parquet"
    with whole_file(file) as draft:
        pq.write_table(table, draft, compression="zstd")
    return file


def kept(folder: Path) -> dict[str, LabelledObjects]:
    """What :func:`keep` stored, by name; objects whose features are another catalogue's are left out.

    Raises ValueError with the file's name where one is damaged.
    """
    by_name = {}
    for file in sorted(folder.glob("*.parquet")):
        try:
            table = pq.read_table(file, columns=list(_TYPES))
        except (pa.ArrowInvalid, KeyError) as error:
            raise ValueError(f"{file}: no table of nulls ({error}): remove it, and import the set again") from error
        by_name[file.stem] = _of_table(table.filter(pc.equal(pc.list_value_length(table["features"]), len(NAMES))))
    return by_name


def of_known_classes(objects: LabelledObjects, class_ids: Collection[int]) -> NDArray[np.bool_]:
    """Which objects are of classes that the model knows, (n,): the others are examples of novel ones."""
    return np.isin(objects.class_id, list(class_ids))


def _of_table(table: pa.Table) -> LabelledObjects:
    flat = table["features"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
    return LabelledObjects(
        object_id=np.asarray(table["object_id"].to_numpy(), np.int64),
        class_id=np.asarray(table["class_id"].to_numpy(), np.int64),
        features=np.asarray(flat, np.float32).reshape(len(table), len(NAMES)),
        host_photoz=np.asarray(table["host_photoz"].to_numpy(zero_copy_only=False), np.float32),
        host_photoz_err=np.asarray(table["host_photoz_err"].to_numpy(zero_copy_only=False), np.float32),
    )
