"""Rows between source and sink: their schema, and that one bad alert harms no other."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import schemas
from broker.kafka.fetching import Messages
from broker.kafka.ranges import Range
from broker.records.build import NOT_SCORED_REASON, RowContext, alert_rows, dead_rows, lost_row, mark_first_of_message
from broker.records.fields import ALERT_FIELDS, arrow_schema
from models.scoring.scorer import Scores
from schemas.dead_letters import DeadLetter
from schemas.light_curves import LightCurves

NO_ROWS = np.zeros(0, np.int64)
CONTEXT = RowContext("ab" * 32, "alerts-0-0-9", 1_000)


def messages(*values: bytes) -> Messages:
    n = len(values)
    return Messages(["alerts"] * n, [0] * n, list(range(n)), [1_700_000_000_000] * n, list(values))


def two_alerts() -> LightCurves:
    """The first with points in g and r, the second with none."""
    alerts = {
        "alert_id": [1, 2],
        "object_id": [11, 0],
        "alert_mjd": [61_000.0, 61_000.0],
        "ra_deg": [1.0, 2.0],
        "dec_deg": [3.0, 4.0],
        "survey": [0, 0],
        "schema_id": [1101, 1101],
        "is_solar_system": [False, True],
        "reliability": [np.nan, 0.5],
    }
    points = {
        "time_mjd": [60_990.0, 60_995.0, 61_000.0],
        "flux_njy": [100.0, 900.0, 50.0],
        "flux_err_njy": [10.0, 20.0, 30.0],
        "band": [1, 2, 1],
        "is_detection": [False, True, False],
    }
    return LightCurves.from_points(alert=[0, 0, 0], columns=points, alerts=alerts)


def test_alert_columns_are_the_classification_records_fields_in_its_order() -> None:
    file = Path(schemas.__file__).parent / "avro" / "classification.v4.avsc"
    names = [field["name"] for field in json.loads(file.read_text())["fields"]]
    assert list(ALERT_FIELDS) == names


def test_every_kind_of_row_has_exactly_the_schema() -> None:
    curves, incoming = two_alerts(), messages(b"a", b"b")
    batches = [
        alert_rows(curves, NO_ROWS, None, incoming, CONTEXT),
        dead_rows([DeadLetter(0, "decode", "no")], incoming, CONTEXT),
        lost_row(Range("alerts", 0, 3, 9), CONTEXT),
    ]
    for batch in batches:
        assert batch.schema.equals(arrow_schema())


def test_a_row_tells_of_the_detection_that_triggered_it() -> None:
    first, second = alert_rows(two_alerts(), NO_ROWS, None, messages(b"a", b"b"), CONTEXT).to_pylist()
    assert (first["band"], first["flux_njy"], first["flux_err_njy"], first["n_points"]) == ("r", 900.0, 20.0, 3)
    assert first["reliability"] is None
    assert (second["band"], second["n_points"], second["reliability"]) == ("", 0, 0.5)
    assert np.isnan(second["flux_njy"])
    assert second["object_name"] == ""


def test_a_long_payload_is_cut_and_its_length_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("broker.records.build.TRUNCATED_PAYLOAD_BYTES", 10)
    rows = dead_rows(
        [DeadLetter(0, "decode", ""), DeadLetter(1, "decode", "")], messages(b"x" * 1_001, b"y" * 1_000), CONTEXT
    )
    assert rows["payload"].to_pylist() == [b"x" * 10, b"y" * 1_000]
    assert rows["payload_length"].to_pylist() == [1_001, 1_000]


@given(st.lists(st.integers(0, 5), max_size=30))
def test_one_row_of_each_message_is_marked_as_its_first(offsets: list[int]) -> None:
    incoming = messages(*[b"m"] * 6)
    rows = mark_first_of_message(dead_rows([DeadLetter(i, "decode", "") for i in offsets], incoming, CONTEXT))
    marked = rows.filter(rows["is_first_of_message"])["input_offset"].to_pylist()
    assert sorted(marked) == sorted(set(offsets))


def test_scores_of_some_alerts_leave_the_others_without_lists() -> None:
    scores = Scores(
        class_ids=np.array([2222, 2223], np.int32),
        p_flat=np.array([[0.25, 0.75]], np.float32),
        p_survey=np.array([[0.5, 0.5]], np.float32),
        class_id=np.array([2223], np.int32),
        not_classified_reason=[""],
        novelty_score=np.array([9.0], np.float32),
        novelty_p_value=np.array([0.0005]),
        features=np.array([[1.0, np.nan, 3.0]], np.float32),
        feature_names=("a", "b", "c"),
        model_sha256="ab" * 32,
    )
    rows = alert_rows(two_alerts(), np.array([0]), scores, messages(b"a", b"b"), CONTEXT)
    first, second = rows.to_pylist()
    assert (first["class_ids"], first["p_flat"], first["class_id"], first["novelty_p_value"]) == (
        [2222, 2223],
        [0.25, 0.75],
        2223,
        0.0005,
    )
    assert (first["novelty_calibration"], first["n_detections"], first["is_strange"]) == ("training", 1, False)
    assert np.isnan(first["features"][1])
    assert (second["class_ids"], second["p_survey"], second["features"], second["class_id"]) == ([], [], [], 300)
    assert not second["is_strange"]
    assert second["not_classified_reason"] == NOT_SCORED_REASON
    assert isinstance(rows, pa.RecordBatch)
