"""What an MLflow store in one SQLite file says of our models, read from its tables.

Importing MLflow's client takes seconds and a hundred megabytes. The streaming job and most commands only ask which
model is in production: for a file they are answered from here. Whatever is written goes through MLflow.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

_SCHEME = "sqlite:///"
_PATIENCE_S = 10.0

_ALIASES = "SELECT alias, version FROM registered_model_aliases WHERE name = ?"
_VERSIONS = """
    SELECT v.version, t.value, v.creation_time, v.run_id FROM model_versions v
    JOIN model_version_tags t ON t.name = v.name AND t.version = v.version AND t.key = 'sha256'
    WHERE v.name = ? AND v.current_stage != 'Deleted_Internal' ORDER BY v.version
"""
_METRICS = "SELECT key, value, is_nan FROM latest_metrics WHERE run_uuid = ?"


@dataclass(frozen=True, slots=True)
class Version:
    """A registered version: number, SHA-256 of its bundle, time of registration, metrics of its run."""

    version: int
    sha256: str
    created_ms: int
    metrics: dict[str, float]


class RegistryTables:
    """The registered model ``name`` in a store's file. A file that isn't there yet holds nothing."""

    def __init__(self, file: Path, name: str) -> None:
        self.file, self.name = file, name

    @classmethod
    def at(cls, uri: str, name: str) -> RegistryTables | None:
        """The tables at an MLflow address; None where it is no SQLite file's."""
        return cls(Path(uri.removeprefix(_SCHEME)), name) if uri.startswith(_SCHEME) else None

    def aliases(self) -> dict[str, int]:
        """Version by alias. Raises sqlite3.Error where the tables are not as expected."""
        with self._connection() as connection:
            rows = connection.execute(_ALIASES, (self.name,)) if connection else ()
            return {alias: int(version) for alias, version in rows}

    def versions(self) -> list[Version]:
        """Every version, oldest first. Raises sqlite3.Error where the tables are not as expected."""
        with self._connection() as connection:
            if connection is None:
                return []
            found = connection.execute(_VERSIONS, (self.name,)).fetchall()
            return [
                Version(int(version), str(sha256), int(created_ms), _metrics(connection, run_id))
                for version, sha256, created_ms, run_id in found
            ]

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection | None]:
        if not self.file.exists():
            yield None
            return
        address = f"{self.file.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(address, uri=True, timeout=_PATIENCE_S)) as connection:
            yield connection


def _metrics(connection: sqlite3.Connection, run_id: str | None) -> dict[str, float]:
    rows = connection.execute(_METRICS, (run_id or "",))
    return {name: math.nan if is_nan else float(value) for name, value, is_nan in rows}
