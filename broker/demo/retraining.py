"""The retraining step of the demonstration."""

from __future__ import annotations

from collections.abc import Callable

from active_learning.retrain import retrain
from broker.demo.model import registry_of
from broker.kafka.message_log import labels_log
from broker.settings import Settings
from models.training.train import MIN_OBJECTS
from schemas.taxonomy import name_of


def learn(settings: Settings, progress: Callable[[str, int, int], None]) -> tuple[bool, str]:
    """Retrain on the labels so far; returns whether the new model went into production, and lines on it."""
    retrained = retrain(
        labels_log(settings),
        registry=registry_of(settings),
        archive=settings.home / "archive",
        progress=progress,
    )
    figures = [
        f"on held-out objects: {name.replace('_', ' ')} {figure.old:.3f} → {figure.new:.3f}"
        for name, figure in retrained.verdict.figures.items()
    ]
    new = [f"{name_of(class_id)} is now a known class" for class_id in retrained.newly_known]
    waiting = [
        f"{name_of(class_id)} has {n} label{'' if n == 1 else 's'}, too few to be learnt (it takes {MIN_OBJECTS})"
        for class_id, n in retrained.waiting.items()
    ]
    verdict = "in production" if retrained.verdict.accepted else f"not accepted: {retrained.verdict.why}"
    model = f"model {retrained.model.version} ({retrained.model.sha256[:16]}) {verdict}"
    return retrained.verdict.accepted, "\n        ".join([model, *new, *waiting, *figures])
