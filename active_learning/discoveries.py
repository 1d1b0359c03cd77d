"""A night's selection of objects of no known class: from archive, labels and earlier nights to records that are kept.

The selection itself is :func:`models.discovery.selection.select`. This module says which objects take which part in it,
and writes down the result, so that a later night neither repeats nor withdraws what was published.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from active_learning import last_alerts, nulls
from active_learning.labels import Answer
from active_learning.last_alerts import LastAlerts
from active_learning.nulls import LabelledObjects
from features.catalogue import NAMES
from models.discovery.objects import Blocks, Objects
from models.discovery.publication import History
from models.discovery.selection import Control, Mode, Selection, select
from models.progress import Progress, silent
from models.scoring.scorer import Scorer

Record = dict[str, Any]

CHUNK = 20_000
"""Objects that are scored at a time: this bounds the memory, whatever their number."""

OF_ALERT = (
    *("object_id", "object_name", "survey", "alert_id", "alert_mjd", "input_topic", "input_partition", "input_offset"),
    *("ra_deg", "dec_deg", "class_id", "class_ids", "p_survey"),
)
"""What a record of an object takes from its newest alert."""


@dataclass(frozen=True, slots=True)
class Window:
    """The nights of a selection: the ``last`` (MJD of its evening), how many, and the files of those with alerts."""

    last: int
    nights: int
    files: list[Path]

    @classmethod
    def of(cls, archive: Path, nights: int, last: int | None = None) -> Window:
        """The ``nights`` nights up to ``last``, by default the newest of the archive. LookupError if it has none."""
        files_by_night = last_alerts.nights_of(archive)
        if not files_by_night:
            raise LookupError(
                f"no archive of classified alerts under {archive}: run the stream first (`gueststar run`)"
            )
        end = max(files_by_night) if last is None else last
        files = [file for night, of_night in files_by_night.items() if end - nights < night <= end for file in of_night]
        return cls(end, nights, files)

    def holds(self, night: int) -> bool:
        """Whether a night is one of them."""
        return self.last - self.nights < night <= self.last


@dataclass(frozen=True, slots=True)
class Roles:
    """Who takes which part: ``stream`` is tested, ``nulls`` are of known classes, ``examples`` labelled objects of
    classes that the model does not know."""

    stream: LastAlerts
    nulls: LabelledObjects
    examples: LabelledObjects


@dataclass(frozen=True, slots=True)
class Night:
    """What a night's selection says: one record of the night, and one of each object that is new in it.

    ``selection``: with the rows of ``stream``.
    """

    of_night: Record
    of_objects: list[Record]
    selection: Selection
    stream: LastAlerts


def roles(
    window: Window,
    archive: Path,
    answers: Mapping[int, Answer],
    imported: Iterable[LabelledObjects],
    class_ids: Sequence[int],
    progress: Progress = silent,
) -> Roles:
    """Nulls are the labels that are a fair sample (:func:`active_learning.nulls.fair`), and the ``imported`` sets, of
    the model's ``class_ids``. No labelled object is tested: its class is known."""
    stream = last_alerts.read(window.files, progress)
    agreed = {one: answer.class_id for one, answer in answers.items() if answer.class_id is not None}
    fair = nulls.fair(answers)
    unknown = {one: class_id for one, class_id in agreed.items() if class_id not in set(class_ids)}
    sets = list(imported)
    in_stream = nulls.in_archive(archive, {one: class_id for one, class_id in fair.items() if one not in unknown})
    of_unknown = nulls.in_archive(archive, unknown)
    of_known = LabelledObjects.concatenate([in_stream, *(s.select(nulls.of_known_classes(s, class_ids)) for s in sets)])
    examples = LabelledObjects.concatenate(
        [of_unknown, *(s.select(~nulls.of_known_classes(s, class_ids)) for s in sets)]
    )
    labelled = np.union1d(np.array(list(answers), np.int64), np.union1d(of_known.object_id, examples.object_id))
    return Roles(stream.select(~np.isin(stream.object_id, labelled)), of_known, examples)


def history(of_objects: Iterable[Mapping[str, Any]], of_nights: Iterable[Mapping[str, Any]], window: Window) -> History:
    """What was published with an error rate so far, and the nulls that passed with it in the nights of the window."""
    published = [one["object_id"] for one in of_objects if one["control"] != Control.UNCONTROLLED]
    passed = [one for night in of_nights if window.holds(night["night"]) for one in night["passed_null_ids"]]
    return History(np.unique(np.array(published, np.int64)), np.unique(np.array(passed, np.int64)))


