"""Vectors of objects for the ranking by interest: from a message's own features, else from the archive."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from broker.operate import object_vectors
from broker.operate.object_vectors import ObjectVectors
from broker.settings import Settings
from features.catalogue import NAMES
from models.registry import shipped
from models.scoring.scorer import Scorer
from schemas.night import date_of


def features(seed: int) -> list[float]:
    row = np.random.default_rng(seed).normal(size=len(NAMES))
    row[NAMES.index("n_detections")] = 5
    return row.astype(np.float32).tolist()


def message(alert_id: int, **fields: Any) -> dict[str, Any]:
    return {"alert_id": alert_id, "object_id": alert_id, "alert_mjd": 61_098.9} | fields


def archived(settings: Settings, rows: dict[int, list[float]]) -> None:
    folder = settings.home / "archive" / f"night={date_of(61_098)}"
    folder.mkdir(parents=True, exist_ok=True)
    table = pa.table(
        {"alert_id": pa.array(rows, pa.int64()), "features": pa.array(rows.values(), pa.list_(pa.float32()))}
    )
    pq.write_table(table, folder / f"task{len(list(folder.iterdir()))}.parquet")


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    settings = Settings(home=tmp_path_factory.mktemp("vectors"))
    settings.registry().register(shipped.folder(), {}, {})
    return settings


def test_message_and_archive_give_the_vectors_of_the_production_model(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    archived(settings, {2: features(2), 3: [1.0, 2.0]})
    vectors_of = ObjectVectors(settings)
    rows = vectors_of([message(1, features=features(1)), message(2), message(3), message(4, alert_mjd=np.nan)])
    scorer = Scorer.load(shipped.folder())
    near = scorer.object_vectors(np.array([features(1), features(2)], np.float32), np.array([5, 5])).near
    assert rows[:2] == pytest.approx(near)
    assert np.isnan(rows[2:]).all(), "features of another catalogue, and no place in the archive"
    archived(settings, {5: features(5)})
    assert np.isfinite(vectors_of([message(5)])).all()
    assert np.isnan(vectors_of([message(6)])).all()
    archived(settings, {6: features(6)})
    assert np.isnan(vectors_of([message(6)])).all(), "not asked again at once"
    monkeypatch.setattr(object_vectors, "ASKED_AGAIN_S", 0.0)
    assert np.isfinite(vectors_of([message(6)])).all()
    assert (vectors_of([message(2)])[0] == rows[1]).all(), "the same to the bit"
    assert vectors_of([]).shape[0] == 0


def test_without_a_model_in_production_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(LookupError, match="production"):
        ObjectVectors(Settings(home=tmp_path))([message(1, features=features(1))])
