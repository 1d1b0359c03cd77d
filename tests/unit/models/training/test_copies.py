"""Copies in a training table: only of what is learnt from, beside their parents, and as heavy as these."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from models.datasets import plasticc
from models.training.base_table import base_table
from models.training.copied_rows import Copying, copied_table
from models.training.copies import wanted
from models.training.train import train
from models.training.training_rows import training_table
from tests.unit.models.small_bundle import SEED, Small


def test_rare_classes_get_more_within_bounds() -> None:
    label = np.repeat([0, 1, 2], [100, 10, 1])
    number = wanted(label, 4.0)
    assert number[0] == 1
    assert number[100] == number[110] == 12
    assert wanted(np.zeros(7, np.int64), 3.0).tolist() == [3] * 7


def test_copies_are_of_training_objects_alone_and_weigh_as_they_do(small: Small, tmp_path: Path) -> None:
    base, _ = training_table(small.labelled, SEED, tmp_path, n_jobs=1)
    both, file = copied_table(small.labelled, Copying(0.7), SEED, tmp_path, n_jobs=1)
    assert both.slice(0, len(base)).to_pandas().equals(base.to_pandas())
    copied = both.slice(len(base))
    assert len(copied) > 100
    assert set(copied["split"].to_pylist()) == {"train"}
    parents = dict(
        zip(
            base["object_id"].to_pylist(),
            zip(base["split"].to_pylist(), base["class_id"].to_pylist(), strict=True),
            strict=True,
        )
    )
    for object_id, class_id in zip(copied["object_id"].to_pylist(), copied["class_id"].to_pylist(), strict=True):
        assert parents[object_id] == ("train", class_id)
    _, row = np.unique(copied["object_id"].to_numpy(), return_inverse=True)
    assert np.bincount(row, weights=copied["weight"].to_numpy()) == pytest.approx(1)
    again, _ = copied_table(small.labelled, Copying(0.7), SEED, tmp_path, n_jobs=1)
    assert pq.read_table(file).to_pandas().equals(again.to_pandas())


def test_a_bundle_with_copies_says_so_and_its_table_is_found(small: Small, tmp_path: Path) -> None:
    made = train(
        small.labelled, out=tmp_path / "bundle", store=tmp_path / "store", seed=SEED, copying=Copying(0.7), n_jobs=1
    )
    from models.bundle import open_bundle

    manifest, _ = open_bundle(made.path)
    assert manifest["training"]["copies"] == {
        "mean": 0.7,
        "donors": small.labelled.source,
        "donors_fingerprint": small.labelled.fingerprint,
    }
    table = base_table(manifest, tmp_path / "store")
    assert len(table) == manifest["training"]["n_snapshots"]
    (tmp_path / "store" / "training" / f"{manifest['training']['table']}.parquet").unlink()
    with pytest.raises(LookupError, match="train it again"):
        base_table(manifest, tmp_path / "store")  # only a part of the installed set: it cannot be made again
    assert plasticc.load().source == small.labelled.source
