"""One demonstration for all end-to-end tests, in a home of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.command_line import gueststar

DEMO_DEADLINE_S = 1_200


@dataclass(frozen=True)
class Demo:
    """Where a demonstration ran, and what it reported."""

    home: Path
    report: dict[str, Any]
    screen: str


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """``gueststar demo --exit --json``, which leaves Kafka and Redis running until the tests are done."""
    home = tmp_path_factory.mktemp("demo")
    try:
        ran = gueststar(home, "demo", "--exit", "--json", "--objects", "300", deadline_s=DEMO_DEADLINE_S)
        assert ran.returncode == 0, ran.stderr
        yield Demo(home, json.loads(ran.stdout), ran.stderr)
    finally:
        gueststar(home, "down")
