"""A training table with copies of its objects at greater distances, for a stream that is fainter than the data."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from features import augment
from models.datasets.labelled import Labelled
from models.progress import Progress, silent
from models.training import snapshots
from models.training.copies import made, wanted
from models.training.extraction import extract_many
from models.training.training_rows import keep, table_of, training_table

RECIPE = (
    augment.STRETCH,
    augment.RATE_EVOLUTION,
    augment.LARGEST_OPEN,
    augment.PEAK_JITTER_DAYS,
    augment.ROUGH,
    augment.ROUGH_FACTOR,
    augment.ROUGH_SPREAD,
    augment.OUTLIERS,
)


@dataclass(frozen=True, slots=True)
class Copying:
    """``mean``: copies per object on average; rarer classes get more. ``donors``: light curves whose visits and noise
    the copies get, by default the training objects themselves; their classes are not used."""

    mean: float
    donors: Labelled | None = None

    def to_json(self, labelled: Labelled) -> dict[str, object]:
        """The entry in the manifest."""
        donors = self.donors or labelled
        return {"mean": self.mean, "donors": donors.source, "donors_fingerprint": donors.fingerprint}


def copied_table(
    labelled: Labelled,
    copying: Copying,
    seed: int,
    folder: Path,
    *,
    progress: Progress = silent,
    n_jobs: int | None = None,
) -> tuple[pa.Table, Path]:
    """The training table of ``labelled`` with copies, and its file in ``folder``; made once, then read.

    Objects of the training split that have a redshift get copies. The other splits get none: they represent the data
    as they are.
    """
    base, base_file = training_table(labelled, seed, folder, progress=progress, n_jobs=n_jobs)
    donors = copying.donors or labelled
    text = json.dumps([base_file.stem, copying.mean, donors.fingerprint, RECIPE])
    file = folder / f"{hashlib.sha256(text.encode()).hexdigest()}.parquet"
    if not file.is_file():
        copied = _copies(labelled, copying.mean, donors, seed, progress, n_jobs)
        keep(pa.concat_tables([base, copied]), file)
    return pq.read_table(file), file


def _copies(
    labelled: Labelled, mean: float, donors: Labelled, seed: int, progress: Progress, n_jobs: int | None
) -> pa.Table:
    learnt = snapshots.splits(labelled, seed) == snapshots.SPLITS.index("train")
    rows = np.flatnonzero(learnt & (labelled.truth.redshift > 0))
    label = np.unique(labelled.class_id[rows], return_inverse=True)[1]
    parents, redshift = labelled.light_curves.select(rows), labelled.truth.redshift[rows]
    number = wanted(label, mean)
    copies = made(parents, redshift, donors.light_curves, number, seed, progress=progress, n_jobs=n_jobs, rough=True)
    copied = Labelled(copies.light_curves, labelled.class_id[rows][copies.parent], "copies", labelled.fingerprint)
    taken = snapshots.take(copied, seed)
    table = table_of(taken, extract_many(taken.light_curves, progress=progress, n_jobs=n_jobs))
    number = np.bincount(copies.parent, minlength=len(rows))
    of_parent = dict(zip(parents.object_id.tolist(), number.tolist(), strict=True))
    share = np.array([of_parent[one] for one in table["object_id"].to_pylist()], np.float64)
    # all copies of an object together have the weight of the object
    for name in ("weight", "stream_weight"):
        values = pa.array(table[name].to_numpy() / share)
        table = table.set_column(table.column_names.index(name), name, values)
    split = pa.array(np.full(len(table), "train"))
    return table.set_column(table.column_names.index("split"), "split", split)
