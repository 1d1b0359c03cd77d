"""The training table of a bundle: read from the store, or made again from an installed data set."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from features.catalogue import NAMES
from models.datasets.labelled import Labelled
from models.datasets.sources import INSTALLED
from models.progress import Progress, silent
from models.training.copied_rows import Copying, copied_table
from models.training.snapshots import SPLITS, split_of
from models.training.training_rows import TrainingRows, table_fingerprint, training_table


def base_table(manifest: Mapping[str, Any], store: Path, progress: Progress = silent) -> pa.Table:
    """The table that a bundle's manifest names, from ``store/training``.

    Raises LookupError if it is neither there nor made from an installed data set.
    """
    stem, seed = str(manifest["training"].get("table", "")), int(manifest["training"]["seed"])
    file = store / "training" / f"{stem}.parquet"
    if stem and file.is_file():
        return pq.read_table(file)
    labelled, copies = _installed(manifest["training"].get("fingerprint")), manifest["training"].get("copies")
    if labelled is not None and copies is None and table_fingerprint(labelled, seed) == stem:
        return training_table(labelled, seed, store / "training", progress=progress)[0]
    donors = None if copies is None else _installed(copies["donors_fingerprint"])
    if labelled is not None and donors is not None:
        copying = Copying(copies["mean"], donors)
        table, made = copied_table(labelled, copying, seed, store / "training", progress=progress)
        if made.stem == stem:
            return table
    raise LookupError(
        f"the training table of the model is missing ({file}): train it again with `gueststar train`, on the data "
        f"it was made from: {', '.join(manifest['training'].get('sources', [])) or 'unknown'}"
    )


def _installed(wanted: str | None) -> Labelled | None:
    """The installed data set with this fingerprint; None if there is none."""
    sets = (load() for load in INSTALLED.values())
    return next((labelled for labelled in sets if labelled.fingerprint == wanted), None)


def held_out_by_both(
    one: Mapping[str, Any], other: Mapping[str, Any], store: Path, progress: Progress = silent
) -> TrainingRows:
    """Rows of the second bundle's table that, by the manifests, are in neither training set."""
    rows = TrainingRows.of(base_table(other, store, progress), NAMES)
    held_out = rows.split == "test"
    trainings = one["training"], other["training"]
    if any(trainings[0].get(name) != trainings[1].get(name) for name in ("table", "seed")):
        held_out &= split_of(rows.object_id, int(trainings[0]["seed"])) == SPLITS.index("test")
    return rows.select(held_out)
