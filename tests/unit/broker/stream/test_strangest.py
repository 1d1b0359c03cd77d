"""The strangest alerts of a task: the same whatever the parts they come in, and nothing else is held back."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from broker.records.fields import arrow_schema
from broker.stream.strangest import Strangest
from tests.streaming.sink_rows import alert_rows, dead_rows


def passed_in_parts(rows: pa.RecordBatch, limit: int, size: int) -> pa.Table:
    strangest = Strangest(limit)
    parts = [strangest.passed(rows.slice(begin, size)) for begin in range(0, rows.num_rows, size)]
    assert sum(part.num_rows for part in parts) >= rows.num_rows - limit, "no more is held back"
    return pa.Table.from_batches([*parts, *strangest.marked()], arrow_schema())


@settings(deadline=None)
@given(st.integers(0, 40), st.integers(0, 12), st.integers(1, 50), st.integers(0, 5))
def test_the_marked_are_those_of_the_lowest_p_values(n: int, limit: int, size: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    p_value = random.choice([0.001, 0.01, 0.5, 1.0], n)
    score = random.choice([1.0, 2.0], n).astype(np.float32)
    class_id = random.choice([300, 2222], n).astype(np.int32)
    rows = alert_rows(n, novelty_p_value=p_value, novelty_score=score, class_id=class_id)
    out = passed_in_parts(rows, limit, size)
    marked = out.filter(out["is_strange"])["alert_id"].to_pylist()
    can_be = np.flatnonzero((class_id != 300) & (p_value < 1))
    alert_id = rows["alert_id"].to_numpy()
    expected = can_be[np.lexsort((alert_id[can_be], -score[can_be], p_value[can_be]))][:limit]
    assert sorted(marked) == sorted(alert_id[expected].tolist())
    same = out.drop_columns(["is_strange"]).sort_by("alert_id").to_pylist()
    assert list(map(repr, same)) == list(map(repr, pa.table(rows).drop_columns(["is_strange"]).to_pylist()))


def test_dead_letters_pass() -> None:
    rows = pa.concat_batches([dead_rows([b"x", b"y"], first=50), alert_rows(5)])
    out = passed_in_parts(rows, 2, 7)
    assert out.filter(out["is_strange"]).num_rows == 2
    assert sum(letter is not None for letter in out["dead_stage"].to_pylist()) == 2
