"""The error for files that cannot be read: one kind, with the name of the file, for the many that libraries raise."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class UnreadableError(ValueError):
    """A file is invalid; the message is one line with its name.

    >>> str(UnreadableError("a.csv: found the column 'flux\\nerr'"))
    "a.csv: found the column 'flux\\\\nerr'"
    """

    def __init__(self, message: str) -> None:
        # a name in a damaged file may hold a line break
        super().__init__(message.replace("\r", "\\r").replace("\n", "\\n"))


@contextmanager
def reading(file: Path, what: str) -> Iterator[None]:
    """Turn errors of a library into an :class:`UnreadableError`: "FILE is not WHAT that can be read: …".

    Use it only around the calls in which a library parses a file. Check the result outside, so that a fault of the
    program is not reported as one of the file. On damaged files libraries raise many kinds of errors: EOFError,
    KeyError, zlib.error, StopIteration, MemoryError, and their own errors without a common base.
    """
    try:
        yield
    except (UnreadableError, ImportError):
        raise
    except Exception as error:
        raise UnreadableError(f"{file} is not {what} that can be read: {in_words(error)}") from error


def in_words(error: Exception) -> str:
    """The message of an error in one line of at most 300 characters. If it is empty, a name or a number, the kind of
    the error comes first (KeyError: 'x')."""
    text = " ".join(str(error).split())[:300]
    kind = type(error).__name__
    if not text:
        return kind
    return f"{kind}: {text}" if isinstance(error, LookupError | AttributeError | TypeError) else text
