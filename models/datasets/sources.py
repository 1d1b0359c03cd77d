"""Data by name: the word plasticc or plasticc-test, or a path to data of a known kind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq

from models.datasets import bts, plasticc, snana, snana_fits, table, table_files
from models.datasets.labelled import Labelled

PLASTICC = "plasticc"
PLASTICC_TEST = "plasticc-test"


def _load_snana(path: Path) -> Labelled:
    """SNANA's text or FITS format, by the files that are there."""
    is_fits = snana_fits.is_release(path) and not snana.is_release(path)
    return snana_fits.load(path) if is_fits else snana.load(path)


KINDS: dict[str, Callable[[Path], Labelled]] = {
    PLASTICC: plasticc.load,
    PLASTICC_TEST: plasticc.load_test,
    "snana": _load_snana,
    "bts": bts.load,
    "snana-fits": snana_fits.load,
    "table": table.load,
}
INSTALLED: dict[str, Callable[[], Labelled]] = {PLASTICC: plasticc.load, PLASTICC_TEST: plasticc.load_test}
"""Installed sets, by the word that names them."""


def load(source: str, kind: str | None = None) -> Labelled:
    """The labelled light curves of ``source``: the word plasticc or plasticc-test for an installed set, or a path.

    ``kind`` is one of :data:`KINDS`; by default the content of the path decides. Raises LookupError if there is
    nothing at the path, or nothing of a known kind.
    """
    if source in INSTALLED and kind in (None, source):
        return INSTALLED[source]()
    path = Path(source).expanduser()
    if path.is_symlink() and not path.exists():
        raise LookupError(f"{path} is a link that leads nowhere")
    if not path.exists():
        raise LookupError(
            f"{source}: no file or folder is there, and no set of that name is installed ({', '.join(INSTALLED)}) or "
            "was fetched: `gueststar data list` names the sets"
        )
    return KINDS[kind or _kind_of(path)](path)


def holds_light_curves(source: str) -> bool:
    """Whether ``source`` is for :func:`load`, and not alert files.

    Tables of messages or of packets are alert files. So are tar archives, although they may hold SNANA's text.
    """
    if source in INSTALLED:
        return True
    path = Path(source).expanduser()
    try:
        kind = _kind_of(path)
    except LookupError:
        return False
    if kind == "snana":
        return path.is_dir() and any(path.glob("*.DAT"))
    return kind != "table" or not (path.suffix.lower() == ".parquet" and _is_table_of_alerts(path))


def _is_table_of_alerts(path: Path) -> bool:
    try:
        return not {"message", "diaSource"}.isdisjoint(pq.read_schema(path).names)
    except (OSError, ValueError):
        return False


def _kind_of(path: Path) -> str:
    for kind, is_test in ((PLASTICC, False), (PLASTICC_TEST, True)):
        if plasticc.is_release(path, is_test=is_test):
            return kind
    if (path / bts.LABELS_FILE).is_file():
        return "bts"
    if snana.is_release(path):
        return "snana"
    if snana_fits.is_release(path):
        return "snana-fits"
    if table_files.ending_of(path) in table_files.READERS:
        return "table"
    raise LookupError(
        f"{path}: nothing known lies there; wanted are {plasticc.LIGHT_CURVES_FILE}, {bts.LABELS_FILE}, "
        "SNANA text (a .tar.xz or a folder of .DAT files) or FITS (HEAD and PHOT files), or a table "
        f"({', '.join(table_files.READERS)})"
    )
