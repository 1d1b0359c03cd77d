"""The loop of labels: answers in Kafka → retrain → gate → registry alias → rollback, with the real ones of each.

The bundle is small: four classes in a few of the catalogue's features, a fifth that production has not learnt.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from active_learning import labels
from active_learning.retrain import MIN_RANDOM_LABELS, Retrained, retrain
from broker.kafka.message_log import labels_log
from broker.settings import Settings
from features.catalogue import NAMES
from models.registry.versions import CANDIDATE, PREVIOUS, PRODUCTION, Registry
from models.scoring.scorer import Scorer
from models.training import train
from models.training.snapshots import SPLITS, split_of
from models.training.training_rows import KEYS

pytestmark = pytest.mark.services

KNOWN, KILONOVA = (2222, 2224, 2332, 2325), 2232
CENTRE = {2222: (0, 0), 2224: (3, 0), 2332: (0, 3), 2325: (3, 3), KILONOVA: (9, -6)}
ALERTS = 3


def features_of(class_ids: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Rows of the feature matrix: two features tell the classes, the others are noise or missing."""
    values = generator.normal(size=(len(class_ids), len(NAMES)))
    values[:, 4:6] = np.array([CENTRE[int(c)] for c in class_ids]) + generator.normal(0, 0.9, (len(class_ids), 2))
    values[:, 8:] = np.where(generator.random((len(class_ids), len(NAMES) - 8)) < 0.2, np.nan, values[:, 8:])
    values[:, NAMES.index("n_detections")] = np.tile(np.arange(2, 2 + ALERTS), len(class_ids) // ALERTS)
    return values


def training_table(seed: int = 1) -> pa.Table:
    """150 objects of each known class and 40 kilonovae, three alerts each."""
    generator = np.random.default_rng(seed)
    class_id = np.repeat([*np.repeat(KNOWN, 150), *[KILONOVA] * 40], ALERTS)
    object_id = np.repeat(np.arange(1, len(class_id) // ALERTS + 1), ALERTS)
    columns: dict[str, Any] = {
        "object_id": object_id,
        "alert_id": np.arange(len(object_id)),
        "alert_mjd": np.full(len(object_id), 60_000.0),
        "class_id": class_id,
        "weight": np.full(len(object_id), 1 / ALERTS),
        "stream_weight": np.full(len(object_id), 1 / ALERTS),
        "split": np.asarray(SPLITS)[split_of(object_id, seed)],
        "detections": np.tile(np.arange(2, 2 + ALERTS), len(object_id) // ALERTS),
        "is_last": np.arange(len(object_id)) % ALERTS == ALERTS - 1,
        **dict.fromkeys(("host_photoz", "host_photoz_err"), np.full(len(object_id), np.nan)),
    }
    values = features_of(class_id, generator)
    keys = {name: pa.array(columns[name], kind) for name, kind in KEYS.items()}
    return pa.table({**keys, **{name: pa.array(values[:, j]) for j, name in enumerate(NAMES)}})


@dataclass
class Loop:
    """One broker's home: registry, archive, topics of its own."""

    settings: Settings
    registry: Registry
    archive: Path

    def stream(self, object_ids: list[int], classes: list[int], seed: int = 5) -> None:
        """Classified alerts of these objects in the archive, each file as the stream's tasks write them."""
        ids, class_id = np.repeat(object_ids, ALERTS), np.repeat(classes, ALERTS)
        values = features_of(class_id, np.random.default_rng(seed)).astype(np.float32)
        table = pa.table(
            {
                "object_id": pa.array(ids, pa.int64()),
                "alert_id": pa.array(ids * 10 + np.tile(np.arange(ALERTS), len(object_ids)), pa.int64()),
                "alert_mjd": pa.array(61_000.0 + np.tile(np.arange(ALERTS), len(object_ids))),
                "features": pa.array(values.tolist(), pa.list_(pa.float32())),
                "model_sha256": pa.array(["ab" * 32] * len(ids)),
            }
        )
        for number, night in enumerate(("2025-11-21", "2025-11-22")):  # the second file: a replay under another name
            folder = self.archive / f"night={night}"
            folder.mkdir(parents=True, exist_ok=True)
            pq.write_table(table, folder / f"task-{number}-{len(list(folder.iterdir()))}.parquet")

    def answer(self, object_ids: list[int], classes: list[int], reason: str = "uncertain") -> list[dict[str, Any]]:
        """Labels of these objects, stored in Kafka."""
        records = []
        for object_id, class_id in zip(object_ids, classes, strict=True):
            request = {
                "object_id": object_id,
                "object_name": str(object_id),
                "request_id": f"request-{object_id}",
                "reason": reason,
                "propensity": 0.1,
                "alert_id": object_id * 10,
                "input_topic": "alerts",
                "input_partition": 0,
                "input_offset": object_id,
                "model_sha256": "ab" * 32,
            }
            records.append(labels.label_of(request, class_id, "ada", 1_790_000_000_000 + object_id))
        with labels_log(self.settings) as log:
            log.append(records)
        return records

    def retrain(self) -> Retrained:
        return retrain(labels_log(self.settings), registry=self.registry, archive=self.archive, n_jobs=1)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, pa.Table]:
    """A trained bundle that knows no kilonovae, and its table."""
    folder = tmp_path_factory.mktemp("base") / "bundle"
    table = training_table()
    sources = {"sources": ["toy"], "fingerprint": "toy", "table": "toy"}
    train.fit_bundle(table, out=folder, left_out=[KILONOVA], seed=1, sources=sources, n_jobs=1)
    return folder, table


@pytest.fixture
def loop(services: Settings, base: tuple[Path, pa.Table], tmp_path: Path) -> Loop:
    settings = Settings(
        home=tmp_path,
        kafka_bootstrap_servers=services.bootstrap_servers(),
        redis_url=services.redis_address(),
        topic_prefix=f"loop-{uuid4().hex[:8]}",
    )
    registry = Registry(settings.registry_address(), tmp_path / "models")
    registry.register(base[0], {}, {})
    (registry.store / "training").mkdir(parents=True)
    pq.write_table(base[1], registry.store / "training" / "toy.parquet")
    return Loop(settings, registry, tmp_path / "archive")


def test_labels_teach_a_new_class_the_alias_moves_and_moves_back(loop: Loop) -> None:
    first = loop.registry.model(PRODUCTION)
    new_ids, old_ids = list(range(10_001, 10_031)), list(range(20_001, 20_031))
    classes = [KILONOVA] * 30 + [KNOWN[i % 4] for i in range(30)]
    loop.stream(new_ids + old_ids, classes)
    given = loop.answer(new_ids + old_ids, classes)
    conflict = loop.answer(new_ids[:1], [2222])[0] | {"labeller": "grace", "label_id": uuid4().hex}
    with labels_log(loop.settings) as log:
        log.append([labels.undo_of(given[0], "ada", 1_800_000_000_000), conflict])

    retrained = loop.retrain()

    assert retrained.verdict.accepted, retrained.verdict.why
    assert retrained.newly_known == [KILONOVA]
    assert retrained.by_class[2222] + retrained.by_class[KILONOVA] >= 29
    assert {name for name, model in _aliases(loop).items() if model == retrained.model.sha256} == {PRODUCTION}
    assert _aliases(loop)[PREVIOUS] == first.sha256
    scorer = Scorer.load(retrained.model.path, retrained.model.sha256)
    assert KILONOVA in scorer.class_ids
    values = features_of(np.repeat([KILONOVA], 3 * ALERTS), np.random.default_rng(99))
    p = scorer.evaluate(values, np.full(len(values), 3))[0]
    assert (p.argmax(axis=1) == list(scorer.class_ids).index(KILONOVA)).mean() > 0.8
    evidence = scorer.manifest["training"]["labels"]
    assert evidence["topic"] == f"{loop.settings.topic_prefix}.labels"
    assert evidence["ends"] == {"0": 63}
    assert given[1]["label_id"] in evidence["label_ids"]
    assert given[0]["label_id"] not in evidence["label_ids"]
    assert scorer.manifest["training"]["parent"] == first.sha256
    assert retrained.verdict.figures["macro_f1"].old > 0.5

    assert loop.registry.rollback().sha256 == first.sha256
    assert _aliases(loop) == {PRODUCTION: first.sha256, PREVIOUS: retrained.model.sha256}
    loop.registry.promote(retrained.model.version)
    with pytest.raises(LookupError, match="trained with these same labels"):
        loop.retrain()


def test_wrong_labels_do_not_pass_the_gate(loop: Loop) -> None:
    """200 labels that call every class by the next one's name."""
    first = loop.registry.model(PRODUCTION)
    ids = list(range(30_001, 30_201))
    truth = [KNOWN[i % 4] for i in range(200)]
    loop.stream(ids, truth)
    loop.answer(ids, [KNOWN[(i + 1) % 4] for i in range(200)])
    retrained = loop.retrain()
    assert not retrained.verdict.accepted
    assert "grows from" in retrained.verdict.why
    assert _aliases(loop) == {PRODUCTION: first.sha256, CANDIDATE: retrained.model.sha256}
    assert retrained.verdict.figures["log_loss_flat"].low > 0


def test_too_few_labels_of_a_class_wait_and_the_command_says_so(loop: Loop) -> None:
    ids = [40_001, 40_002, 40_003, 40_004]
    loop.stream(ids[:3], [KILONOVA, KILONOVA, 2222])
    loop.answer(ids, [KILONOVA, KILONOVA, 2222, 2224])
    environment = {
        **os.environ,
        "GUESTSTAR_HOME": str(loop.settings.home),
        "GUESTSTAR_TOPIC_PREFIX": loop.settings.topic_prefix,
        "GUESTSTAR_KAFKA_BOOTSTRAP_SERVERS": loop.settings.bootstrap_servers(),
    }
    command = [sys.executable, "-m", "broker.cli", "retrain", "--json"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["labels"] == 4
    assert report["waiting"] == {"KN": 2}
    assert report["newly_known"] == []
    assert report["accepted"] in (True, False)
    assert set(report["figures"]) == {"log_loss_flat", "macro_f1"}
    assert any(note.startswith("1 labelled objects have no usable alert") for note in report["notes"])
    assert any(f"which takes {MIN_RANDOM_LABELS}" in note for note in report["notes"])


def test_nothing_to_learn_from_says_what_to_do(loop: Loop) -> None:
    with pytest.raises(LookupError, match="gueststar label"):
        loop.retrain()
    loop.answer([50_001], [2222])
    with pytest.raises(LookupError, match="gueststar run"):
        loop.retrain()


def _aliases(loop: Loop) -> dict[str, str]:
    return {alias: model.sha256 for model in loop.registry.models() for alias in model.aliases}
