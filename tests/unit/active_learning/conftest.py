"""Requests about objects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture(scope="session")
def request_of(record_of: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """A valid request record about an object."""
    from active_learning.planner import COPIED

    def make(object_id: int, **changes: Any) -> dict[str, Any]:
        record = record_of(object_id)
        request = {name: record[name] for name in COPIED} | {
            "request_id": f"request-{object_id}",
            "created_ms": 1_790_000_000_000,
            "night": 61_000,
            "reason": "uncertain",
            "utility": 0.9,
            "propensity": 1.0,
            "exposure_s": 300.0,
            "magnitude": 20.2,
        }
        return request | changes

    return make
