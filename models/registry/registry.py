"""The registry: MLflow keeps versions, metrics and aliases; the bundles lie in a folder, each under its SHA-256."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import sqlite3
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from models.bundle import store as store_bundle
from models.registry.tables import RegistryTables, Version

NAME = "gueststar"
PRODUCTION, CANDIDATE, PREVIOUS = "production", "candidate", "previous"
_EPOCH = re.compile(r"(.+)_epoch_(\d+)")
_CURVE = "_by_detections"
ALIASES = (PRODUCTION, CANDIDATE, PREVIOUS)
"""``production`` scores the stream, ``candidate`` waits for its gates, ``previous`` is what a rollback brings back."""


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
    """Versions and aliases of model bundles at an MLflow address, with the bundles in ``store/<sha256>/``."""

    def __init__(self, uri: str, store: Path) -> None:
        """``uri``: an MLflow tracking address, such as ``sqlite:///file``; made when first used."""
        self.uri = uri
        self.store = Path(store)
        self._tables = RegistryTables.at(uri, NAME)

    def register(self, bundle: Path, metrics: Mapping[str, float], params: Mapping[str, object]) -> Model:
        """Store a bundle and make it a version; the same bundle again is the version it already is.

        It becomes ``production`` where there is none, else ``candidate``. Raises BundleError where the
        bundle is incomplete or changed.
        """
        path, sha256 = store_bundle(Path(bundle), self.store)
        for model in self.models():
            if model.sha256 == sha256:
                return model
        with _quiet():
            run_id = self._run(metrics, {**params, "sha256": sha256})
            tags = {"sha256": sha256}
            created = self._client.create_model_version(NAME, source=path.as_uri(), run_id=run_id, tags=tags)
        version = int(created.version)
        self._point(CANDIDATE if PRODUCTION in self._aliases() else PRODUCTION, version)
        return self.model(version)

    def model(self, which: str | int) -> Model:
        """The model with this alias or version number; raises LookupError where there is none."""
        models = self.models()
        for model in models:
            if str(which) in (*model.aliases, str(model.version)):
                return model
        aliases = [alias for model in models for alias in model.aliases]
        known = ", ".join([*sorted(aliases), *(str(model.version) for model in models)]) or "nothing yet"
        raise LookupError(f"no model {which!r} in {self.uri}; it has {known}: train one with `gueststar train`")

    def models(self) -> list[Model]:
        """Every version, oldest first."""
        aliases = self._aliases()
        return [
            Model(
                found.version,
                found.sha256,
                self.path(found.sha256),
                tuple(alias for alias in ALIASES if aliases.get(alias) == found.version),
                found.created_ms,
                {name: value for name, value in found.metrics.items() if not name.endswith(_CURVE)},
            )
            for found in self._versions()
        ]

    def promote(self, version: str | int) -> Model:
        """Make a version ``production``; what was becomes ``previous``. Raises LookupError where it is unknown."""
        chosen, aliases = self.model(version), self._aliases()
        current = aliases.get(PRODUCTION)
        if current == chosen.version:
            return chosen
        if current is not None:
            self._point(PREVIOUS, current)
        self._point(PRODUCTION, chosen.version)
        if aliases.get(CANDIDATE) == chosen.version:
            with _quiet():
                self._client.delete_registered_model_alias(NAME, CANDIDATE)
        return self.model(chosen.version)

    def rollback(self) -> Model:
        """Exchange ``production`` and ``previous``; a second rollback undoes the first.

        Raises LookupError where there is no previous model.
        """
        aliases = self._aliases()
        if PREVIOUS not in aliases:
            raise LookupError("there is no previous model to roll back to: only one was ever in production")
        self._point(PRODUCTION, aliases[PREVIOUS])
        self._point(PREVIOUS, aliases[PRODUCTION])
        return self.model(PRODUCTION)

    def path(self, sha256: str) -> Path:
        """The folder of the bundle with this SHA-256."""
        return self.store / sha256

    @cached_property
    def _client(self) -> Any:
        if self.uri.startswith("sqlite:///"):
            Path(self.uri.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
        with _quiet():
            from mlflow import MlflowClient  # here: it takes seconds to import

            client = MlflowClient(tracking_uri=self.uri, registry_uri=self.uri)
            if not client.search_registered_models(f"name='{NAME}'"):
                with contextlib.suppress(_mlflow_error()):
                    client.create_registered_model(NAME, description="Bundles of the alert classifier.")
        return client

    def _versions(self) -> list[Version]:
        """Every version, oldest first: from the store's file where it is one, else from MLflow."""
        if self._tables is not None:
            with contextlib.suppress(sqlite3.Error):  # tables of another MLflow: ask itself
                return self._tables.versions()
        with _quiet():
            found = self._client.search_model_versions(f"name='{NAME}'")
            return sorted((self._version(each) for each in found), key=lambda version: version.version)

    def _version(self, found: Any) -> Version:
        metrics = self._client.get_run(found.run_id).data.metrics if found.run_id else {}
        return Version(int(found.version), str(found.tags["sha256"]), int(found.creation_timestamp), dict(metrics))

    def _aliases(self) -> dict[str, int]:
        if self._tables is not None:
            with contextlib.suppress(sqlite3.Error):
                return self._tables.aliases()
        with _quiet():
            aliases = self._client.get_registered_model(NAME).aliases
        return {alias: int(version) for alias, version in aliases.items()}

    def _point(self, alias: str, version: int) -> None:
        with _quiet():
            self._client.set_registered_model_alias(NAME, alias, str(version))

    def _run(self, metrics: Mapping[str, float], params: Mapping[str, object]) -> str:
        """A finished MLflow run that holds the parameters and metrics; its artifacts are the bundles' folder."""
        found, artifacts = self._client.get_experiment_by_name(NAME), self.store.absolute().as_uri()
        experiment_id = (
            found.experiment_id if found else self._client.create_experiment(NAME, artifact_location=artifacts)
        )
        run_id: str = self._client.create_run(experiment_id).info.run_id
        for name, value in params.items():
            self._client.log_param(run_id, name, value)
        for name, number in metrics.items():
            self._client.log_metric(run_id, name, float(number))
            if at_epoch := _EPOCH.fullmatch(name):  # MLflow draws these as a curve over the number of detections
                self._client.log_metric(run_id, f"{at_epoch[1]}{_CURVE}", float(number), step=int(at_epoch[2]))
        self._client.set_terminated(run_id)
        return run_id


def _mlflow_error() -> type[Exception]:
    """What MLflow raises: a name that is not there, or one that two programs made at once."""
    from mlflow.exceptions import MlflowException

    error: type[Exception] = MlflowException
    return error


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep MLflow's and its libraries' notices off the user's terminal; errors still come through."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "ERROR")  # read when MLflow is imported, which sets its loggers anew
    names = ("mlflow", "alembic", "alembic.runtime.migration")
    before = {name: logging.getLogger(name).level for name in names}
    for name in names:
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)