def night(
    scorer: Scorer,
    parts: Roles,
    window: Window,
    past: History,
    *,
    fdr: float,
    strict: bool,
    seed: int,
    now_ms: int,
    version: str,
) -> Night:
    """Select among the objects of the window. Arguments as for :func:`models.discovery.selection.select`; ``past`` is
    what :func:`history` says. Raises LookupError if there is no object to test."""
    if not len(parts.stream):
        raise LookupError(
            f"no classified object without a label in the {window.nights} nights up to MJD {window.last}: "
            "run the stream, or ask for another --night"
        )
    class_id = np.asarray(parts.stream.table["class_id"].to_numpy(), np.int64)
    stream = _objects(scorer, parts.stream.object_id, class_id, parts.stream.features)
    labelled = [_objects(scorer, o.object_id, o.class_id, o.features) for o in (parts.nulls, parts.examples)]
    selection = select(
        stream,
        labelled[0],
        fdr=fdr,
        seed=seed,
        mode=Mode.STRICT if strict else Mode.POWERFUL,
        history=past,
        novel=labelled[1],
        blocks=Blocks.of_wide(stream.vectors.shape[1], len(scorer.class_ids)),
    )
    common = _common(window, selection) | {
        "created_ms": now_ms,
        "model_sha256": scorer.sha256,
        "broker_version": version,
    }
    of_night = common | _of_night(selection, parts, past)
    return Night(of_night, _of_objects(common, selection, parts), selection, parts.stream)


def _objects(
    scorer: Scorer, object_id: NDArray[np.int64], class_id: NDArray[np.int64], features: NDArray[np.float32]
) -> Objects:
    chunks = [features[begin : begin + CHUNK] for begin in range(0, max(len(features), 1), CHUNK)]
    vectors = [scorer.object_vectors(chunk, _detections(chunk)) for chunk in chunks]
    normal = [scorer.novelty.normal_scores.transform(chunk.astype(np.float64)).astype(np.float32) for chunk in chunks]
    return Objects(
        object_id,
        np.concatenate([one.wide for one in vectors]),
        class_id,
        np.concatenate([one.score for one in vectors]),
        np.where(np.isnan(features), np.nan, np.concatenate(normal)).astype(np.float32),
        NAMES,
    )


def _detections(features: NDArray[np.floating]) -> NDArray[np.int64]:
    return np.nan_to_num(features[:, NAMES.index("n_detections")]).astype(np.int64)


def _common(window: Window, selection: Selection) -> Record:
    return {
        "night": window.last,
        "nights": window.nights,
        "control": str(selection.control),
        "fdr": selection.fdr,
        "n_objects": len(selection.score),
        "n_nulls": selection.n_nulls,
    }


def _of_night(selection: Selection, parts: Roles, past: History) -> Record:
    chosen = selection.selected
    return {
        "object_ids": parts.stream.object_id[chosen].tolist(),
        "q_values": selection.q_value[chosen].tolist(),
        "groups": selection.group.tolist(),
        "passed_null_ids": np.setdiff1d(selection.history.passed_nulls, past.passed_nulls).tolist(),
    }


def _of_objects(common: Record, selection: Selection, parts: Roles) -> list[Record]:
    """A record of each object that is new, in order of rank."""
    rank = np.empty(len(selection.score), np.int64)
    rank[np.argsort(-selection.score, kind="stable")] = 1 + np.arange(len(rank))
    new = np.flatnonzero(selection.is_new)
    rows = selection.selected[new]
    alerts = parts.stream.table.take(pa.array(rows)).to_pylist()
    ids, null_ids = parts.stream.object_id, parts.nulls.object_id
    records = []
    for place, row, alert in zip(new.tolist(), rows.tolist(), alerts, strict=True):
        evidence = selection.evidence[place]
        records.append(
            common
            | {name: alert[name] for name in OF_ALERT}
            | {
                "fdr": common["fdr"] if common["control"] != Control.UNCONTROLLED else np.nan,
                "q_value": float(selection.q_value[row]),
                "p_value": float(selection.p_value[row]),
                "score": float(selection.score[row]),
                "rank": int(rank[row]),
                "group": int(selection.group[place]),
                "nearest_known_object_ids": null_ids[list(evidence.nearest_nulls)].tolist(),
                "nearest_known_class_ids": list(evidence.nearest_classes),
                "nearest_novel_object_ids": ids[list(evidence.nearest_novel)].tolist(),
                "driver_features": [driver.feature for driver in evidence.drivers],
                "driver_deviations": [driver.deviation for driver in evidence.drivers],
            }
        )
    return records
