"""Fixtures that every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real alerts and light curves; tests that need it are skipped where it is missing."""
    folder = Path(os.environ.get("GUESTSTAR_TEST_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"no folder of real alerts at {folder}: set GUESTSTAR_TEST_DATA to read them")
    return folder
