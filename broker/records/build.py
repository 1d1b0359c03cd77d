"""Columns of a chunk of alerts, as Arrow record batches with exactly the row schema."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike, NDArray

from broker.kafka.fetching import Messages
from broker.kafka.ranges import Range
from broker.records.fields import NULLABLE, TRUNCATED_PAYLOAD_BYTES, arrow_schema
from schemas.dead_letters import DeadLetter
from schemas.identifiers import object_name
from schemas.light_curves import BANDS, LightCurves
from schemas.passbands import SURVEYS
from schemas.taxonomy import NOT_CLASSIFIED


@dataclass(frozen=True, slots=True)
class RowContext:
    """What all rows of a task share: the pinned model and threshold, the task's name, the longest packet kept whole."""

    model_sha256: str
    novelty_threshold: float
    task: str
    packet_size_limit_bytes: int


@dataclass(slots=True)
class Verdicts:
    """What is said of each of n alerts; those not scored have ``scored`` False, and empty lists in their rows.

    ``class_ids`` shape (k,); ``p_flat`` and ``p_survey`` (n, k); ``features`` (n, f), NaN where missing; the rest (n,).
    """

    class_ids: NDArray[np.int32]
    p_flat: NDArray[np.float32]
    p_survey: NDArray[np.float32]
    features: NDArray[np.float32]
    class_id: NDArray[np.int32]
    not_classified_reason: NDArray[np.object_]
    novelty_score: NDArray[np.float32]
    novelty_p_value: NDArray[np.float64]
    scored: NDArray[np.bool_]

    @classmethod
    def unscored(cls, n: int, reason: str, classes: int = 0, features: int = 0) -> Verdicts:
        """n alerts that were not classified, for ``reason``."""
        return cls(
            class_ids=np.zeros(classes, np.int32),
            p_flat=np.full((n, classes), np.nan, np.float32),
            p_survey=np.full((n, classes), np.nan, np.float32),
            features=np.full((n, features), np.nan, np.float32),
            class_id=np.full(n, NOT_CLASSIFIED, np.int32),
            not_classified_reason=np.full(n, reason, object),
            novelty_score=np.full(n, np.nan, np.float32),
            novelty_p_value=np.ones(n),
            scored=np.zeros(n, bool),
        )

    def put(self, index: NDArray[np.int64], scores: Any) -> None:
        """Enter the scorer's answer (``models.scoring.scorer.Scores``) for the alerts ``index``."""
        self.class_ids = np.asarray(scores.class_ids, np.int32)
        for name in ("p_flat", "p_survey", "features", "class_id", "novelty_score", "novelty_p_value"):
            getattr(self, name)[index] = getattr(scores, name)
        self.not_classified_reason[index] = np.asarray(list(scores.not_classified_reason), object)
        self.scored[index] = True


def alert_rows(
    light_curves: LightCurves, verdicts: Verdicts, keep: NDArray[np.bool_], messages: Messages, context: RowContext
) -> pa.RecordBatch:
    """One row for each alert that ``keep`` (shape (n,)) names."""
    columns = {
        **_of_light_curves(light_curves),
        **_of_verdicts(verdicts, context),
        **_of_input(messages, light_curves.packet_index),
        **_of_context(len(light_curves), context),
        "is_first_of_message": np.zeros(len(light_curves), bool),
    }
    return _batch(columns, len(light_curves)).filter(pa.array(keep))


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
        found = np.full(len(light_curves), np.nan)
        found[has_points] = values[trigger[has_points]]
        return found

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


def _of_verdicts(verdicts: Verdicts, context: RowContext) -> dict[str, Any]:
    n, classes = verdicts.p_flat.shape
    lengths = np.where(verdicts.scored, classes, 0)
    classified = verdicts.class_id != NOT_CLASSIFIED
    return {
        "class_ids": _lists(np.tile(verdicts.class_ids, (int(verdicts.scored.sum()), 1)), lengths),
        "p_flat": _lists(verdicts.p_flat[verdicts.scored], lengths),
        "p_survey": _lists(verdicts.p_survey[verdicts.scored], lengths),
        "features": _lists(
            verdicts.features[verdicts.scored], np.where(verdicts.scored, verdicts.features.shape[1], 0)
        ),
        "class_id": verdicts.class_id,
        "not_classified_reason": verdicts.not_classified_reason,
        "novelty_score": verdicts.novelty_score,
        "novelty_p_value": verdicts.novelty_p_value,
        "novelty_threshold": np.full(n, context.novelty_threshold),
        "is_novel": classified & verdicts.scored & (verdicts.novelty_p_value <= context.novelty_threshold),
        "model_sha256": [context.model_sha256] * n,
    }


def _of_input(messages: Messages, index: NDArray[np.int64]) -> dict[str, Any]:
    which = index.tolist()
    return {
        "input_topic": [messages.topic[i] for i in which],
        "input_partition": [messages.partition[i] for i in which],
        "input_offset": [messages.offset[i] for i in which],
        "input_time_ms": [messages.time_ms[i] for i in which],
    }


def _of_context(n: int, context: RowContext) -> dict[str, Any]:
    return {"broker_version": [broker_version()] * n, "task": [context.task] * n}


def _lists(values: NDArray, lengths: ArrayLike) -> pa.ListArray:
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
