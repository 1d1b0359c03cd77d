"""Learn from the labels: base table + labelled objects → a new bundle → the gate → the registry."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from active_learning import gate, labelled_rows, labels
from active_learning.labels import Answer
from active_learning.logs import Log, Stored
from active_learning.sampling import lot_of
from features.catalogue import NAMES
from models.progress import Progress, silent
from models.registry.versions import PRODUCTION, Model, Registry
from models.scoring.scorer import Scorer
from models.training import train
from models.training.base_table import base_table
from models.training.training_rows import TrainingRows, with_labelled

LABEL_WEIGHT = 4.0
"""An object that a person labelled counts as this many of the base table: it is from the stream itself."""

MIN_RANDOM_LABELS = 60
"""With this many labelled objects that were drawn at random, half of them are held out for evaluation."""


@dataclass(frozen=True, slots=True)
class Retrained:
    """The result: the registered model, the decision of the gate, and the labels used.

    ``by_class``: labelled objects used, by class id. ``newly_known``: classes that production does
    not know. ``waiting``: labelled objects of classes with too few for training. ``notes``: remarks
    for people.
    """

    model: Model
    verdict: gate.GateDecision
    by_class: dict[int, int]
    newly_known: list[int]
    waiting: dict[int, int]
    n_labels: int
    notes: list[str]


@dataclass(frozen=True, slots=True)
class _Lessons:
    """Rows to train on, rows kept for evaluation, what the manifest says of the labels, and notes for people."""

    taught: pa.Table
    judged: pa.Table
    evidence: dict[str, Any]
    notes: list[str]


def retrain(
    label_log: Log,
    *,
    registry: Registry,
    archive: Path,
    progress: Progress = silent,
    n_jobs: int | None = None,
) -> Retrained:
    """Train on all labels that hold now, compare the bundle with production, register it, and promote it if it passes.

    ``archive``: folder of the Parquet files of classified alerts; ``n_jobs``: processes, as for training.

    Raises LookupError if there is nothing to train on (no labels, none in the archive, the same labels as in
    production, no production model or no training table), ValueError as models.training.train, OSError if the labels
    cannot be read.
    """
    production = registry.model(PRODUCTION)
    old = Scorer.load(production.path, production.sha256)
    lessons = _lessons(label_log.read(), label_log.topic, archive, old.manifest["training"])
    base = base_table(old.manifest, registry.store, progress)
    by_class = _objects_by_class(lessons.taught)
    with tempfile.TemporaryDirectory(prefix="gueststar-") as scratch:
        trained = _train(Path(scratch) / "bundle", old, base, lessons, by_class, progress, n_jobs)
        new = Scorer.load(trained.path)
        progress("gate", 0, 1)
        verdict = gate.compare(old, new, _held_out(base, lessons), seed=old.manifest["training"]["seed"])
        progress("gate", 1, 1)
        figures = {f"gate_{name}_change": figure.difference for name, figure in verdict.figures.items()}
        params = {"labels": lessons.evidence["fingerprint"][:16], "parent": production.sha256[:16]}
        model = registry.register(trained.path, {**trained.metrics, **figures}, {**trained.params, **params})
    if verdict.accepted:
        model = registry.promote(model.version)
    class_ids, class_ids_before = set(new.class_ids.tolist()), set(old.class_ids.tolist())
    waiting = {class_id: n for class_id, n in by_class.items() if class_id not in class_ids}
    n_labels = len(lessons.evidence["label_ids"])
    return Retrained(model, verdict, by_class, sorted(class_ids - class_ids_before), waiting, n_labels, lessons.notes)


def _lessons(stored: list[Stored], topic: str, archive: Path, past: Mapping[str, Any]) -> _Lessons:
    """What there is to learn; LookupError where that is nothing, or nothing new."""
    answers = labels.answers(one.record for one in stored)
    used = {i: (answer, answer.class_id) for i, answer in answers.items() if answer.class_id is not None}
    if not used:
        raise LookupError(f"no labels in {topic} to learn from: give some with `gueststar label`")
    evidence = _evidence(stored, [answer for answer, _ in used.values()], topic)
    if past.get("labels", {}).get("fingerprint") == evidence["fingerprint"]:
        raise LookupError("production was trained with these same labels already: give more with `gueststar label`")
    labelled = labelled_rows.read(archive, {i: class_id for i, (_, class_id) in used.items()})
    object_id = labelled.table["object_id"].to_numpy()
    if not len(object_id):
        raise LookupError(f"none of the {len(used)} labelled objects is in the archive {archive}: run the stream first")
    drawn = {i for i in set(object_id.tolist()) if used[i][0].newest["reason"] == "random"}
    kept_out, note = _kept_out(sorted(drawn))
    judged = np.isin(object_id, kept_out)
    notes = _notes(labelled, answers, note)
    return _Lessons(labelled.table.filter(pa.array(~judged)), labelled.table.filter(pa.array(judged)), evidence, notes)


def _train(
    out: Path,
    old: Scorer,
    base: pa.Table,
    lessons: _Lessons,
    by_class: Mapping[int, int],
    progress: Progress,
    n_jobs: int | None,
) -> train.Trained:
    """A bundle from the base table and the labelled objects, with the production bundle's seed and sources."""
    past, unknown = old.manifest["training"], [int(class_id) for class_id in old.manifest["left_out"]]
    left_out = [class_id for class_id in unknown if by_class.get(class_id, 0) < train.MIN_OBJECTS]
    sources = {name: past[name] for name in ("sources", "fingerprint", "table", "copies") if name in past}
    return train.fit_bundle(
        _joined(base, lessons.taught, sorted(set(unknown) - set(left_out))),
        out=out,
        left_out=left_out,
        seed=int(past["seed"]),
        sources={**sources, "labels": lessons.evidence, "parent": old.sha256},
        fusion=old.novelty.fusion,
        progress=progress,
        n_jobs=n_jobs,
    )


