"""Tables of recent novelty scores in the home: small, immutable, named by their SHA-256, so that an offset can pin one.

``novelty/recent/<sha256>.npz`` is a table, ``novelty/recent/current.json`` names the newest of each of the last models.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

from models.scoring.recent_scores import RecentScores
from schemas.whole_file import whole_file, write_whole

FOLDER = Path("novelty") / "recent"
"""In the home."""

CURRENT = "current.json"

TABLES_KEPT = 200
"""A batch needs the table that was current when it was planned, also when it is done again. New tables come from what
batches have written since, so hardly more than one is made while a batch runs, and these are far more than enough."""

MODELS_KEPT = 3
"""After a rollback the table of the model before is at hand."""


class DamagedTable(ValueError):
    """A table of recent scores is missing or is not what its name says."""


def read(home: Path, sha256: str) -> RecentScores:
    """The table of this SHA-256. Raises DamagedTable where its file is missing, cannot be read or was changed."""
    file = home / FOLDER / f"{sha256}.npz"
    try:
        data = file.read_bytes()
    except OSError as error:
        raise DamagedTable(f"{file}: the table of recent scores cannot be read: {error.strerror or error}") from error
    actual = hashlib.sha256(data).hexdigest()
    if actual != sha256:
        raise DamagedTable(
            f"{file}: the table of recent scores was changed: its SHA-256 must be its name, found {actual}"
        )
    try:
        return RecentScores.from_bytes(data)
    except ValueError as error:
        raise DamagedTable(f"{file}: {error}") from error


def make_current(home: Path, table: RecentScores) -> str:
    """Write the table, name it the newest of its model, remove old tables; returns its SHA-256. Raises OSError."""
    data = table.to_bytes()
    sha256 = hashlib.sha256(data).hexdigest()
    file = home / FOLDER / f"{sha256}.npz"
    if file.is_file() and file.read_bytes() == data:
        os.utime(file)  # the newest again
    else:
        with whole_file(file) as draft:
            draft.write_bytes(data)
    others = {model: name for model, name in current(home).items() if model != table.model_sha256}
    newest = dict(list({**others, table.model_sha256: sha256}.items())[-MODELS_KEPT:])
    write_whole(home / FOLDER / CURRENT, json.dumps(newest))
    _remove_old(home / FOLDER, set(newest.values()))
    return sha256


def current(home: Path) -> dict[str, str]:
    """The SHA-256 of the newest table by that of its model, oldest model first; empty where none can be read."""
    try:
        named = json.loads((home / FOLDER / CURRENT).read_bytes())
    except (OSError, ValueError):  # made anew with the next table
        return {}
    return {str(model): str(name) for model, name in named.items()} if isinstance(named, dict) else {}


def _remove_old(folder: Path, needed: set[str]) -> None:
    newest_first = sorted(folder.glob("*.npz"), key=lambda file: file.stat().st_mtime_ns, reverse=True)
    for file in newest_first[TABLES_KEPT:]:
        if file.stem not in needed:
            file.unlink(missing_ok=True)
