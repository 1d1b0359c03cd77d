"""The model is adapted from an archive and labels: what counts, what is registered, what is left as it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from active_learning import adapt as adapting
from active_learning import stream_sample
from active_learning.logs import Stored
from features.catalogue import NAMES
from models.registry import shipped
from models.registry.versions import Registry
from models.scoring.scorer import Scorer
from schemas.passbands import SURVEYS

CLASSES = (2222, 2224)


class Labels:
    """Records as a log of labels has them."""

    topic = "labels"

    def __init__(self, records: list[dict[str, Any]]) -> None:
        self._records = records

    def read(self) -> list[Stored]:
        """All records."""
        return [Stored(0, offset, record) for offset, record in enumerate(self._records)]


def _label(object_id: int, class_id: int, reason: str = "random") -> dict[str, Any]:
    return {
        "label_id": f"{object_id:08d}", "object_id": object_id, "object_name": "", "class_id": class_id,
        "reason": reason, "action": "label", "undoes": "", "labeller": "somebody", "created_ms": object_id,
    }  # fmt: skip


def _archive(folder: Path, n: int, survey: str) -> None:
    """Two alerts of each object; brightness tells the class to whoever learns it here."""
    rng = np.random.default_rng(1)
    ids = np.repeat(np.arange(1, n + 1), 2)
    matrix = rng.normal(size=(2 * n, len(NAMES)))
    matrix[:, NAMES.index("n_detections")] = 8
    matrix[:, NAMES.index("max_snr")] = np.where(ids % 2 == 0, 60.0, 8.0) + rng.normal(size=2 * n)
    nothing = pa.nulls(2 * n, pa.float32())
    table = pa.table(
        {
            "object_id": ids, "alert_id": np.arange(2 * n) + 1, "alert_mjd": 60000.0 + ids + np.tile([0.0, 0.5], n),
            "survey": [survey] * (2 * n), "not_classified_reason": [""] * (2 * n),
            "features": pa.array(list(matrix.astype(np.float32)), pa.list_(pa.float32())),
            "host_photoz": nothing, "host_photoz_err": nothing,
        }
    )  # fmt: skip
    folder.mkdir(parents=True)
    pq.write_table(table, folder / "part.parquet")


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    registry = Registry(f"sqlite:///{tmp_path / 'runs.db'}", tmp_path / "models")
    registry.register(shipped.folder(), {}, {})
    return registry


def _labels(n: int, reason: str = "random") -> Labels:
    return Labels([_label(i, CLASSES[i % 2], reason) for i in range(1, n + 1)])


def test_random_labels_change_their_survey_and_go_into_production(registry: Registry, tmp_path: Path) -> None:
    _archive(tmp_path / "archive" / "night", 200, SURVEYS[1])
    dry = adapting.adapt(_labels(120), registry=registry, archive=tmp_path / "archive", dry_run=True)
    assert dry.model is None
    assert len(registry.models()) == 1
    result = adapting.adapt(_labels(120), registry=registry, archive=tmp_path / "archive")
    assert result.model is not None
    assert result.verdict is not None
    assert result.verdict.accepted
    assert result.model.aliases == ("production",)
    report = adapting.to_json(result)["surveys"][SURVEYS[1]]
    assert report["labelled_objects"] == 120
    assert report["unlabelled_objects"] == 80
    assert report["steps"][0]["figures"]["log_loss"] < report["before"]["log_loss"]
    new = Scorer.load(result.model.path)
    assert list(new.adapted.heads) == [1]
    assert new.manifest["adaptation"]["labels"]["n_objects"] == 120
    assert new.manifest["adaptation"]["archive"]["n_unlabelled"] == 80
    again = adapting.adapt(_labels(120), registry=registry, archive=tmp_path / "archive")
    assert again.model is None
    assert again.notes == ["production was adapted to these labels already"]


def test_labels_of_objects_that_looked_novel_do_not_count(registry: Registry, tmp_path: Path) -> None:
    _archive(tmp_path / "archive" / "night", 60, SURVEYS[1])
    result = adapting.adapt(_labels(60, "novel"), registry=registry, archive=tmp_path / "archive")
    assert result.model is None
    assert result.by_survey[SURVEYS[1]].n_labelled == 0
    assert "needs 30" in result.by_survey[SURVEYS[1]].steps[0].why
    assert len(registry.models()) == 1


def test_without_an_archive_it_says_so(registry: Registry, tmp_path: Path) -> None:
    with pytest.raises(LookupError, match="no archive of classified alerts"):
        adapting.adapt(_labels(40), registry=registry, archive=tmp_path / "nothing")


def test_unlabelled_objects_are_each_at_their_last_alert(tmp_path: Path) -> None:
    _archive(tmp_path / "night", 20, SURVEYS[0])
    others = stream_sample.unlabelled(tmp_path, {1: 2222, 2: 2224}, seed=1)
    assert sorted(others.object_id.tolist()) == list(range(3, 21))
    np.testing.assert_allclose(others.alert_mjd, 60000.5 + others.object_id)
    assert others.detections.tolist() == [8] * 18
