"""What the readers of files refuse: one error, with the file's name, in place of the many that libraries raise."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class UnreadableError(ValueError):
    """A file is not what it should be; the message is one line that names it."""


@contextmanager
def reading(file: Path, what: str) -> Iterator[None]:
    """Within it, an error of a library becomes an :class:`UnreadableError`: "FILE is not WHAT that can be read: …".

    For the calls by which a library parses a file, and for those alone: what they gave is checked outside of it, so
    that a fault of the program is not blamed on the file. Libraries raise whatever they stumble over in a damaged
    file: EOFError, KeyError, zlib.error, StopIteration, MemoryError, and errors of their own with no common base.
    """
    try:
        yield
    except (UnreadableError, ImportError):
        raise
    except Exception as error:
        raise UnreadableError(f"{file} is not {what} that can be read: {in_words(error)}") from error


def in_words(error: Exception) -> str:
    """An error's message in one line of at most 300 characters; with its kind where that says no more than a name or a
    number (KeyError: 'x'), or nothing."""
    text = " ".join(str(error).split())[:300]
    kind = type(error).__name__
    if not text:
        return kind
    return f"{kind}: {text}" if isinstance(error, LookupError | AttributeError | TypeError) else text
