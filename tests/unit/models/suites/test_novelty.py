"""The novelty suite: what it says of streams that were made by hand, and a small run from features to the report."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from broker.report.test_report import novelty_figures, novelty_page
from features.catalogue import NAMES
from models.datasets.sources import load
from models.discovery.objects import Blocks
from models.suites import novelty, novelty_base, novelty_peers, novelty_rows, novelty_streams
from models.suites.novelty_sky import HiddenSet, Sky, judged, last_rows
from models.suites.novelty_streams import Size, ask
from models.training.training_rows import TrainingRows

SMALL = Size(stream=300, splits=2, few=1, most_novel=80, nights=2, queries=10)
PROMISED = """auroc_static recall_at_1_static auroc recall_at_1 power_fdr05 fdr_at_05 power_fdr10 fdr_at_10
power_oracle_fdr10 any_without_novelty_fdr10 fdr_in_sequence_10 found_in_100_queries us_per_alert us_per_object
auroc_kn auroc_isolation_forest auroc_mcif auroc_entropy auroc_mahalanobis"""

CLASSES, HIDDEN = (2222, 2224, 2325, 2332), 2232


def made(seed: int = 0, n: int = 220, novel: int = 70, alerts: int = 2) -> HiddenSet:
    """Known classes in four places, a hidden one in a fifth; the alerts of an object lie close together."""
    rng = np.random.default_rng(seed)
    class_id = np.concatenate([np.repeat(CLASSES, n), np.full(novel, HIDDEN)])
    centre = {c: rng.normal(0, 2.5, 8) for c in (*CLASSES, HIDDEN)}
    objects = np.array([centre[c] for c in class_id]) + rng.normal(size=(len(class_id), 8))
    row = np.repeat(np.arange(len(class_id)), alerts)
    vectors = (objects[row] + 0.2 * rng.normal(size=(len(row), 8))).astype(np.float32)
    is_hidden = class_id[row] == HIDDEN
    return HiddenSet(
        name="KN",
        object_id=row,
        class_id=class_id[row],
        is_hidden=is_hidden,
        is_last=np.tile(np.arange(alerts) == alerts - 1, len(class_id)),
        detections=np.tile(np.arange(alerts) * 9 + 1, len(class_id)),
        vectors=vectors,
        blocks=Blocks(),
        static=vectors[:, 0].astype(float),
        oracle=is_hidden + 0.01 * rng.random(len(row)),
        peers={},
        brightness=vectors[:, 1].astype(float),
    )


def test_the_questions_have_the_answers_that_the_streams_were_made_for() -> None:
    out = ask(made(), None, SMALL, seed=3)
    mean = {name: float(np.mean(values)) for name, values in out.figures.items()}
    assert mean["power_oracle_fdr10"] == 1.0
    assert mean["auroc_10_percent"] > 0.9 > mean["auroc_static"]
    assert mean["power_fdr10_10_percent"] >= mean["power_fdr10_2_percent"]
    assert mean["found_in_100_queries"] >= mean["found_in_100_without_answers"] - 1
    assert mean["fdr_at_10_foreign_nulls"] > 0.3  # the failure is shown
    assert len(out.figures["auroc"]) == SMALL.splits
    wanted = {"fdr_in_sequence_10", "any_without_novelty_fdr10", "power_strict_fdr10", "recall_at_1_static",
              "power_adadetect_trees_fdr10", "auroc_1_detections", "power_fdr10_3_labels"}  # fmt: skip
    assert wanted <= set(mean)
    again = ask(made(), None, SMALL, seed=3)
    assert again.figures == out.figures


def test_streams_hold_what_was_asked_for() -> None:
    hidden = made()
    sky = Sky(hidden, last_rows(hidden, 50, np.random.default_rng(1)))
    draw = sky.draw(300, 20, np.random.default_rng(1))
    assert sky.is_novel[draw.stream].sum() == 20
    assert len(draw.stream) == 300
    assert not sky.is_novel[draw.nulls].any()
    assert not len(np.intersect1d(draw.nulls, draw.stream))
    assert len(draw.nulls) == 4 * 220 - 280


def test_figures_of_a_stream_are_counts() -> None:
    score = np.concatenate([np.arange(99.0), [98.5, 98.2, 50.0, 200.0]])
    values = judged(score, 99, np.array([True, False, False, True]), "mine")
    assert values["recall_at_1_mine"] == 1.0
    assert values["power_mine_fdr05"] == 1.0
    assert values["fdr_mine_at_05"] == pytest.approx(1 / 3)


def test_a_reviewer_is_soon_asked_about_what_is_alike() -> None:
    rng = np.random.default_rng(4)
    space = np.concatenate([rng.normal(0, 0.3, (50, 3)), rng.normal(9, 0.3, (50, 3))]).astype(np.float32)
    is_novel = np.arange(100) >= 50
    asked = novelty_streams._asked(rng.random(100), space, is_novel, 60)
    assert len(set(asked.tolist())) == 60
    assert is_novel[asked].sum() >= 48


def test_forests_find_what_is_far() -> None:
    rng = np.random.default_rng(5)
    learnt, shown = rng.normal(size=(300, 4)), np.concatenate([rng.normal(size=(20, 4)), rng.normal(12, 1, (20, 4))])
    for score in (
        novelty_peers.isolation_forest(learnt, shown, 0),
        novelty_peers.multi_class_forest(learnt, np.arange(300) % 2, shown, 0),
    ):
        assert score[20:].min() > score[:20].max()


def rows_of_classes(rng: np.random.Generator, n: int) -> TrainingRows:
    class_id = np.repeat([2222, 2224, HIDDEN], 2 * n)
    features = rng.normal(size=(len(class_id), len(NAMES)))
    features[:, :6] += 4 * rng.normal(size=(3, 6))[np.searchsorted(np.unique(class_id), class_id)]
    object_id = np.repeat(np.arange(len(class_id) // 2), 2) * 1_000_003
    features = features.round(1)  # few distinct values: the trees sort them faster
    nothing = np.full(len(class_id), np.nan)
    return TrainingRows(
        features, class_id, object_id, np.full(len(class_id), 0.5), np.full(len(class_id), 0.5),
        np.tile([2, 8], len(class_id) // 2), np.tile([False, True], len(class_id) // 2),
        np.full(len(class_id), "train"), nothing, nothing,
    )  # fmt: skip


def test_a_small_run_from_features_to_the_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.scoring.network.LEAST_STEPS", 60)  # these classes are easy to tell apart
    rows = rows_of_classes(np.random.default_rng(6), 50)
    labelled = load("plasticc").select(np.arange(3))
    size = Size(stream=60, splits=2, few=1, most_novel=20, nights=2, queries=5)
    outcome = novelty.of_rows(labelled, rows, seed=1, size=size, hide=[HIDDEN], n_jobs=1)
    metrics = outcome.to_json()["metrics"]
    for name in PROMISED.split():
        assert set(metrics[name]) == {"value", "low", "high"}
    assert metrics["auroc_oracle"]["value"] > 0.95
    assert metrics["us_per_alert"]["value"] > 0
    assert [text.get_text() for text in novelty_figures.classes(outcome).axes[0].get_yticklabels()] == ["kn"]
    page = novelty_page.write(outcome, tmp_path)
    assert page.read_text().count("data:image/png") == 4
    assert json.loads((tmp_path / "report.json").read_text())["metrics"] == metrics


def test_an_object_has_one_fold_and_few_alerts_to_learn_from() -> None:
    rows = rows_of_classes(np.random.default_rng(7), 20)
    fold = novelty_rows.folds(rows, 1, 3)
    assert (fold[::2] == fold[1::2]).all()
    assert set(fold) == {0, 1, 2}
    assert novelty_rows.learnt(rows, 1).all()
    assert novelty_base.hidden_sets(rows_of_classes(np.random.default_rng(7), 30)) == [(), (2222,), (2224,), (HIDDEN,)]
    with pytest.raises(ValueError, match="one of 30 objects or more"):
        novelty_base.hidden_sets(rows)
