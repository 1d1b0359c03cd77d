"""Records that tests of several rooms offer, keep and plan from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

CLASS_IDS = [2222, 2223, 2243]


@pytest.fixture(scope="session")
def record_of() -> Callable[..., dict[str, Any]]:
    """A valid classification record of an object; keyword arguments replace its fields."""

    def make(object_id: int, **changes: Any) -> dict[str, Any]:
        record: dict[str, Any] = {
            "alert_id": 10 * object_id + 1,
            "object_id": object_id,
            "object_name": str(object_id),
            "survey": "LSST",
            "schema_id": 1101,
            "input_topic": "alerts",
            "input_partition": 0,
            "input_offset": object_id,
            "input_time_ms": 1_790_000_000_000,
            "alert_mjd": 61_000.25,
            "ra_deg": 150.0,
            "dec_deg": -2.0,
            "band": "r",
            "flux_njy": 30_000.0,
            "flux_err_njy": 300.0,
            "n_points": 12,
            "n_detections": 9,
            **{"n_points_dropped": 0, "n_points_from_history": 0},
            "is_solar_system": False,
            **dict.fromkeys(("reliability", "host_photoz", "host_photoz_err")),
            "class_ids": CLASS_IDS,
            "p_flat": [0.8, 0.1, 0.1],
            "p_survey": [0.8, 0.1, 0.1],
            "class_id": 2222,
            "not_classified_reason": "",
            "novelty_score": 0.0,
            "novelty_p_value": 0.5,
            "novelty_calibration": "training",
            "is_strange": False,
            "model_sha256": "ab" * 32,
            "features": [1.0, float("nan")],
            "broker_version": "0.1.0",
        }
        return record | changes

    return make


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
