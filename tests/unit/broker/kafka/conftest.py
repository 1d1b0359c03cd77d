"""A Kafka that a test may stop."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from broker.local import start, stop
from broker.settings import Settings


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Settings]:
    """A home with a Kafka of its own, which may be stopped."""
    settings = Settings(home=tmp_path / "home", redis_url="redis://127.0.0.1:1/0")
    start(settings)
    yield settings
    stop(settings)
