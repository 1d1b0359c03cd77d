"""What a user names as data: the word plasticc, or a folder of a known kind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from models.datasets import bts, plasticc, snana
from models.datasets.labelled import Labelled

PLASTICC = "plasticc"
KINDS: dict[str, Callable[[Path], Labelled]] = {PLASTICC: plasticc.load, "snana": snana.load, "bts": bts.load}


def load(source: str, kind: str | None = None) -> Labelled:
    """The labelled light curves at ``source``: "plasticc" for the installed training set, else a path.

    ``kind`` is one of :data:`KINDS`; without it the path's content tells. Raises LookupError where there
    is nothing, or nothing known, at the path.
    """
    if source == PLASTICC and kind in (None, PLASTICC):
        return plasticc.load(None)
    path = Path(source).expanduser()
    if not path.exists():
        raise LookupError(f"data is the word {PLASTICC!r} or a path that exists; found nothing at {path}")
    return KINDS[kind or _kind_of(path)](path)


def _kind_of(path: Path) -> str:
    if (path / plasticc.LIGHT_CURVES_FILE).is_file():
        return PLASTICC
    if (path / bts.LABELS_FILE).is_file():
        return "bts"
    if snana.is_release(path):
        return "snana"
    raise LookupError(
        f"{path}: nothing known lies there; wanted are {plasticc.LIGHT_CURVES_FILE}, {bts.LABELS_FILE}, "
        "or SNANA text (a .tar.xz or a folder of .DAT files)"
    )
