"""Messages about novel and strange objects, and the packets they rest on."""

from __future__ import annotations

from typing import Any

import numpy as np

from broker.kafka.message_log import MessageLog, novel_log, strange_log
from features.catalogue import NAMES
from schemas import packets
from tests.kafka_topics import create_topic
from tests.waiting import wait_for
from tests.web.conftest import CLASS_IDS, Scene, light_curves


def features_of(kind: int, seed: int) -> list[float]:
    """Features of one of several kinds of objects: those of a kind lie close together."""
    centre = np.random.default_rng(kind).normal(0, 2, len(NAMES))
    row = centre + np.random.default_rng([seed, 9]).normal(0, 0.001, len(NAMES))
    row[NAMES.index("n_detections")] = 20
    return row.astype(np.float32).tolist()


def discover(scene: Scene, novel: int = 3, strange: int = 4, **fields: Any) -> list[dict[str, Any]]:
    """Publish packets and messages: ``novel`` objects, the first two alike, then ``strange`` ones, by turns of two
    kinds, each less strange than the one before; returns the messages when the page's server has them."""
    n = novel + strange
    curves = light_curves(n)
    alerts = create_topic(scene.settings, 1)
    alerts.produce(packets.write(curves), partition=0)
    generator = np.random.default_rng(1)
    made = []
    for i in range(n):
        common = {
            "object_id": int(curves.object_id[i]),
            "object_name": str(curves.object_id[i]),
            "survey": "LSST",
            "alert_id": int(curves.alert_id[i]),
            "alert_mjd": 61_000.0,
            "input_topic": alerts.name,
            "input_partition": 0,
            "input_offset": i,
            "ra_deg": float(curves.ra_deg[i]),
            "dec_deg": float(curves.dec_deg[i]),
            "class_id": 2222,
            "class_ids": CLASS_IDS,
            "p_survey": generator.dirichlet([4, 2, 1, 1, 1]).tolist(),
            "model_sha256": "ab" * 32,
            "broker_version": "0.1.0",
        }
        made.append(common | (_of_selection(i) if i < novel else _of_batch(i - novel)) | fields)
    _append(novel_log(scene.settings), made[:novel])
    _append(strange_log(scene.settings), made[novel:])
    listed = {str(one["object_id"]) for one in made}
    wait_for(lambda: {d.key for d in scene.discoveries.ranking("ada").discoveries} >= listed, 20, "the page's server")
    return made


def _append(log: MessageLog, records: list[dict[str, Any]]) -> None:
    with log:
        log.append(records)


def _of_selection(i: int) -> dict[str, Any]:
    return {
        "night": 61_000,
        "nights": 7,
        "created_ms": 1_790_000_000_000,
        "control": "controlled",
        "fdr": 0.1,
        "q_value": 0.031 + 0.01 * i,
        "p_value": 1e-4 * (i + 1),
        "score": 9.0 - i,
        "rank": i + 1,
        "n_objects": 12_345,
        "n_nulls": 800,
        "group": max(i - 1, 0),
        "nearest_known_object_ids": [1, 2, 3],
        "nearest_known_class_ids": [2222, 2243, 2222],
        "nearest_novel_object_ids": [],
        "driver_features": ["rise_time", "colour_g_r"],
        "driver_deviations": [5.2, -3.1],
    }


def _of_batch(i: int) -> dict[str, Any]:
    return {
        "schema_id": 1101,
        "input_time_ms": 1_790_000_000_000,
        "band": "r",
        "flux_njy": 9_000.0,
        "flux_err_njy": 250.0,
        "n_points": 50,
        "n_detections": 20,
        "n_points_dropped": 0,
        "n_points_from_history": 0,
        "is_solar_system": False,
        **dict.fromkeys(("reliability", "host_photoz", "host_photoz_err")),
        "p_flat": [0.6, 0.1, 0.1, 0.1, 0.1],
        "not_classified_reason": "",
        "novelty_score": 5.0 - i,
        "novelty_p_value": 0.001 * (i + 1),
        "novelty_calibration": "stream",
        "novelty_threshold": 0.001,
        "is_strange": True,
        "is_novel": False,
        "features": features_of(i % 2, i),
    }
