"""Adapt the production model to the stream: labels and archive → heads for each survey → the gate → the registry."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from active_learning import gate, labels, nulls, stream_sample
from active_learning.drift import Drift, drift_of
from active_learning.labels import Answer
from active_learning.logs import Log
from active_learning.stream_sample import Alerts
from models.adaptation import bundles, fitting
from models.adaptation.adapting import Adaptation, Unlabelled, adapted
from models.adaptation.fitting import Lessons
from models.progress import Progress, silent
from models.registry.versions import PRODUCTION, Model, Registry
from models.scoring.scorer import Scorer
from schemas.passbands import SURVEYS

SEED = 1


@dataclass(frozen=True, slots=True)
class Adapted:
    """The result.

    - ``by_survey``: of each survey, by its name; ``drift``: the same.
    - ``model``: the registered model; None if nothing is to be changed, or with ``dry_run``.
    - ``verdict``: of the gate; None if nothing is to be changed.
    - ``notes``: remarks for people.
    """

    by_survey: dict[str, Adaptation]
    drift: dict[str, Drift]
    model: Model | None
    verdict: gate.GateDecision | None
    notes: list[str]


def adapt(
    label_log: Log, *, registry: Registry, archive: Path, dry_run: bool = False, progress: Progress = silent
) -> Adapted:
    """Adapt to each survey in the archive, compare with production on labelled objects, register, and promote if that
    is not worse. ``dry_run``: measure only.

    Raises LookupError without a production model or an archive, OSError if the labels cannot be read.
    """
    production = registry.model(PRODUCTION)
    scorer = Scorer.load(production.path, production.sha256)
    fair = _fair(labels.answers(stored.record for stored in label_log.read()), scorer)
    classes = {object_id: int(answer.class_id or 0) for object_id, answer in fair.items()}
    progress("reading the archive", 0, 2)
    taught = stream_sample.labelled(archive, classes)
    free = stream_sample.unlabelled(archive, classes, SEED)
    progress("reading the archive", 2, 2)
    by_survey, drifts = {}, {}
    for survey in np.unique(np.concatenate([taught.survey, free.survey])):
        mine, others = taught.select(taught.survey == survey), free.select(free.survey == survey)
        lessons = _lessons(scorer, mine, classes)
        by_survey[SURVEYS[survey]] = adapted(
            lessons, _unlabelled(scorer, others), rates=scorer.prior, class_ids=scorer.class_ids, seed=SEED,
            progress=progress,
        )  # fmt: skip
        drifts[SURVEYS[survey]] = drift_of(scorer, registry.store, lessons, mine, others)
    heads = {SURVEYS.index(name): one.head for name, one in by_survey.items() if one.head is not None}
    evidence = _evidence(label_log, fair, taught, free)
    past = scorer.manifest.get("adaptation", {})
    notes = [f"{len(fair) - len(np.unique(taught.object_id))} labelled objects are not in the archive"]
    notes = notes if not notes[0].startswith("0 ") else []
    if not heads:
        return Adapted(by_survey, drifts, None, None, [*notes, "the model stays as it is"])
    verdict = _judged(by_survey, past)
    if dry_run or past.get("labels", {}).get("fingerprint") == evidence["labels"]["fingerprint"]:
        notes.append(
            "a dry run: nothing is registered" if dry_run else "production was adapted to these labels already"
        )
        return Adapted(by_survey, drifts, None, verdict, notes)
    with tempfile.TemporaryDirectory(prefix="gueststar-") as scratch:
        bundles.write(production.path, Path(scratch) / "bundle", heads, evidence)
        figures = {f"gate_{name}_change": figure.difference for name, figure in verdict.figures.items()}
        params = {"labels": evidence["labels"]["fingerprint"][:16], "parent": production.sha256[:16]}
        model = registry.register(Path(scratch) / "bundle", figures, params)
    return Adapted(by_survey, drifts, registry.promote(model.version) if verdict.accepted else model, verdict, notes)


def _fair(answers: Mapping[int, Answer], scorer: Scorer) -> dict[int, Answer]:
    """Labels that are a fair sample, of classes that the model knows."""
    known_ids = set(scorer.class_ids.tolist())
    return {
        object_id: answer
        for object_id, answer in answers.items()
        if answer.class_id in known_ids and answer.newest["reason"] in nulls.FAIR_REASONS
    }


def _lessons(scorer: Scorer, alerts: Alerts, classes: Mapping[int, int]) -> Lessons:
    p_model, x = scorer.before_adapting(alerts.features, alerts.detections, alerts.host)
    class_id = np.array([classes[int(one)] for one in alerts.object_id], np.int64)
    weight = fitting.weights_of(alerts.object_id, alerts.is_last) if len(alerts) else np.zeros(0)
    label = np.searchsorted(scorer.class_ids, class_id)
    return Lessons(alerts.object_id, label, weight, p_model, x, alerts.detections, alerts.is_last)


def _unlabelled(scorer: Scorer, alerts: Alerts) -> Unlabelled:
    p_model, x = scorer.before_adapting(alerts.features, alerts.detections, alerts.host)
    return Unlabelled(p_model, x, alerts.detections)


def _judged(by_survey: Mapping[str, Adaptation], past: Mapping[str, Any]) -> gate.GateDecision:
    """The gate's decision over all surveys, on cross-validated probabilities, against the model without heads.

    Production's own heads would be judged on labels that they were fitted to.
    """
    parts = [one for one in by_survey.values() if one.head is not None]
    columns: list[NDArray[Any]] = [
        np.concatenate([getattr(one.last, name) for one in parts]) for name in ("p_model", "label", "object_id")
    ]
    p_after = np.concatenate([one.p_after for one in parts])
    return gate.compare_probabilities(columns[0], p_after, columns[1], columns[2], seed=SEED)


def _evidence(label_log: Log, fair: Mapping[int, Answer], taught: Alerts, free: Alerts) -> dict[str, Any]:
    """What the manifest says: the labels and their fingerprint, and which part of the archive was looked at."""
    ids = sorted(label_id for answer in fair.values() for label_id in answer.label_ids)
    mjd = np.concatenate([taught.alert_mjd, free.alert_mjd])
    return {
        "labels": {"topic": label_log.topic, "n_objects": len(fair), "fingerprint": labels.fingerprint(ids)},
        "archive": {"first_mjd": float(mjd.min()), "last_mjd": float(mjd.max()), "n_unlabelled": len(free)},
    }


def to_json(result: Adapted) -> dict[str, Any]:
    """Plain values for ``--json``."""
    return {
        "surveys": {
            name: {
                "labelled_objects": one.n_labelled,
                "unlabelled_objects": one.n_unlabelled,
                "before": None if one.before is None else _finite(asdict(one.before)),
                "steps": [
                    {"name": step.name, "taken": step.taken, "why": step.why,
                     "figures": None if step.figures is None else _finite(asdict(step.figures))}
                    for step in one.steps
                ],
                "drift": result.drift[name].to_json(),
            }
            for name, one in result.by_survey.items()
        },
        "version": None if result.model is None else result.model.version,
        "sha256": None if result.model is None else result.model.sha256,
        "accepted": None if result.verdict is None else result.verdict.accepted,
        "why": None if result.verdict is None else result.verdict.why,
        "notes": result.notes,
    }  # fmt: skip


def _finite(values: Mapping[str, float]) -> dict[str, float | None]:
    return {name: float(value) if np.isfinite(value) else None for name, value in values.items()}
