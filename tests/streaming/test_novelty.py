"""The nightly selection from archive and labels to Kafka, with real objects' features, and the commands about it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from active_learning import labels, nulls
from active_learning.nulls import LabelledObjects
from broker.commands.labels import labels as labels_command
from broker.commands.listen import listen
from broker.commands.novelty import novelty
from broker.kafka.message_log import labels_log, novel_log, selections_log
from broker.operate.null_sets import folder, measured
from broker.settings import Settings
from broker.stream.nightly import NightlySelection, ended_night
from features.catalogue import NAMES
from models.datasets import plasticc
from models.training.snapshots import held_out
from schemas.night import UNIX_EPOCH_MJD, date_of
from tests.waiting import wait_for

pytestmark = pytest.mark.services

NIGHT = 61_100
N_NULLS, N_STREAM, N_NEW = 520, 500, 40
NEW_ID = 7_000_000_000_000_000_000
"""The first id of the objects of a made-up class: 64 bits long."""


@pytest.fixture(scope="module")
def objects() -> LabelledObjects:
    """Held-out objects of known classes, as the shipped model's training did not see them."""
    labelled = plasticc.load()
    rows = np.random.default_rng(5).permutation(np.flatnonzero(held_out(labelled, 1)))[: N_NULLS + N_STREAM]
    return measured(labelled.select(rows))


@pytest.fixture(scope="module")
def sky(services: Settings, tmp_path_factory: pytest.TempPathFactory, objects: LabelledObjects) -> Iterator[Settings]:
    """A home with an archive: known objects, and 40 alike ones that are half one class, half another."""
    settings = Settings(
        home=tmp_path_factory.mktemp("sky"),
        kafka_bootstrap_servers=services.bootstrap_servers(),
        redis_url=services.redis_address(),
        topic_prefix=f"test-{uuid4().hex[:10]}",
    )
    rng = np.random.default_rng(6)
    base = np.where(np.arange(len(NAMES)) % 2, objects.features[0], objects.features[N_NULLS + 1])
    spread = np.nan_to_num(objects.features).std(axis=0)
    new = base + 0.05 * spread * rng.normal(size=(N_NEW, len(NAMES)))
    write_night(settings, NIGHT - 1, objects.object_id[N_NULLS:], objects.features[N_NULLS:])
    write_night(settings, NIGHT, NEW_ID + np.arange(N_NEW), new.astype(np.float32))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in settings.variables().items():
            patch.setenv(name, value)
        yield settings


def write_night(settings: Settings, night: int, object_id: np.ndarray, features: np.ndarray) -> None:
    """A file of the archive with one alert of each object."""
    n = len(object_id)
    columns = {
        "object_id": pa.array(object_id, pa.int64()),
        "object_name": [str(one) for one in object_id],
        "survey": ["LSST"] * n,
        "alert_id": pa.array(object_id + 1, pa.int64()),
        "alert_mjd": np.full(n, night + 1.2),
        "input_topic": ["alerts"] * n,
        "input_partition": pa.array(np.zeros(n), pa.int32()),
        "input_offset": pa.array(np.arange(n), pa.int64()),
        "ra_deg": np.linspace(0, 350, n),
        "dec_deg": np.linspace(-60, 5, n),
        "class_id": pa.array(np.full(n, 2222), pa.int32()),
        "class_ids": pa.array([[2222, 2224]] * n, pa.list_(pa.int32())),
        "p_survey": pa.array([[0.75, 0.25]] * n, pa.list_(pa.float32())),
        "not_classified_reason": [""] * n,
        "model_sha256": ["ab" * 32] * n,
        "host_photoz": pa.nulls(n, pa.float32()),
        "host_photoz_err": pa.nulls(n, pa.float32()),
        "features": pa.array(list(features), pa.list_(pa.float32())),
    }
    file = settings.home / "archive" / f"night={date_of(night)}" / f"task-{night}.parquet"
    file.parent.mkdir(parents=True)
    pq.write_table(pa.table(columns), file)


def ran(command: object, *arguments: str) -> Result:
    result = CliRunner().invoke(command, arguments, catch_exceptions=False)  # type: ignore[arg-type]
    assert result.exit_code == 0, result.output
    return result


def is_new(record: dict[str, Any]) -> bool:
    """Whether a message in JSON is of an object of the made-up class."""
    return NEW_ID <= int(record["object_id"]) < NEW_ID + N_NEW


