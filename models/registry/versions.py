"""The registry: bundles in a folder, each under its SHA-256, with an index of versions and aliases.

MLflow gets a run for each version, for inspection only; nothing is read from it (:mod:`models.registry.mlflow_runs`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from models.bundle import store as store_bundle
from models.registry import index, mlflow_runs
from models.registry.index import ALIASES, CANDIDATE, PREVIOUS, PRODUCTION, Index, Version

__all__ = ["ALIASES", "CANDIDATE", "PREVIOUS", "PRODUCTION", "Model", "Registry"]


@dataclass(frozen=True, slots=True)
class Model:
    """One registered bundle: its version (1, 2, …), SHA-256, folder, aliases, and metrics at training."""

    version: int
    sha256: str
    path: Path
    aliases: tuple[str, ...]
    created_ms: int
    metrics: dict[str, float]


class Registry:
    """Versions and aliases of model bundles in ``store/<sha256>/``; their runs are at an MLflow address.

    Several processes may use one store at once.
    """

    def __init__(self, uri: str, store: Path) -> None:
        """``uri``: an MLflow tracking address, such as ``sqlite:///file``. Nothing is opened before it is needed."""
        self.uri = uri
        self.store = Path(store)

    def register(self, bundle: Path, metrics: Mapping[str, float], params: Mapping[str, object]) -> Model:
        """Store a bundle and make it a version; a bundle that is registered already keeps its version.

        It becomes ``production`` if there is none, otherwise ``candidate``. Raises BundleError if the bundle is
        incomplete or changed, OSError if MLflow does not accept the run; in both cases nothing is registered.
        """
        _, sha256 = store_bundle(Path(bundle), self.store)

        def registered(before: Index) -> Index:
            if before.of_bundle(sha256) is not None:
                return before
            number = before.next_number
            mlflow_runs.record(self.uri, self.store, number, sha256, metrics, params)
            return before.with_version(Version(number, sha256, time.time_ns() // 1_000_000, dict(metrics)))

        after = self._change(registered)
        return next(self._model(after, version) for version in after.versions if version.sha256 == sha256)

    def model(self, name: str | int) -> Model:
        """The model with this alias or version number; raises LookupError if there is none."""
        current = self._index()
        return self._model(current, self._named(current, name))

    def models(self) -> list[Model]:
        """Every version, oldest first. Raises RegistryError if the index is damaged."""
        current = self._index()
        return [self._model(current, version) for version in current.versions]

    def promote(self, version: str | int) -> Model:
        """Make a version ``production``; the one before becomes ``previous``. Raises LookupError if it is unknown."""
        after = self._change(lambda before: before.promoted(self._named(before, version).number))
        return self._model(after, self._named(after, PRODUCTION))

    def rollback(self) -> Model:
        """Exchange ``production`` and ``previous``; a second rollback undoes the first.

        Raises LookupError if there is no previous model.
        """
        after = self._change(Index.rolled_back)
        return self._model(after, self._named(after, PRODUCTION))

    def path(self, sha256: str) -> Path:
        """The folder of the bundle with this SHA-256."""
        return self.store / sha256

    def _index(self) -> Index:
        """The current index. If there is none, the one that an earlier version kept in MLflow is imported."""
        current = index.read(self.store)
        if current is not None:
            return current
        former = mlflow_runs.former_index(self.uri)
        if former is None:
            return Index()
        with index.locked(self.store):
            current = index.read(self.store)
            if current is None:
                index.write(self.store, former)
        return former if current is None else current

    def _change(self, change: Callable[[Index], Index]) -> Index:
        """Apply ``change`` to the index under the lock; returns the new index."""
        self._index()  # first imports the index of an earlier version
        with index.locked(self.store):
            before = index.read(self.store) or Index()
            after = change(before)
            if after != before:
                index.write(self.store, after)
        return after

    def _named(self, current: Index, name: str | int) -> Version:
        number = current.aliases.get(str(name), str(name))
        for version in current.versions:
            if str(version.number) == str(number):
                return version
        names = ", ".join([*sorted(current.aliases), *(str(one.number) for one in current.versions)]) or "nothing yet"
        raise LookupError(f"no model {name!r} in {self.store}; it has {names}: train one with `gueststar train`")

    def _model(self, current: Index, version: Version) -> Model:
        aliases = tuple(alias for alias in ALIASES if current.aliases.get(alias) == version.number)
        path = self.path(version.sha256)
        return Model(version.number, version.sha256, path, aliases, version.created_ms, dict(version.metrics))
