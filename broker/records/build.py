"""Columns of a chunk of alerts, as Arrow record batches with exactly the row schema."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from broker.kafka.fetching import Messages
from broker.kafka.ranges import Range
from broker.records.fields import NULLABLE, TRUNCATED_PAYLOAD_BYTES, arrow_schema
from models.scoring.abstention import n_detections
from models.scoring.recent_scores import RecentScores
from models.scoring.scorer import Scores
from schemas.dead_letters import DeadLetter
from schemas.identifiers import object_name
from schemas.light_curves import BANDS, LightCurves
from schemas.passbands import SURVEYS
from schemas.taxonomy import NOT_CLASSIFIED

NOT_SCORED_REASON = "a Solar System object"
"""Its flux follows its distance and rotation: the classes, which are of transients and variables, do not apply."""


@dataclass(frozen=True, slots=True)
class RowContext:
    """What all rows of a task share: the pinned model, the task's name, the longest packet kept whole."""

    model_sha256: str
    task: str
    packet_size_limit_bytes: int


def alert_rows(
    light_curves: LightCurves,
    scored: NDArray[np.int64],
    scores: Scores | None,
    messages: Messages,
    context: RowContext,
    recent: RecentScores | None = None,
) -> pa.RecordBatch:
    """One row for each alert.

    ``scores``: of the alerts ``scored``, ascending; None where none was scored. The others have empty lists, the class
    300 and :data:`NOT_SCORED_REASON`. ``recent``: the scores that p-values are ranks among; without them, and where
    they are too few, p-values are the training's.
    """
    of_scores = _of_scores(len(light_curves), scored, scores, context)
    columns = {
        **_of_light_curves(light_curves),
        **of_scores,
        **_of_ranks(light_curves, of_scores, recent or RecentScores()),
        **_of_input(messages, light_curves.packet_index),
        **_of_context(len(light_curves), context),
        "is_first_of_message": np.zeros(len(light_curves), bool),
    }
    return _batch(columns, len(light_curves))


def dead_rows(letters: Sequence[DeadLetter], messages: Messages, context: RowContext) -> pa.RecordBatch:
    """One row for each dead letter, with its message."""
    values = [messages.value[letter.packet_index] for letter in letters]
    limit = context.packet_size_limit_bytes
    columns = {
        **_of_input(messages, np.array([letter.packet_index for letter in letters], np.int64)),
        **_of_context(len(letters), context),
        "dead_stage": [letter.stage for letter in letters],
        "dead_reason": [letter.reason for letter in letters],
        "payload": [value if len(value) <= limit else value[:TRUNCATED_PAYLOAD_BYTES] for value in values],
        "payload_length": [len(value) for value in values],
        "is_first_of_message": np.zeros(len(letters), bool),
    }
    return _batch(columns, len(letters))


def lost_row(lost: Range, context: RowContext) -> pa.RecordBatch:
    """The dead letter of a range that retention deleted before it was read: no message, so no payload."""
    columns = {
        "input_topic": [lost.topic],
        "input_partition": [lost.partition],
        "input_offset": [lost.start],
        "input_time_ms": [-1],
        **_of_context(1, context),
        "dead_stage": ["fetch"],
        "dead_reason": [f"{lost}: {len(lost)} offsets were deleted by retention before they were read"],
        "payload": [b""],
        "payload_length": [0],
        "is_first_of_message": [False],
    }
    return _batch(columns, 1)


def mark_first_of_message(rows: pa.RecordBatch) -> pa.RecordBatch:
    """Set ``is_first_of_message`` on the first row of each input offset."""
    columns = (rows[name].to_pylist() for name in ("input_topic", "input_partition", "input_offset"))
    seen: set[tuple[Any, ...]] = set()
    first = []
    for place in zip(*columns, strict=True):
        first.append(place not in seen)
        seen.add(place)
    return rows.set_column(
        rows.schema.get_field_index("is_first_of_message"), "is_first_of_message", pa.array(first, pa.bool_())
    )


