"""Messages to rows: one bad alert harms no other, and each score stands in its own alert's row."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.kafka.fetching import Messages
from broker.records.build import NOT_SCORED_REASON, RowContext
from broker.stream.scoring import MessageScorer, isolate
from models.scoring.scorer import Scorer, Scores
from schemas import packets
from schemas.light_curves import LightCurves
from tests.streaming.small_models import light_curves

FAILING = (3, 4, 11)


@dataclass
class FailsAt:
    """A scorer that raises for some alerts."""

    scorer: Scorer
    alert_ids: list[int]
    sha256: str

    def score(self, curves: LightCurves) -> Scores:
        if np.isin(curves.alert_id, self.alert_ids).any():
            raise FloatingPointError("not this one")
        return self.scorer.score(curves)


@pytest.fixture(scope="module")
def scorer(small_bundle: Path) -> Scorer:
    return Scorer.load(small_bundle)


@pytest.fixture(scope="module")
def curves() -> LightCurves:
    """Sixteen alerts, every fifth of a Solar System object."""
    made = light_curves(16, 3)
    moving = np.arange(16) % 5 == 0
    return replace(made, is_solar_system=moving, object_id=np.where(moving, 0, made.object_id))


def rows_of(scorer: Scorer, curves: LightCurves) -> pa.RecordBatch:
    wire = [*packets.write(curves), b"rubbish"]
    n = len(wire)
    messages = Messages(["alerts"] * n, [0] * n, list(range(n)), [1_700_000_000_000] * n, wire)
    context = RowContext(scorer.sha256, "alerts-0-0-99", 1_000_000)
    return MessageScorer(scorer, context).rows(messages)


def test_each_score_stands_in_its_own_row(scorer: Scorer, curves: LightCurves) -> None:
    rows = {row["alert_id"]: row for row in rows_of(scorer, curves).to_pylist() if row["alert_id"] is not None}
    assert len(rows) == 16
    for i, alert_id in enumerate(curves.alert_id.tolist()):
        row = rows[alert_id]
        if curves.is_solar_system[i]:
            assert (row["class_id"], row["p_flat"], row["class_ids"]) == (300, [], [])
            assert row["not_classified_reason"] == NOT_SCORED_REASON
            continue
        alone = scorer.score(packets.read(packets.write(curves.select(np.array([i]))))[0])
        assert row["class_id"] == alone.class_id[0]
        np.testing.assert_allclose(row["p_survey"], alone.p_survey[0], rtol=1e-5)
        np.testing.assert_allclose(row["novelty_p_value"], alone.novelty_p_value[0], rtol=1e-5)


def test_alerts_that_fail_become_dead_letters_and_change_no_other_row(scorer: Scorer, curves: LightCurves) -> None:
    whole = rows_of(scorer, curves)
    bad = curves.alert_id[list(FAILING)].tolist()
    failing = FailsAt(scorer, bad, scorer.sha256)
    logging.getLogger("broker.stream.scoring").disabled = True
    rows = rows_of(failing, curves)  # type: ignore[arg-type]
    dead = [row for row in rows.to_pylist() if row["dead_stage"] == "score"]
    assert [row["input_offset"] for row in dead] == list(FAILING)
    assert all(row["dead_reason"] == "FloatingPointError: not this one" for row in dead)
    expected = [row for row in whole.to_pylist() if row["alert_id"] not in bad and row["alert_id"] is not None]
    others = [row for row in rows.to_pylist() if row["alert_id"] is not None]
    for row, same in zip(others, expected, strict=True):
        for name, value in same.items():
            if isinstance(value, float | list):  # batches of another size round otherwise
                np.testing.assert_allclose(row[name], value, rtol=1e-4, atol=1e-6, err_msg=name)
            else:
                assert row[name] == value, name


@given(st.integers(0, 60), st.sets(st.integers(0, 59)))
def test_only_what_fails_is_left_out(n: int, bad: set[int]) -> None:
    def work(index: np.ndarray) -> list[int]:
        if bad.intersection(index.tolist()):
            raise FloatingPointError("a bad one among them")
        return index.tolist()

    logging.getLogger("broker.stream.scoring").disabled = True
    done, failed = isolate(work, np.arange(n))
    assert sorted(place for _, places in done for place in places) == sorted(set(range(n)) - bad)
    assert sorted(place for place, _ in failed) == sorted(bad & set(range(n)))
    assert all(isinstance(error, FloatingPointError) for _, error in failed)
