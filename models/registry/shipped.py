"""The model that comes with the program: ``make model`` makes it."""

from __future__ import annotations

import json
from pathlib import Path

from models.bundle import MANIFEST


def folder() -> Path:
    """The bundle's folder, for :meth:`models.scoring.scorer.Scorer.load`, which checks it."""
    return Path(__file__).parents[1] / "bundle_of_plasticc"


def metrics() -> dict[str, float]:
    """Its metrics on held-out objects, from its manifest."""
    metrics_of_manifest: dict[str, float] = json.loads((folder() / MANIFEST).read_text(encoding="utf-8"))["metrics"]
    return metrics_of_manifest
