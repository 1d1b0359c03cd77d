"""The tables of recent scores: from the archive alone, of the model in production, without what was reviewed."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from broker.kafka.fetching import Messages
from broker.records import archive, score_tables
from broker.records.archived_scores import ROW, Rows
from broker.records.build import RowContext
from broker.settings import Settings
from broker.stream.recent_ranks import RecentRanks, table_of
from broker.stream.reviewed import Reviewed
from broker.stream.scoring import MessageScorer
from models.bundle import MANIFEST, sha256_of, store
from models.scoring.calibration import epoch_bin
from models.scoring.recent_scores import LABELLED, STREAM
from models.scoring.scorer import Scorer
from schemas.passbands import LSST, ZTF
from tests.streaming.sink_rows import alert_rows
from tests.streaming.small_models import twin, wire_messages


@pytest.fixture
def settings(small_bundle: Path, tmp_path: Path) -> Settings:
    """A home with a small model and a twin of it, and no Kafka."""
    for bundle in (small_bundle, twin(small_bundle, tmp_path / "twin")):
        store(bundle, tmp_path / "models")
    return Settings(home=tmp_path)


@pytest.fixture
def model(small_bundle: Path) -> str:
    return sha256_of(small_bundle / MANIFEST)


@pytest.fixture
def new(settings: Settings) -> str:
    return sha256_of(settings.home / "twin" / MANIFEST)


def add(settings: Settings, model: str, n: int, first: int = 0, **replaced: Any) -> np.ndarray:
    """Write ``n`` alerts of as many objects, each with 20 detections, to the archive; returns their scores."""
    number = np.arange(first, first + n)
    score = np.random.default_rng(first).normal(size=n).astype(np.float32)
    columns = {
        "object_id": 1_000 + number,
        "survey": ["ZTF"] * n,
        "n_detections": np.full(n, 20, np.int32),
        "novelty_score": score,
        "model_sha256": [model] * n,
        "alert_mjd": 61_000.1 + number * 1e-6,
    }
    rows = alert_rows(n, first=first, task=f"t{first}", **columns | replaced)
    archive.write(settings, pa.Table.from_batches([rows]))
    return score


def test_calibration_begins_with_enough_objects_and_goes_on_after_a_restart(settings: Settings, model: str) -> None:
    ranks = RecentRanks(settings)
    first = add(settings, model, 499)
    assert ranks.refresh(model).cells == {}
    assert score_tables.current(settings.home) == {}, "nothing to rank among, so no table"
    second = add(settings, model, 2, 499)
    table = ranks.refresh(model)
    np.testing.assert_array_equal(table.cells[ZTF, 4].scores, np.sort(np.concatenate([first, second])))
    assert table.cells[ZTF, 4].calibration == STREAM
    sha256 = score_tables.current(settings.home)[model]
    assert score_tables.read(settings.home, sha256).to_bytes() == table.to_bytes()
    ranks.refresh(model)
    assert score_tables.current(settings.home)[model] == sha256, "nothing is new"
    shutil.rmtree(settings.home / "novelty")
    assert RecentRanks(settings).refresh(model).to_bytes() == table.to_bytes(), "from the archive alone"
    assert score_tables.current(settings.home)[model] == sha256


def test_a_damaged_file_of_the_archive_costs_its_own_scores_alone(settings: Settings, model: str) -> None:
    add(settings, model, 100)
    (file,) = archive.folder(settings).rglob("*.parquet")
    file.write_bytes(file.read_bytes()[:-9])
    score = add(settings, model, 600, 100)
    np.testing.assert_array_equal(RecentRanks(settings).refresh(model).cells[ZTF, 4].scores, np.sort(score))


def test_a_new_model_ranks_among_its_own_scores_of_the_archives_alerts(
    settings: Settings, model: str, new: str, small_bundle: Path
) -> None:
    scorer = Scorer.load(small_bundle)
    wire = wire_messages(1_300)
    n = len(wire)
    messages = Messages(["alerts"] * n, [0] * n, list(range(n)), [1_700_000_000_000] * n, wire)
    rows = MessageScorer(scorer, RowContext(model, "t", 10**7)).rows(messages)
    archive.write(settings, pa.Table.from_batches([rows]))
    ranks = RecentRanks(settings)
    before = ranks.refresh(model)
    assert before.cells
    add(settings, "c0" * 32, 3, 5_000)  # of a model that is gone: whose features they are, nobody knows
    after = ranks.refresh(new)
    assert after.cells.keys() == before.cells.keys()
    for cell, ranked in after.cells.items():
        np.testing.assert_allclose(ranked.scores, before.cells[cell].scores, atol=0.05)
    assert (epoch_bin(rows["n_detections"].to_numpy()) == 4).sum() >= 500
    assert score_tables.current(settings.home).keys() == {model, new}


def scores(n: int, first: int = 0, survey: int = LSST) -> Rows:
    rows = np.zeros(n, ROW)
    rows["object_id"] = np.arange(first, first + n)
    rows["survey"], rows["epoch_bin"], rows["score"] = survey, 2, np.arange(first, first + n)
    return rows


def test_what_was_reviewed_as_novel_or_bogus_is_taken_out() -> None:
    rows = np.concatenate([scores(502), scores(520, 10_000, ZTF)])
    table = table_of("m", rows, Reviewed(strangers=frozenset([3, 4, *range(10_000, 10_021)])))
    assert table.cells.keys() == {(LSST, 2)}
    assert len(table.cells[LSST, 2].scores) == 500
    assert not np.isin([3.0, 4.0], table.cells[LSST, 2].scores).any()


@pytest.mark.parametrize("n_labelled", [499, 500])
def test_enough_labelled_objects_are_ranked_among_alone(n_labelled: int) -> None:
    of_labelled = Reviewed(fair_sample=frozenset(range(100, 100 + n_labelled)))
    ranked = table_of("m", scores(1_000), of_labelled).cells[LSST, 2]
    if n_labelled < 500:
        assert (ranked.calibration, len(ranked.scores)) == (STREAM, 1_000)
    else:
        assert (ranked.calibration, ranked.scores.tolist()) == (LABELLED, list(range(100, 600)))


def test_a_home_without_models_or_archive_has_no_table(settings: Settings, model: str, tmp_path: Path) -> None:
    assert RecentRanks(settings).refresh(model).cells == {}
    with pytest.raises(ValueError, match="a bundle is a folder"):
        RecentRanks(Settings(home=tmp_path / "empty")).refresh("ab" * 32)
