"""P-values in the stream: from the training's to ranks among the stream's own, the same when a batch is done again."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyspark.sql.streaming.datasource import ReadAllAvailable
from scipy.stats import percentileofscore

from active_learning import labels
from broker.kafka import topics
from broker.kafka.message_log import labels_log
from broker.records import score_tables
from broker.records.fields import arrow_schema
from broker.settings import Settings
from broker.stream import worker
from broker.stream.recent_ranks import RecentRanks, kept_up
from broker.stream.sink import GueststarWriter
from broker.stream.source import GueststarReader
from models.registry.versions import Registry
from models.scoring.recent_scores import STREAM, TRAINING
from tests.kafka_topics import Topic
from tests.streaming.sink_rows import routed
from tests.streaming.small_models import wire_messages
from tests.waiting import wait_for

pytestmark = pytest.mark.services

Offset = dict[str, Any]
ALL = ReadAllAvailable()
SECOND_PHASE = 13
"""Most of the made-up alerts have as many detections, or more."""


class Stream:
    """A topic, read as a job that is started anew for each batch."""

    def __init__(self, home: Path, alerts: Topic) -> None:
        self.home, self.alerts = home, alerts
        reader = GueststarReader(str(home), 2)
        self.at = reader.latestOffset(reader.initialOffset(), ALL)
        self.model = Registry("", home / "models").model("production").sha256

    def batch(self, n: int, seed: int) -> tuple[Offset, Offset, pa.Table]:
        """The offsets of a batch of n new alerts, and its rows, which the sink has."""
        self.alerts.produce(wire_messages(n, seed))
        start, self.at = self.at, GueststarReader(str(self.home), 2).latestOffset(self.at, ALL)
        rows = self.rows(start, self.at)
        to_all = (routed(batch, topics.classifications(Settings())) for batch in rows.to_batches())
        GueststarWriter(str(self.home)).write(to_all)
        return start, self.at, rows

    def rows(self, start: Offset, end: Offset) -> pa.Table:
        reader = GueststarReader(str(self.home), 2)
        batches = [batch for part in reader.partitions(start, end) for batch in reader.read(part)]
        return pa.Table.from_batches(batches, arrow_schema())

    def refresh(self) -> str:
        """Make the table of recent scores anew from the archive; returns its SHA-256."""
        RecentRanks(Settings()).refresh(self.model)
        return score_tables.current(self.home)[self.model]


@pytest.fixture
def stream(home: Path, topic: Callable[..., Topic], monkeypatch: pytest.MonkeyPatch) -> Stream:
    alerts = topic(2)
    monkeypatch.setenv("GUESTSTAR_INPUT_TOPICS", f'["{alerts.name}"]')
    return Stream(home, alerts)


def as_text(rows: pa.Table) -> list[str]:
    return sorted(map(repr, rows.to_pylist()))  # NaN equals NaN


def test_from_the_trainings_p_values_to_ranks_in_the_stream(stream: Stream) -> None:
    _, _, first = stream.batch(800, 1)
    assert stream.at["ranks"] == ""
    assert set(first["novelty_calibration"].to_pylist()) == {TRAINING}
    sha256 = stream.refresh()

    start, end, second = stream.batch(200, 2)
    assert end["ranks"] == sha256
    recent = first.filter(pa.array(first["n_detections"].to_numpy() >= SECOND_PHASE))["novelty_score"].to_numpy()
    assert len(recent) >= 500
    late = second["n_detections"].to_numpy() >= SECOND_PHASE
    calibration = np.array(second["novelty_calibration"].to_pylist())
    assert set(calibration[late]) == {STREAM}
    scores, p_value = second["novelty_score"].to_numpy(), second["novelty_p_value"].to_numpy()
    below = percentileofscore(recent, scores[late], kind="strict") / 100
    np.testing.assert_allclose(p_value[late], (1 + len(recent) * (1 - below)) / (1 + len(recent)), rtol=1e-6)
    assert second.filter(second["is_strange"]).num_rows == 10

    assert stream.refresh() != sha256, "a newer table is at hand"
    worker.close(stream.home)
    assert as_text(stream.rows(start, end)) == as_text(second), "done again after a restart: bit for bit the same"


def test_a_lost_or_damaged_table_costs_no_alert(stream: Stream, caplog: pytest.LogCaptureFixture) -> None:
    stream.batch(800, 1)
    file = stream.home / score_tables.FOLDER / f"{stream.refresh()}.npz"
    start, end, rows = stream.batch(40, 2)
    assert STREAM in rows["novelty_calibration"].to_pylist()
    data = file.read_bytes()
    for damage in (lambda: file.write_bytes(data[:-5]), file.unlink):
        damage()
        worker.close(stream.home)
        with caplog.at_level(logging.WARNING):
            again = stream.rows(start, end)
        assert str(file) in caplog.records[-1].getMessage()
        assert set(again["novelty_calibration"].to_pylist()) == {TRAINING}
        assert sorted(again["alert_id"].to_pylist()) == sorted(rows["alert_id"].to_pylist())
    stream.refresh()
    worker.close(stream.home)
    _, end, rows = stream.batch(40, 3)
    assert STREAM in rows["novelty_calibration"].to_pylist(), "made anew from the archive"


def test_an_offset_of_the_version_before_is_read(stream: Stream) -> None:
    start, end, rows = stream.batch(30, 1)
    before = {name: end[name] for name in ("topics", "model", "tasks")} | {"novelty_threshold": 0.001}
    again = stream.rows(start, before)
    assert set(again["novelty_calibration"].to_pylist()) == {TRAINING}
    assert not any(again["is_strange"].to_pylist())
    assert sorted(again["novelty_p_value"].to_pylist()) == sorted(rows["novelty_p_value"].to_pylist())
    stream.at = before
    _, end, _ = stream.batch(10, 2)
    assert end.keys() == {"topics", "model", "ranks", "strange", "tasks"}


def test_what_was_reviewed_is_taken_out_of_the_ranks(stream: Stream) -> None:
    _, _, rows = stream.batch(800, 1)
    late = rows.filter(pa.array(rows["n_detections"].to_numpy() >= SECOND_PHASE)).to_pylist()
    novel, ordinary = late[0], late[1]
    with labels_log(Settings()) as log:
        asked = {"request_id": "r", "reason": "novel", "propensity": 1.0}
        log.append([labels.label_of(novel | asked, 2100, "me", 1), labels.label_of(ordinary | asked, 2222, "me", 2)])
    stream.refresh()
    table = score_tables.read(stream.home, score_tables.current(stream.home)[stream.model])
    assert len(table.cells[0, 4].scores) == len(late) - 1
    assert np.float32(novel["novelty_score"]) not in table.cells[0, 4].scores.tolist()
    with labels_log(Settings()) as log:
        log.append([labels.label_of(one | asked, 1100, "me", 3) for one in late[2:-400]])
    stream.refresh()
    table = score_tables.read(stream.home, score_tables.current(stream.home)[stream.model])
    assert table.cells == {}, "too few are left"


def test_a_thread_keeps_the_table_up_to_date_and_turns_to_a_new_model(stream: Stream) -> None:
    stream.batch(800, 1)
    registry = Registry("", stream.home / "models")
    with kept_up(Settings()) as has_read:
        assert has_read.wait(60)
        assert list(score_tables.current(stream.home)) == [stream.model]
        new = registry.promote(2).sha256
        wait_for(lambda: new in score_tables.current(stream.home), 60, "the new model's own scores of old alerts")
    _, end, rows = stream.batch(20, 2)
    assert end["model"] == new
    assert STREAM in rows["novelty_calibration"].to_pylist(), "from its first batch on"
