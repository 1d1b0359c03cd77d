"""Alert files → messages: wire messages, Avro containers, packed files and archives of them, and Parquet tables."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterable
from pathlib import Path

from schemas.packet_tables import messages_of_table
from schemas.unpacking import unpacked


def read_files(paths: str | Path | Iterable[str | Path]) -> tuple[list[bytes], list[Path]]:
    """The messages in one file or several, and the file of each; a folder gives its files in the order of their names.

    Files packed with gzip, bzip2, xz or zip, tar archives and Parquet tables give what they hold, known by their bytes
    and not by their name; an archive's member is named ``archive/member``. Anything else is one message, whatever it
    holds: ``schemas.packets.read`` judges it. Each row of a Parquet table of LSST packets becomes a wire message of the
    version the row states; each line of ``gueststar listen deadletters --json`` the bytes that were refused.

    Raises OSError for a file that cannot be read, ValueError for an archive that is cut off, damaged or unpacks to more
    than is allowed, and for a table that holds no packets.
    """
    messages: list[bytes] = []
    files: list[Path] = []
    for path in [paths] if isinstance(paths, str | os.PathLike) else paths:
        for file in files_in(path):
            for content, origin in unpacked(file, messages_of_table):
                of_file = _payloads(content) or [content]
                messages += of_file
                files += [origin] * len(of_file)
    return messages, files


def files_in(path: str | Path) -> list[Path]:
    """The file itself, or a folder's files and those below it in the order of their names, without hidden ones."""
    path = Path(path)
    if path.is_dir():
        return sorted(file for file in path.rglob("*") if file.is_file() and not file.name.startswith("."))
    return [path]


def _payloads(content: bytes) -> list[bytes]:
    """The refused bytes of dead letters written as lines of JSON; [] where the content is anything else."""
    if not content.startswith(b"{"):
        return []
    try:
        return [base64.b64decode(json.loads(line)["payload"], validate=True) for line in content.splitlines() if line]
    except (ValueError, KeyError, TypeError, RecursionError):
        return []
