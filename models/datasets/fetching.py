"""Download the published files of a data set into a folder."""

from __future__ import annotations

import hashlib
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import unquote, urlparse

from models.datasets.cards import Card
from schemas.whole_file import whole_file

CHUNK_BYTES = 1 << 20
TIMEOUT_S = 60.0
SCHEMES = ("https", "http", "file")


def folder_of(home: Path, name: str) -> Path:
    """The folder of the fetched set of that name."""
    return home / "data" / name


def fetched(home: Path, name: str) -> Path | None:
    """The folder of the set if it holds anything, otherwise None."""
    folder = folder_of(home, name)
    return folder if folder.is_dir() and any(folder.iterdir()) else None


def located(home: Path, source: str) -> str:
    """The folder of the set that a user names, if it was fetched; otherwise the name or path as given."""
    plain = Path(source).name == source and not source.startswith(".")
    return str(fetched(home, source) or source) if plain else source


def fetch(card: Card, urls: Sequence[str], folder: Path, progress: Callable[[str, int, int], None]) -> list[Path]:
    """Download the file of each address to ``folder``; an existing file is kept. Returns the files.

    Raises ValueError for an address of another kind, or a file that differs from the published one (it is removed);
    OSError if an address cannot be read.
    """
    folder.mkdir(parents=True, exist_ok=True)
    fetched_files = []
    for url in urls:
        parts = urlparse(url)
        if parts.scheme not in SCHEMES:
            raise ValueError(f"an address must begin with one of {', '.join(s + '://' for s in SCHEMES)}, found {url}")
        file = folder / unquote(Path(parts.path).name)
        if not file.exists():
            _bring(url, file, card.sha256.get(file.name), progress)
        fetched_files.append(file)
    return fetched_files


def _bring(url: str, file: Path, sha256: str | None, progress: Callable[[str, int, int], None]) -> None:
    digest, done = hashlib.sha256(), 0
    with whole_file(file) as draft:
        with urllib.request.urlopen(url, timeout=TIMEOUT_S) as stream, draft.open("wb") as out:
            size = int(stream.headers.get("Content-Length") or 0)
            while chunk := stream.read(CHUNK_BYTES):
                out.write(chunk)
                digest.update(chunk)
                done += len(chunk)
                progress(file.name, done >> 20, max(size, done) >> 20)
        if sha256 is not None and digest.hexdigest() != sha256:
            raise ValueError(
                f"{url} is not the published {file.name}: expected SHA-256 {sha256}, found {digest.hexdigest()}"
            )
