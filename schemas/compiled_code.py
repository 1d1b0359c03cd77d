"""Where compiled code is kept between runs: a folder for each state of the sources.

Numba looks only at the file of a compiled function to see whether it has changed, not at those whose functions were
compiled into it. So a changed source gets a new folder.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

COMPILED_PACKAGES = ("schemas", "features", "models")
FOLDERS_KEPT = 3

VARIABLE = "NUMBA_CACHE_DIR"


def use_cache(base: Path) -> None:
    """Keep compiled code in a folder below ``base``, unless the variable NUMBA_CACHE_DIR names another place."""
    if VARIABLE not in os.environ:
        os.environ[VARIABLE] = str(cache_folder(base))


def cache_folder(base: Path) -> Path:
    """The folder for the sources as they are now; all but the newest few others below ``base`` are removed."""
    folder = base / _state_of_sources()
    if not folder.exists():
        folder.mkdir(parents=True, exist_ok=True)
        newest_first = sorted(base.iterdir(), key=lambda one: one.stat().st_mtime, reverse=True)
        for old in newest_first[FOLDERS_KEPT:]:
            shutil.rmtree(old, ignore_errors=True)
    return folder


def is_complete() -> bool:
    """Whether all that :func:`completed` was told of has been compiled from the sources as they are now."""
    return _mark().is_file()


def completed() -> None:
    """Say that all has been compiled from the sources as they are now."""
    _mark().touch()


def _mark() -> Path:
    return Path(os.environ[VARIABLE]) / f"complete-{_state_of_sources()}"


def _state_of_sources() -> str:
    root = Path(__file__).resolve().parents[1]
    files = sorted(file for package in COMPILED_PACKAGES for file in (root / package).rglob("*.py"))
    state = [f"{file.relative_to(root)} {file.stat().st_size} {file.stat().st_mtime_ns}" for file in files]
    return hashlib.sha256("\n".join(state).encode()).hexdigest()[:16]
