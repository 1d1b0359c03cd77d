"""Rows as the source makes them, for tests of what comes after it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from broker.records.fields import arrow_schema

CLASSES = np.array([2222, 2224, 2243], np.int32)
N_FEATURES = 5
INPUT_TIME_MS = 1_772_330_400_000  # 2026-03-01T02:00 UTC
MODEL = "5e" * 32


def alert_rows(n: int, *, first: int = 0, seed: int = 1, task: str = "in-0-0-100", **replaced: Any) -> pa.RecordBatch:
    """``n`` alerts from offset ``first`` of topic "in"; ``replaced`` columns instead of those made up here."""
    random = np.random.default_rng(seed)
    number = np.arange(first, first + n)
    p = random.dirichlet(np.ones(len(CLASSES)), n).astype(np.float32)
    features = random.normal(size=(n, N_FEATURES)).astype(np.float32)
    features[:, 0] = np.nan
    columns: dict[str, Any] = {
        "alert_id": number + 170_000_000_000_000_000,
        "object_id": number // 2 + 313_000_000_000_000_000,
        "object_name": [str(i // 2 + 313_000_000_000_000_000) for i in number],
        "survey": ["simulated"] * n,
        "schema_id": np.full(n, 1101, np.int32),
        **_input(number),
        "input_time_ms": INPUT_TIME_MS + number,
        "alert_mjd": 61_099.65 + number * 1e-3,  # local noon is at .697
        "ra_deg": random.uniform(0, 360, n),
        "dec_deg": random.uniform(-60, 5, n),
        "band": random.choice(list("ugrizy"), n),
        **{"flux_njy": random.normal(0, 20_000, n), "flux_err_njy": random.uniform(100, 300, n)},
        **{name: random.integers(1, 90, n).astype(np.int32) for name in ("n_points", "n_detections")},
        **dict.fromkeys(("n_points_dropped", "n_points_from_history"), np.zeros(n, np.int32)),
        "is_solar_system": np.zeros(n, bool),
        "reliability": [None if i % 5 == 0 else 0.5 for i in range(n)],
        **{name: [None if i % 3 == 0 else 0.31 for i in range(n)] for name in ("host_photoz", "host_photoz_err")},
        "class_ids": [CLASSES] * n,
        "p_flat": list(p),
        "p_survey": list(p),
        "class_id": CLASSES[p.argmax(axis=1)],
        "not_classified_reason": [""] * n,
        "novelty_score": random.normal(size=n).astype(np.float32),
        "novelty_p_value": random.uniform(1e-4, 1, n),
        "novelty_calibration": ["training"] * n,
        "is_strange": np.zeros(n, bool),
        "model_sha256": [MODEL] * n,
        "features": list(features),
        "broker_version": ["0.1.0"] * n,
        "task": [task] * n,
        "is_first_of_message": np.ones(n, bool),
    }
    return _batch(columns | replaced, n)


def dead_rows(payloads: list[bytes], *, first: int = 0, task: str = "in-0-0-100", **replaced: Any) -> pa.RecordBatch:
    """A dead letter of stage "decode" for each payload, from offset ``first`` of topic "in"."""
    n = len(payloads)
    columns: dict[str, Any] = {
        **_input(np.arange(first, first + n)),
        "dead_stage": ["decode"] * n,
        "dead_reason": ["a packet must begin with byte 0"] * n,
        "payload": payloads,
        "payload_length": [len(payload) for payload in payloads],
        "broker_version": ["0.1.0"] * n,
        "task": [task] * n,
        "is_first_of_message": np.ones(n, bool),
    }
    return _batch(columns | replaced, n)


def _input(offsets: np.ndarray) -> dict[str, Any]:
    n = len(offsets)
    place = {"input_topic": ["in"] * n, "input_partition": np.zeros(n, np.int32), "input_offset": offsets}
    return place | {"input_time_ms": np.full(n, INPUT_TIME_MS)}


def routed(rows: pa.RecordBatch, *topics: str) -> pa.RecordBatch:
    """The rows with the column that routing adds: every row to the same topics."""
    names = pa.array([list(topics)] * rows.num_rows, pa.list_(pa.string()))
    return rows.append_column("topics", names)


def _batch(columns: dict[str, Any], n: int) -> pa.RecordBatch:
    arrays = [
        pa.array(columns[field.name], field.type, from_pandas=False)
        if field.name in columns
        else pa.nulls(n, field.type)
        for field in arrow_schema()
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=arrow_schema())
