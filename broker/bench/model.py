"""The model that the benchmarks score with."""

from __future__ import annotations

from pathlib import Path

from broker.bench.contest import Progress
from broker.settings import Settings
from models import shipped
from models.registry import Registry
from models.scorer import Scorer


def scorer(settings: Settings, progress: Progress) -> Scorer:
    """The scorer of :func:`bundle_folder`."""
    return Scorer.load(bundle_folder(settings, progress))


def bundle_folder(settings: Settings, progress: Progress) -> Path:
    """The model in production; where there is none that fits this program, the one that came with it."""
    progress("model", 0, 1)
    try:
        model = Registry(settings.registry_address(), settings.home / "models").model("production")
        Scorer.load(model.path, model.sha256)
        found = model.path
    except (LookupError, ValueError):  # none, or one for other features
        found = shipped.folder()
    progress("model", 1, 1)
    return found
