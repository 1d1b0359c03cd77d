"""A model as a user names it: a version or an alias of the registry, the word shipped, or a bundle's folder."""

from __future__ import annotations

from pathlib import Path

from models.bundle import MANIFEST
from models.registry import shipped
from models.registry.versions import PRODUCTION, Registry
from models.scoring.scorer import Scorer

SHIPPED = "shipped"


def named(model: str, registry: Registry) -> Scorer:
    """The model, loaded and checked. If the registry is empty, ``production`` is the shipped model, as for a job.

    Raises LookupError if nothing has that name, BundleError as Scorer.load.
    """
    if model == SHIPPED:
        return Scorer.load(shipped.folder())
    path = Path(model).expanduser()
    if (path / MANIFEST).is_file():
        return Scorer.load(path)
    if model == PRODUCTION and not any(registry.models()):
        return Scorer.load(shipped.folder())
    version = registry.model(model)
    return Scorer.load(version.path, version.sha256)


def ensure_one(registry: Registry) -> str | None:
    """Register the shipped model if none is in production; returns its SHA-256, or None if one was."""
    if any(registry.models()):
        return None
    return registry.register(shipped.folder(), shipped.metrics(), {"origin": "came with gueststar"}).sha256