def _of_light_curves(light_curves: LightCurves) -> dict[str, Any]:
    trigger, has_points = _trigger(light_curves)

    def at_trigger(values: NDArray) -> NDArray:
        column = np.full(len(light_curves), np.nan)
        column[has_points] = values[trigger[has_points]]
        return column

    letters = np.array([*BANDS, ""], object)
    band = np.full(len(light_curves), -1)
    band[has_points] = light_curves.band[trigger[has_points]]
    survey, object_id = light_curves.survey.tolist(), light_curves.object_id.tolist()
    return {
        "alert_id": light_curves.alert_id,
        "object_id": light_curves.object_id,
        "object_name": [object_name(code, number) for code, number in zip(survey, object_id, strict=True)],
        "survey": [SURVEYS[code] for code in survey],
        "schema_id": light_curves.schema_id,
        "alert_mjd": light_curves.alert_mjd,
        "ra_deg": light_curves.ra_deg,
        "dec_deg": light_curves.dec_deg,
        "band": letters[band],
        "flux_njy": at_trigger(light_curves.flux_njy),
        "flux_err_njy": at_trigger(light_curves.flux_err_njy),
        "n_points": light_curves.n_points.astype(np.int32),
        "n_points_dropped": light_curves.n_points_dropped,
        "n_points_from_history": light_curves.n_points_from_history,
        "is_solar_system": light_curves.is_solar_system,
        **{name: pa.array(values := getattr(light_curves, name), mask=np.isnan(values)) for name in NULLABLE},
    }


def _trigger(light_curves: LightCurves) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The point that triggered each alert (its last detection, else its last point), and whether it has any."""
    trigger = light_curves.offsets[1:] - 1
    detections = np.flatnonzero(light_curves.is_detection)
    trigger[light_curves.alert_of_point[detections]] = detections  # in order: the last one stays
    return trigger, light_curves.n_points > 0


def _of_scores(n: int, scored: NDArray[np.int64], scores: Scores | None, context: RowContext) -> dict[str, Any]:
    columns: dict[str, Any] = {
        "class_id": np.full(n, NOT_CLASSIFIED, np.int32),
        "not_classified_reason": np.full(n, NOT_SCORED_REASON, object),
        "novelty_score": np.full(n, np.nan, np.float32),
        "novelty_p_value": np.ones(n),
    }
    lists: dict[str, NDArray] = {"class_ids": np.zeros((0, 0), np.int32)}
    lists |= dict.fromkeys(("p_flat", "p_survey", "features"), np.zeros((0, 0), np.float32))
    if scores is not None:
        for name, column in columns.items():
            column[scored] = getattr(scores, name)
        lists = {name: getattr(scores, name) for name in lists}
        lists["class_ids"] = np.tile(scores.class_ids, (len(scored), 1))
    return {
        **columns,
        **{name: _lists(values, n, scored) for name, values in lists.items()},
        "model_sha256": [context.model_sha256] * n,
    }


def _of_ranks(light_curves: LightCurves, of_scores: dict[str, Any], recent: RecentScores) -> dict[str, Any]:
    """The p-values as ranks, where there is enough to rank among; 1 where an alert is not classified."""
    detections = n_detections(light_curves)
    p_value, calibration = recent.p_values(
        of_scores["novelty_score"], light_curves.survey, detections, of_scores["novelty_p_value"]
    )
    return {
        "n_detections": detections.astype(np.int32),
        "novelty_p_value": np.where(of_scores["class_id"] == NOT_CLASSIFIED, 1.0, p_value),
        "novelty_calibration": calibration,
        "is_strange": np.zeros(len(detections), bool),
    }


def _of_input(messages: Messages, index: NDArray[np.int64]) -> dict[str, Any]:
    places = index.tolist()
    return {
        "input_topic": [messages.topic[i] for i in places],
        "input_partition": [messages.partition[i] for i in places],
        "input_offset": [messages.offset[i] for i in places],
        "input_time_ms": [messages.time_ms[i] for i in places],
    }


def _of_context(n: int, context: RowContext) -> dict[str, Any]:
    return {"broker_version": [broker_version()] * n, "task": [context.task] * n}


def _lists(values: NDArray, n: int, rows: NDArray[np.int64]) -> pa.ListArray:
    """n lists: those of ``rows`` hold the rows of ``values``, the others are empty."""
    lengths = np.zeros(n, np.int32)
    lengths[rows] = values.shape[1]
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    kind = pa.int32() if values.dtype == np.int32 else pa.float32()
    kind = pa.list_(pa.field("element", kind, nullable=False))
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(np.ascontiguousarray(values).ravel()), type=kind)


def _batch(columns: dict[str, Any], n: int) -> pa.RecordBatch:
    """A batch with the row schema; columns that are left out are null."""
    schema = arrow_schema()
    arrays = []
    for field in schema:
        values = columns.get(field.name)
        if values is None:
            arrays.append(pa.nulls(n, field.type))
        elif isinstance(values, pa.Array):
            arrays.append(values)
        else:
            arrays.append(pa.array(values, type=field.type, from_pandas=False))
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


@cache
def broker_version() -> str:
    """The version that stands in every row."""
    try:
        return version("gueststar")
    except PackageNotFoundError:  # run from a checkout
        return "0+unknown"
