"""Files and folders that are complete or absent, now and after a power cut.

What is written stands under another name until it is complete and on disk. That name begins with a dot, in a folder
that does: readers of data sets (Spark, pyarrow, a ``*.parquet``) pass it over. A program that is killed leaves such a
folder behind, and nothing else.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

DRAFTS = ".draft-"
"""The folders of drafts begin with this."""


_OF_THE_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
"""Numbers of errors that name no file: that the disk, or its user's part of it, is full or broken."""


@contextmanager
def whole_file(file: Path) -> Iterator[Path]:
    """Where to write ``file``, under the same ending; it gets its name when the block ends, in place of an older one.

    Its folder is made where it is missing. Where the block raises, nothing changes. Raises OSError where the disk does
    not take it.

    >>> folder = Path(tempfile.mkdtemp())
    >>> with whole_file(folder / "numbers.csv") as draft:
    ...     _ = draft.write_text("1,2")
    ...     print((folder / "numbers.csv").exists(), draft.suffix)
    False .csv
    >>> print([file.name for file in folder.iterdir()])
    ['numbers.csv']
    """
    with _drafts(file) as drafts:
        draft = drafts / f".{file.name}"
        yield draft
        _on_disk(draft)
        os.replace(draft, file)
        _on_disk(file.parent)


def write_whole(file: Path, text: str) -> None:
    """Write a text, UTF-8, as :func:`whole_file` does: ``file`` holds the old text or the new, never half of one."""
    with whole_file(file) as draft:
        draft.write_text(text, encoding="utf-8")


@contextmanager
def whole_folder(folder: Path, *, replace: bool) -> Iterator[Path]:
    """An empty folder to fill; it gets the name ``folder`` when the block ends.

    ``replace``: whether it takes the place of a folder that is there then; if not, that one stays, and what was
    written is removed. Where the block raises, nothing changes. Raises OSError where the disk does not take it.
    """
    with _drafts(folder) as drafts:
        draft = drafts / f".{folder.name}"
        draft.mkdir()
        yield draft
        for path in [*draft.rglob("*"), draft]:
            _on_disk(path)
        if replace and folder.exists():
            os.rename(folder, drafts / "older")
        try:
            os.rename(draft, folder)
        except OSError:  # another is there meanwhile
            if replace or not folder.is_dir():
                raise
        _on_disk(folder.parent)


@contextmanager
def _drafts(target: Path) -> Iterator[Path]:
    """A folder beside the target, on the same disk, which is removed with what is left in it."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        drafts = Path(tempfile.mkdtemp(prefix=DRAFTS, dir=target.parent))
    except FileExistsError:
        raise NotADirectoryError(
            errno.ENOTDIR, "its folder cannot be made: a file is in the way", str(target)
        ) from None
    except OSError as error:
        raise _about(target, error) from error
    try:
        yield drafts
    except OSError as error:
        if error.errno in _OF_THE_DISK or DRAFTS in str(error.filename):
            raise _about(target, error) from error
        raise
    finally:
        shutil.rmtree(drafts, ignore_errors=True)


def _about(target: Path, error: OSError) -> OSError:
    """The error with the name that its user knows, not that of the draft; the same kind, told by its number."""
    return OSError(error.errno, f"it cannot be written: {os.strerror(error.errno or 0)}", str(target))


def _on_disk(path: Path) -> None:
    """Return when the file's bytes, or the folder's names, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
