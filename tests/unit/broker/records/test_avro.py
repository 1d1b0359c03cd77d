"""Records written column by column are, byte for byte, those that the row-by-row encoder writes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker.records.avro import AvroColumns
from broker.records.fields import ALERT_FIELDS
from schemas import messages
from tests.streaming.sink_rows import alert_rows

LONGS = st.integers(-(2**63), 2**63 - 1)
DOUBLES = st.floats(allow_nan=True, allow_infinity=True)


def encoded_by_row(batch: Any) -> list[bytes]:
    return [messages.encode("classification", row) for row in batch.select(list(ALERT_FIELDS)).to_pylist()]


def test_as_the_row_encoder_writes() -> None:
    writer, batch = AvroColumns("classification"), alert_rows(500)
    assert writer.complete(batch).all()
    assert writer.encode(batch) == encoded_by_row(batch)
    for part in (batch.slice(100, 50), batch.slice(499), batch.slice(0, 0)):
        assert writer.encode(part) == encoded_by_row(part)


@settings(deadline=None)
@given(
    ids=st.lists(LONGS, min_size=3, max_size=3),
    doubles=st.lists(DOUBLES, min_size=3, max_size=3),
    texts=st.lists(st.text(max_size=200), min_size=3, max_size=3),
    arrays=st.lists(st.lists(st.floats(width=32), max_size=70), min_size=3, max_size=3),
    whole=st.lists(st.lists(st.integers(-(2**31), 2**31 - 1), max_size=70), min_size=3, max_size=3),
    flags=st.lists(st.booleans(), min_size=3, max_size=3),
    unions=st.lists(st.none() | st.floats(width=32), min_size=3, max_size=3),
)
def test_any_value(ids: Any, doubles: Any, texts: Any, arrays: Any, whole: Any, flags: Any, unions: Any) -> None:
    batch = alert_rows(
        3, alert_id=ids, ra_deg=doubles, not_classified_reason=texts, features=arrays, class_ids=whole,
        is_strange=flags, reliability=unions,
    )  # fmt: skip
    encoded = AvroColumns("classification").encode(batch)
    assert encoded == encoded_by_row(batch)
    np.testing.assert_equal(messages.decode(encoded[1])[1]["features"], np.float32(arrays[1]).tolist())


def test_rows_that_lack_a_value_are_told() -> None:
    batch = alert_rows(4, band=["g", None, "r", "i"], reliability=[None] * 4, features=[[1.0], [1.0], None, [1.0]])
    assert AvroColumns("classification").complete(batch).tolist() == [True, False, False, True]


def test_a_type_it_cannot_write_is_an_error() -> None:
    writer = AvroColumns("classification")
    writer._fields = [("band", {"type": "map", "values": "string"})]
    with pytest.raises(TypeError, match="no way to write"):
        writer.encode(alert_rows(1))
