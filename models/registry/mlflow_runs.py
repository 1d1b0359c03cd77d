"""MLflow through its public client: a run with parameters and metrics for every registered bundle.

Its import takes seconds and a hundred megabytes. So it is imported when a model is registered, not when one
is read. Earlier versions of gueststar kept versions and aliases in MLflow too; :func:`former_index` reads them.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from models.registry.index import ALIASES, Index, Version

NAME = "gueststar"
"""Name of the experiment, and of the registered model of earlier versions."""

_EPOCH = re.compile(r"(.+)_epoch_(\d+)")
_CURVE = "_by_detections"
_SQLITE = "sqlite:///"


def record(
    uri: str, store: Path, version: int, sha256: str, metrics: Mapping[str, float], params: Mapping[str, object]
) -> None:
    """Write a finished run of a bundle in ``store`` to MLflow; raises OSError if MLflow does not accept it."""
    with _mlflow(uri) as client:
        experiment, artifacts = client.get_experiment_by_name(NAME), store.absolute().as_uri()
        experiment_id = (
            experiment.experiment_id if experiment else client.create_experiment(NAME, artifact_location=artifacts)
        )
        run_id = client.create_run(experiment_id, run_name=f"version {version}").info.run_id
        for name, value in {**params, "sha256": sha256, "version": version}.items():
            client.log_param(run_id, name, value)
        for name, number in metrics.items():
            client.log_metric(run_id, name, float(number))
            if at_epoch := _EPOCH.fullmatch(name):  # MLflow draws these as a curve over the number of detections
                client.log_metric(run_id, f"{at_epoch[1]}{_CURVE}", float(number), step=int(at_epoch[2]))
        client.set_terminated(run_id)


def former_index(uri: str) -> Index | None:
    """Versions and aliases that an earlier gueststar kept in MLflow; None if there is no such database file.

    Raises OSError if MLflow does not answer.
    """
    if uri.startswith(_SQLITE) and not _database(uri).is_file():
        return None
    with _mlflow(uri) as client:
        if not (registered := client.search_registered_models(f"name='{NAME}'")):
            return Index()
        versions = sorted(
            (_former_version(client, one) for one in _all_versions(client) if "sha256" in one.tags),
            key=lambda version: version.number,
        )
        numbers = {version.number for version in versions}
        aliases = {name: int(number) for name, number in registered[0].aliases.items() if name in ALIASES}
        return Index(tuple(versions), {name: number for name, number in aliases.items() if number in numbers})


def _all_versions(client: Any) -> Iterator[Any]:
    page = client.search_model_versions(f"name='{NAME}'")
    yield from page
    while page.token:
        page = client.search_model_versions(f"name='{NAME}'", page_token=page.token)
        yield from page


def _former_version(client: Any, of: Any) -> Version:
    metrics = client.get_run(of.run_id).data.metrics if of.run_id else {}
    kept = {name: float(value) for name, value in metrics.items() if not name.endswith(_CURVE)}
    return Version(int(of.version), str(of.tags["sha256"]), int(of.creation_timestamp), kept)


def _database(uri: str) -> Path:
    return Path(uri.removeprefix(_SQLITE))


@contextlib.contextmanager
def _mlflow(uri: str) -> Iterator[Any]:
    """MLflow's client at an address. Its notices are not printed, and its errors become one line."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "ERROR")  # read when MLflow is imported, which sets its loggers anew
    if uri.startswith(_SQLITE):
        _database(uri).parent.mkdir(parents=True, exist_ok=True)
    with _quiet():
        from mlflow import MlflowClient  # here: the import takes seconds
        from mlflow.exceptions import MlflowException
        from sqlalchemy.exc import SQLAlchemyError

        try:
            yield MlflowClient(tracking_uri=uri, registry_uri=uri)
        except (MlflowException, SQLAlchemyError) as error:
            reason = " ".join(str(error).split())
            raise OSError(f"MLflow at {uri} failed ({reason}): check the setting registry_uri") from error


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
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
