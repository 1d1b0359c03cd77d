"""The model that the benchmarks score with."""

from __future__ import annotations

from pathlib import Path

from broker.bench.contest import Progress
from broker.settings import Settings
from models.registry import shipped
from models.registry.versions import PRODUCTION
from models.scoring.scorer import Scorer


def scorer(settings: Settings, progress: Progress) -> Scorer:
    """The scorer of :func:`bundle_folder`."""
    return _bundle_and_scorer(settings, progress)[1]


def bundle_folder(settings: Settings, progress: Progress) -> Path:
    """The model in production; where there is none that fits this program, the one that came with it."""
    return _bundle_and_scorer(settings, progress)[0]


def _bundle_and_scorer(settings: Settings, progress: Progress) -> tuple[Path, Scorer]:
    progress("model", 0, 1)
    try:
        model = settings.registry().model(PRODUCTION)
        bundle = model.path, Scorer.load(model.path, model.sha256)
    except (LookupError, ValueError):  # none, or one for other features
        bundle = shipped.folder(), Scorer.load(shipped.folder())
    progress("model", 1, 1)
    return bundle
