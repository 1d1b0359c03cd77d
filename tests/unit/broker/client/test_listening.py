"""What the client makes of names and times, without Kafka."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker import client
from broker.settings import Settings


def test_short_names_are_completed() -> None:
    settings = Settings(topic_prefix="sky")
    assert client.full_name(settings, "novel") == "sky.novel"
    assert client.full_name(settings, "class.ia") == "sky.class.ia"
    assert client.full_name(settings, "sky.novel") == "sky.novel"


@pytest.mark.parametrize(
    ("text", "time_ms"),
    [
        ("1970-01-01", 0),
        ("2026-03-01T02:00", 1_772_330_400_000),
        ("2026-03-01T02:00:00.250", 1_772_330_400_250),
        ("2026-03-01T03:00+01:00", 1_772_330_400_000),
        ("2026-03-01T02:00Z", 1_772_330_400_000),
    ],
)
def test_times_are_utc_unless_they_say_otherwise(text: str, time_ms: int) -> None:
    assert client.time_ms_of(text) == time_ms


@given(st.text(alphabet="abcxyz -:T", max_size=12))
def test_what_is_no_time_is_an_error_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="a time must be in ISO 8601, UTC, such as 20"):
        client.time_ms_of(text)
