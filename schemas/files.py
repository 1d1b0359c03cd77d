"""Alert files → messages: wire messages, Avro containers, packed files and archives of them, and Parquet tables."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from schemas.other_files import NoAlertsError, no_alerts
from schemas.packet_tables import messages_of_table
from schemas.unpacking import Message, unpacked

PassOver = Callable[[NoAlertsError], object]
"""Is given what there is to tell of a file that was passed over."""


def read_files(
    paths: str | Path | Iterable[str | Path], pass_over: PassOver = lambda error: None
) -> tuple[list[bytes], list[Path]]:
    """The messages in one file or several, and the file of each; a folder gives its files in the order of their names.

    Files packed with gzip, bzip2, xz or zip, tar archives and Parquet tables give what they hold, known by their bytes
    and not by their name; an archive's member is named ``archive/member``. Each row of a Parquet table of LSST packets
    becomes a wire message of the version the row states; each line of ``gueststar listen deadletters --json`` the bytes
    that were refused. Of anything else that may be an alert the whole file is one message: ``schemas.packets.read``
    judges it.

    What is surely none, such as a table of light curves, a text or a stream's ``truth.parquet``, is passed over in a
    folder or an archive, and ``pass_over`` is given a NoAlertsError that says what it is; a path that is such a file
    itself raises it. Raises OSError for a file that cannot be read, ValueError for an archive or a table that is cut
    off, damaged or unpacks to more than is allowed.
    """
    messages: list[bytes] = []
    files: list[Path] = []
    for path in [paths] if isinstance(paths, str | os.PathLike) else paths:
        for file in files_in(path):
            try:
                for message, origin in _messages_of(file, pass_over):
                    messages.append(message)
                    files.append(origin)
            except NoAlertsError as error:
                if file == Path(path):
                    raise
                pass_over(error)
    return messages, files


def _messages_of(file: Path, pass_over: PassOver) -> Iterator[Message]:
    """The messages of one file; raises NoAlertsError where it is none itself."""
    for content, origin in unpacked(file, messages_of_table):
        payloads = _payloads(content) if isinstance(content, bytes) else []
        error = content if isinstance(content, NoAlertsError) else None if payloads else no_alerts(content, origin)
        if isinstance(content, bytes) and error is None:
            yield from ((message, origin) for message in payloads or [content])
        elif error is not None and origin == file:
            raise error
        elif error is not None:
            pass_over(error)


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
