"""A bundle from data to figures: what is learnt, what stays unknown, what is kept, what is reproducible."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from features.catalogue import NAMES
from models.bundle import open_bundle
from models.scoring.scorer import Scorer
from models.training import snapshots
from models.training.measures import DRAWS, held_out_metrics
from models.training.train import MIN_OBJECTS, fit_bundle
from models.training.training_rows import TrainingRows, training_table, with_labelled
from tests.unit.models.small_bundle import LEFT_OUT, SEED, Small

MIRA = 2326


def test_the_manifest_says_what_is_known_and_what_is_not(small: Small) -> None:
    manifest, sha256 = open_bundle(small.trained.path)
    assert sha256 == small.trained.sha256
    assert manifest["left_out"] == [LEFT_OUT]
    assert manifest["too_few"] == [MIRA]
    assert set(manifest["classes"]).isdisjoint({LEFT_OUT, MIRA})
    assert manifest["feature_names"] == list(NAMES)
    assert manifest["training"]["n_objects"] == len(small.labelled)
    assert sum(manifest["prior"].values()) == pytest.approx(1)
    assert json.loads(json.dumps(manifest["metrics"])) == small.trained.metrics


def test_it_has_learnt_something(small: Small) -> None:
    metrics, k = small.trained.metrics, len(open_bundle(small.trained.path)[0]["classes"])
    assert metrics["log_loss_flat_last"] < 0.8 * np.log(k)
    assert metrics["macro_f1_last"] > 2 / k
    assert 0 <= metrics["ece"] < 0.3
    assert 0 <= metrics["novelty_auroc"] <= 1


def test_features_are_kept_and_not_computed_again(small: Small) -> None:
    def refuse(stage: str, done: int, of: int) -> None:
        pytest.fail(f"{stage} was computed again")

    table, file = training_table(small.labelled, SEED, small.store / "training", progress=refuse)
    assert file.parent == small.store / "training"
    assert table.to_pandas().equals(small.table.to_pandas())
    assert not set(table.column_names) & {"redshift", "hostgal_photoz", "ddf_bool"}


def test_the_same_table_and_seed_give_the_same_bytes(small: Small, tmp_path: Path) -> None:
    training = open_bundle(small.trained.path)[0]["training"]
    sources = {name: training[name] for name in ("sources", "fingerprint", "table")}
    again = fit_bundle(
        small.table, out=tmp_path / "again", left_out=[LEFT_OUT], seed=SEED, sources=sources, draws=DRAWS, n_jobs=1
    )
    assert again.sha256 == small.trained.sha256
    rows = TrainingRows.of(small.table, NAMES)
    scorers = [Scorer.load(path) for path in (again.path, small.trained.path)]
    scores = [scorer.of_light_curve.classifier.raw_scores(rows.features) for scorer in scorers]
    assert np.array_equal(*scores)


def test_a_left_out_class_becomes_known_by_labels(small: Small, tmp_path: Path) -> None:
    rows = np.flatnonzero(small.table["class_id"].to_numpy() == LEFT_OUT)
    labelled = small.table.take(rows).select(["object_id", "class_id", *NAMES])
    grown = with_labelled(small.table, labelled)
    assert len(grown) == len(small.table)
    objects = np.unique(labelled["object_id"].to_numpy())
    assert len(objects) >= MIN_OBJECTS
    taken = TrainingRows.of(grown, NAMES)
    mine = np.isin(taken.object_id, objects)
    assert set(taken.split[mine]) == {"train"}
    assert taken.weight[mine].sum() == pytest.approx(len(objects))
    fusion = Scorer.load(small.trained.path).novelty.fusion
    given = replace(fusion, weight=2 * fusion.weight)
    trained = fit_bundle(grown, out=tmp_path / "grown", seed=SEED, fusion=given, n_jobs=1)
    assert LEFT_OUT in open_bundle(trained.path)[0]["classes"]
    np.testing.assert_array_equal(Scorer.load(trained.path).novelty.fusion.weight, given.weight)


def test_too_few_classes_are_explained(small: Small, tmp_path: Path) -> None:
    one = small.table.filter(pa.array(small.table["class_id"].to_numpy() == 2222))
    with pytest.raises(ValueError, match=rf"two classes of {MIN_OBJECTS} training objects.*leave out fewer"):
        fit_bundle(one, out=tmp_path / "one")
    with pytest.raises(ValueError, match="it lacks"):
        TrainingRows.of(one.drop_columns(["class_id"]), NAMES)


def test_held_out_objects_are_those_of_the_seeds_split(small: Small) -> None:
    held = snapshots.held_out(small.labelled, SEED)
    rows = TrainingRows.of(small.table, NAMES)
    assert set(rows.object_id[rows.split == "test"]) == set(small.labelled.light_curves.object_id[held])


def test_metrics_without_held_out_objects_are_none(small: Small) -> None:
    rows = TrainingRows.of(small.table, NAMES)
    assert held_out_metrics(Scorer.load(small.trained.path), rows.select(np.zeros(len(rows), bool)), rows) == {}


def test_a_folder_of_other_files_is_not_overwritten(small: Small, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(ValueError, match="other files"):
        fit_bundle(small.table, out=tmp_path, left_out=[LEFT_OUT], seed=SEED, n_jobs=1)
    assert (tmp_path / "thesis.txt").read_text() == "precious"
