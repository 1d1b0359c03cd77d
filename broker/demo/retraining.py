"""The retraining step of the demonstration."""

from __future__ import annotations

from collections.abc import Callable

from active_learning.retrain import retrain
from broker.demo.model import registry_of
from broker.kafka.message_log import labels_log
from broker.settings import Settings
from schemas.taxonomy import name_of


def learn(settings: Settings, progress: Callable[[str, int, int], None]) -> tuple[bool, str]:
    """Retrain on the labels so far; returns whether the new model went into production, and a sentence on it."""
    retrained = retrain(
        labels_log(settings),
        registry=registry_of(settings),
        archive=settings.home / "archive",
        progress=progress,
    )
    figures = ", ".join(
        f"{name.replace('_', ' ')} {figure.old:.3f} → {figure.new:.3f}"
        for name, figure in retrained.verdict.figures.items()
    )
    new = [f"{name_of(class_id)} is now a known class" for class_id in retrained.newly_known]
    waiting = [f"{name_of(class_id)} has {n} labels, too few" for class_id, n in retrained.waiting.items()]
    verdict = "in production" if retrained.verdict.accepted else f"not accepted: {retrained.verdict.why}"
    model = f"model {retrained.model.version} ({retrained.model.sha256[:16]}) {verdict}"
    return retrained.verdict.accepted, "; ".join([model, *new, *waiting, f"held out: {figures}"])
