"""The index of the registry: the registered bundles and their aliases, in one JSON file in the store.

Reading it needs no lock and no library, so the streaming job reads it once a second. The file is replaced in one step:
a reader sees either the old index or the new one. Writers hold a lock, so that none overwrites the change of another.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from schemas import file_lock
from schemas.whole_file import write_whole

FILE, LOCK_FILE = "registry.json", ".registry.lock"
FORMAT = "gueststar-registry-1"
LOCK_WAIT_S = 600.0
"""How long a writer waits for others. Registering imports MLflow and may create its database, which takes a minute or
two on a busy machine."""

PRODUCTION, CANDIDATE, PREVIOUS = "production", "candidate", "previous"
ALIASES = (PRODUCTION, CANDIDATE, PREVIOUS)
"""``production`` scores the stream; ``candidate`` has not passed its gates; a rollback restores ``previous``."""


class RegistryError(ValueError):
    """The registry's file is damaged, or another process keeps it locked; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Version:
    """A registered bundle: its number (1, 2, …), SHA-256, time of registration (Unix, ms), and metrics at training."""

    number: int
    sha256: str
    created_ms: int
    metrics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Index:
    """All versions, oldest first, and the version number of each alias that is in use."""

    versions: tuple[Version, ...] = ()
    aliases: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        numbers = [version.number for version in self.versions]
        if sorted(set(numbers)) != numbers:
            raise ValueError(f"numbers of versions must rise, found {numbers}")
        if strangers := {name: n for name, n in self.aliases.items() if name not in ALIASES or n not in numbers}:
            raise ValueError(f"an alias must be one of {', '.join(ALIASES)} and name a version, found {strangers}")

    @property
    def next_number(self) -> int:
        """The number that the next version gets."""
        return self.versions[-1].number + 1 if self.versions else 1

    def of_bundle(self, sha256: str) -> Version | None:
        """The version of the bundle with this SHA-256."""
        return next((version for version in self.versions if version.sha256 == sha256), None)

    def with_version(self, version: Version) -> Index:
        """The index with a new version: ``production`` if there is none, otherwise ``candidate``."""
        alias = CANDIDATE if PRODUCTION in self.aliases else PRODUCTION
        return Index((*self.versions, version), {**self.aliases, alias: version.number})

    def promoted(self, number: int) -> Index:
        """The index with this version in ``production``; the one before becomes ``previous``."""
        current = self.aliases.get(PRODUCTION)
        if current == number:
            return self
        aliases = {name: n for name, n in self.aliases.items() if (name, n) != (CANDIDATE, number)}
        if current is not None:
            aliases[PREVIOUS] = current
        return replace(self, aliases={**aliases, PRODUCTION: number})

    def rolled_back(self) -> Index:
        """The index with ``production`` and ``previous`` exchanged; LookupError if there is no previous one."""
        if PREVIOUS not in self.aliases:
            raise LookupError("there is no previous model to roll back to: only one was ever in production")
        exchanged = {PRODUCTION: self.aliases[PREVIOUS], PREVIOUS: self.aliases[PRODUCTION]}
        return replace(self, aliases={**self.aliases, **exchanged})


def read(store: Path) -> Index | None:
    """The index of the bundles' folder; None if it has none yet. Raises RegistryError if the file is damaged."""
    file = store / FILE
    try:
        values = json.loads(file.read_bytes())
        if values["format"] != FORMAT:
            raise ValueError(f"its format must be {FORMAT!r}, found {values['format']!r}")
        return Index(tuple(map(_version, values["versions"])), {str(k): int(n) for k, n in values["aliases"].items()})
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        what = f"{error} is missing" if isinstance(error, KeyError) else error
        raise RegistryError(
            f"{file}: not an index of models ({what}): restore it from a copy, or move it away and register a model "
            "again with `gueststar train`"
        ) from error


def write(store: Path, index: Index) -> None:
    """Replace the index in one step. After the return it survives a power failure."""
    values = {"format": FORMAT, "versions": [_to_json(one) for one in index.versions], "aliases": dict(index.aliases)}
    write_whole(store / FILE, json.dumps(values, indent=1, sort_keys=True, allow_nan=False))


@contextmanager
def locked(store: Path, wait_s: float = LOCK_WAIT_S) -> Iterator[None]:
    """Be the only writer of the index. The kernel releases the lock of a process that was killed.

    Raises RegistryError if another process holds the lock for longer than ``wait_s`` seconds.
    """
    with file_lock.locked(store / LOCK_FILE, wait_s, RegistryError):
        yield


def _version(values: Mapping[str, Any]) -> Version:
    """A version from its JSON; a metric that is null there is NaN here."""
    sha256 = str(values["sha256"])
    if len(sha256) != 64 or set(sha256) - set("0123456789abcdef"):
        raise ValueError(f"a SHA-256 must have 64 hexadecimal digits, found {sha256!r}")
    metrics = {str(name): math.nan if x is None else float(x) for name, x in values["metrics"].items()}
    return Version(int(values["version"]), sha256, int(values["created_ms"]), metrics)


def _to_json(version: Version) -> dict[str, Any]:
    metrics = {name: float(x) if math.isfinite(x) else None for name, x in version.metrics.items()}
    return {
        "version": version.number, "sha256": version.sha256, "created_ms": version.created_ms, "metrics": metrics,
    }  # fmt: skip
