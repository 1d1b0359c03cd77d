"""Files that hold no alerts, such as tables of light curves, notes and pictures, named for what they are."""

from __future__ import annotations

import re
from pathlib import Path

ALERT_STARTS = (b"\0", b"Obj\x01")
"""How wire messages and Avro containers begin."""

HEAD_BYTES = 4_096

LIGHT_CURVES = "`gueststar features` measures light curves, and `gueststar convert` makes alerts of them"
ALERTS = "alerts are wire messages, Avro containers, or Parquet tables of them"

_MAGIC = {
    b"SIMPLE  =": ("a FITS file", LIGHT_CURVES),
    b"\x89HDF\r\n\x1a\n": ("an HDF5 file", LIGHT_CURVES),
    b"\x89PNG": ("a picture", ALERTS),
    b"\xff\xd8\xff": ("a picture", ALERTS),
    b"%PDF-": ("a PDF document", ALERTS),
    b"SQLite format 3\0": ("an SQLite database", ALERTS),
    b"\x28\xb5\x2f\xfd": ("packed with zstd", "unpack it first"),
    b"7z\xbc\xaf\x27\x1c": ("packed with 7-Zip", "unpack it first"),
}
_TEXTS = (
    (re.compile(r"#\s*%ECSV"), "a table in ECSV"),
    (re.compile(r"(?i)(?:\s*%.*\n|\s*\n)*\s*@relation\b"), "a table in ARFF"),
    (re.compile(r"(?:\s*#.*\n|\s*\n)*(?:DOCUMENTATION|SURVEY|SNID|VERSION|NVAR)\s*:"), "light curves in SNANA's text"),
    (re.compile(r"(?=[^\n]*\btime_mjd\b)(?=[^\n]*\b(?:band|flux_njy)\b)"), "a table of light curves in text"),
)
"""How texts begin that other commands read."""

_ENDINGS = {".csv": "a table in CSV", ".tsv": "a table in text", ".ecsv": "a table in ECSV", ".dat": "a text file"}
_OF_A_TABLE = (".csv", ".tsv", ".ecsv", ".dat", ".txt")


class NoAlertsError(ValueError):
    """A file is whole, but holds something else than alerts; the message is one line that names it, what it is, and
    what to do with it."""


def no_alerts(content: bytes, origin: Path) -> NoAlertsError | None:
    """The error for a file's content that is surely no alert, and None for anything else, a damaged alert too.

    >>> print(no_alerts(b"object,time_mjd,band", Path("mine.csv")))
    mine.csv holds no alerts: it is a table of light curves in text; `gueststar features` measures light curves, and \
`gueststar convert` makes alerts of them
    """
    if content.startswith(ALERT_STARTS):
        return None
    what = next((entry for magic, entry in _MAGIC.items() if content.startswith(magic)), None) or _text(content, origin)
    return None if what is None else NoAlertsError(f"{origin} holds no alerts: it is {what[0]}; {what[1]}")


def _text(content: bytes, origin: Path) -> tuple[str, str] | None:
    """What a text is, and what to do with it; None for what is no text of several lines, or is JSON."""
    text = _decoded(content[:HEAD_BYTES], is_cut=len(content) > HEAD_BYTES)
    if text is None or text.lstrip().startswith(("{", "[")):  # dead letters, whole or damaged
        return None
    for pattern, what in _TEXTS:
        if pattern.match(text):
            return what, LIGHT_CURVES
    endings = [ending.lower() for ending in origin.suffixes[-2:]]
    for ending in endings:
        if ending in _ENDINGS:
            return _ENDINGS[ending], LIGHT_CURVES
    if "\n" not in text.strip():
        return None
    return "a text file", LIGHT_CURVES if set(endings) & set(_OF_A_TABLE) else ALERTS


def _decoded(head: bytes, *, is_cut: bool) -> str | None:
    """The head as text; None where it is none. ``is_cut``: its last letter may be cut in two."""
    try:
        text = head.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if not (is_cut and error.start >= len(head) - 3):
            return None
        text = head[: error.start].decode("utf-8-sig")
    return text if text and all(letter.isprintable() or letter in "\t\r\n\f" for letter in text) else None