def _evidence(stored: list[Stored], used: list[Answer], topic: str) -> dict[str, Any]:
    """What the manifest says of the labels: their ids, a fingerprint of these, and how far the topic was read."""
    ids = sorted(label_id for answer in used for label_id in answer.label_ids)
    ends: dict[str, int] = {}
    for one in stored:
        ends[str(one.partition)] = max(ends.get(str(one.partition), 0), one.offset + 1)
    return {
        "topic": topic,
        "ends": ends,
        "n_objects": len(used),
        "fingerprint": labels.fingerprint(ids),
        "label_ids": ids,
    }


def _kept_out(drawn: list[int]) -> tuple[list[int], str]:
    """Of the objects drawn at random half, if they are numerous; the same ones at every training."""
    if len(drawn) < MIN_RANDOM_LABELS:
        return [], (
            f"all labels train: of the {len(drawn)} randomly drawn ones none is kept for evaluation, "
            f"which takes {MIN_RANDOM_LABELS}"
        )
    kept = [i for i, lot in zip(drawn, lot_of(drawn, seed=7).tolist(), strict=True) if lot < 0.5]
    return kept, f"{len(kept)} of the {len(drawn)} randomly drawn labels are kept out of training, for evaluation"


def _notes(labelled: labelled_rows.LabelledRows, answers: Mapping[int, Answer], note: str) -> list[str]:
    notes = [note]
    if labelled.missing:
        notes.append(f"{len(labelled.missing)} labelled objects have no usable alert in the archive and are left out")
    if conflicts := sum(answer.is_conflict for answer in answers.values()):
        notes.append(f"{conflicts} objects are left out because their labellers disagree")
    return notes


def _objects_by_class(table: pa.Table) -> dict[int, int]:
    pairs = set(zip(table["object_id"].to_pylist(), table["class_id"].to_pylist(), strict=True))
    return dict(sorted(Counter(class_id for _, class_id in pairs).items()))


def _joined(base: pa.Table, taught: pa.Table, now_known: list[int]) -> pa.Table:
    """Base and labelled rows. A class that was left out is trained on its labels only, not on the truth of the base."""
    base = base.filter(pa.array(~np.isin(base["class_id"].to_numpy(), now_known)))
    _, row, rows = np.unique(taught["object_id"].to_numpy(), return_inverse=True, return_counts=True)
    return with_labelled(base, taught.append_column("weight", pa.array(LABEL_WEIGHT / rows[row])))


def _held_out(base: pa.Table, lessons: _Lessons) -> TrainingRows:
    """Test objects of the base table that nobody has labelled, and the labels kept out of training."""
    labelled = np.concatenate([part["object_id"].to_numpy() for part in (lessons.taught, lessons.judged)])
    fresh = ~np.isin(base["object_id"].to_numpy(), labelled)
    test = TrainingRows.of(base.filter(pa.array(fresh)), NAMES)
    test = test.select(test.split == "test")
    if not len(lessons.judged):
        return test
    extra = TrainingRows.of(with_labelled(base.slice(0, 0), lessons.judged), NAMES)
    return TrainingRows(
        **{name: np.concatenate([getattr(test, name), getattr(extra, name)]) for name in TrainingRows.__slots__}
    )