def test_the_story_of_a_selection(sky: Settings, objects: LabelledObjects) -> None:
    """Uncontrolled without nulls, controlled with them, nothing twice, listed, explained, heard by a subscriber."""
    assert "no night's selection yet" in ran(novelty, "show").stdout

    first = json.loads(ran(novelty, "select", "--json").stdout)
    assert (first["controlled"], first["control"], first["n_nulls"]) == (False, "uncontrolled", 0)
    assert 0 < first["selected"] <= 20
    assert set(first["q"]) == {None}

    nulls.keep(folder(sky), "catalogue", objects.select(np.arange(len(objects)) < N_NULLS))
    tried = json.loads(ran(novelty, "select", "--dry-run", "--json").stdout)
    second = json.loads(ran(novelty, "select", "--json").stdout)
    assert [one["object_id"] for one in tried["objects"]] == [one["object_id"] for one in second["objects"]]
    assert (second["controlled"], second["n_nulls"], second["n_objects"]) == (True, N_NULLS, N_STREAM + N_NEW)
    truly_new = [is_new(one) for one in second["objects"]]
    assert sum(truly_new) >= 0.8 * N_NEW
    assert np.mean(truly_new) >= 0.8
    assert max(second["q"]) <= 0.1
    members = [one["group"] for one in second["objects"] if is_new(one)]
    assert max(members.count(group) for group in set(members)) >= 0.8 * len(members)  # one discovery

    again = json.loads(ran(novelty, "select", "--json").stdout)
    assert again["selected"] == 0
    assert again["selected_in_window"] == second["selected"]

    shown = json.loads(ran(novelty, "show", "--json").stdout)
    assert len(shown["nights"]) == 3
    assert shown["selected"] == first["selected"] + second["selected"]
    name = second["objects"][0]["object_name"]
    text = ran(novelty, "explain", name).stdout
    assert "q-value" in text
    assert "(controlled)" in text
    explained = json.loads(ran(novelty, "explain", name, "--json").stdout)
    assert explained["driver_features"]
    assert all(isinstance(one, str) for one in explained["nearest_novel_object_ids"])
    heard = ran(listen, "novel", "--start-at", "earliest", "--no-wait").stdout.splitlines()
    assert len(heard) == shown["selected"]
    assert sum("not controlled" in line for line in heard) == first["selected"]


def test_what_was_labelled_is_tested_no_more(sky: Settings, tmp_path: Path) -> None:
    table = tmp_path / "labels.csv"
    table.write_text("object,class\n" + "".join(f"{NEW_ID + k},KN\n" for k in range(N_NEW)))
    imported = json.loads(ran(labels_command, "import", str(table), "--source", "TNS", "--json").stdout)
    assert imported["imported"] == N_NEW
    with labels_log(sky) as log:
        assert len(labels.answers(stored.record for stored in log.read())) == N_NEW
    night = json.loads(ran(novelty, "select", "--json").stdout)
    assert night["n_objects"] == N_STREAM
    assert night["n_nulls"] == N_NULLS + N_NEW  # kilonovae are a class that the model knows


def test_the_job_selects_each_night_once(sky: Settings) -> None:
    evening_after_ms = (NIGHT + 1.8 - UNIX_EPOCH_MJD) * 86_400_000
    with selections_log(sky) as log:
        n_before = len(log.read())
    assert ended_night(sky, evening_after_ms) is None  # its selection was made above
    assert ended_night(sky, evening_after_ms + 5 * 86_400_000) is None  # a night without alerts
    assert ended_night(sky, evening_after_ms - 86_400_000) == NIGHT - 1
    with NightlySelection(sky, clock_ms=lambda: evening_after_ms - 86_400_000), selections_log(sky) as log:
        wait_for(lambda: len(log.read()) > n_before, 180, "the selection of a night that ended")
        assert log.read()[-1].record["night"] == NIGHT - 1
    with novel_log(sky) as log:
        ids = [(stored.record["object_id"], stored.record["control"]) for stored in log.read()]
    assert len(ids) == len(set(ids))


def test_sets_of_nulls(sky: Settings, tmp_path: Path) -> None:
    assert json.loads(ran(novelty, "nulls", "list", "--json").stdout)["sets"] == {"catalogue": N_NULLS}
    with pytest.raises(LookupError, match=r"no set 'other'; there are catalogue"):
        ran(novelty, "nulls", "remove", "other")
    ran(novelty, "nulls", "remove", "catalogue")
    assert "no sets" in ran(novelty, "nulls", "list").stdout
    table = tmp_path / "mine.csv"
    rows = [f"a{k},{61_000 + 3 * k},r,{1000 * (k + 1)},50,SN Ia" for k in range(12)]
    table.write_text("object,time_mjd,band,flux_njy,flux_err_njy,class\n" + "\n".join(rows))
    added = json.loads(ran(novelty, "nulls", "add", str(table), "--json").stdout)
    assert added == {"name": "mine", "objects": 12}
