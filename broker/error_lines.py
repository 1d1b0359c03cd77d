"""What the command line says of an error: one line, with what happened and what to do next.

Only an error that says ``takes_lines`` takes more: settings, a line for each, and servers, with the end of their log.
"""

from __future__ import annotations

import lzma
import os
import sys
import traceback
import zlib
from pathlib import Path

from broker.text_output import printable

TRACEBACK_VARIABLE = "GUESTSTAR_TRACEBACK"

LONGEST_LINE = 500
"""Characters told of an error that nobody foresaw; its whole text comes with the traceback."""

LONGEST_FOR_PEOPLE = 1_500
"""Characters told of an error that was written for people: room for two long paths."""

_ROOT = Path(__file__).resolve().parents[1]
_OF_DAMAGED_FILES = (EOFError, zlib.error, lzma.LZMAError)


def in_one_line(error: Exception) -> str:
    """What to tell of an error.

    An error that was raised for people is told in its own words. Of any other, such as a KeyError, the line also says
    what kind it is, where it happened, and how to see the way there: a file may hold what nobody foresaw, or the
    program is at fault. What is not printable is escaped: a path or a file's text may hold anything.
    """
    text = _text(error)
    lines = text.split("\n") if getattr(error, "takes_lines", False) else [text]
    return "\n".join(shortened(printable(line)) for line in lines)


def shortened(line: str, most: int = LONGEST_FOR_PEOPLE) -> str:
    """The line without its middle where it is longer than ``most`` characters: what is wrong stands at an end."""
    return line if len(line) <= most else f"{line[: most // 2]} … {line[-(most // 2) :]}"


def _text(error: Exception) -> str:
    if (of_client := _of_client(error)) is not None:
        return of_client
    if isinstance(error, _OF_DAMAGED_FILES):
        return f"a file is cut off or damaged: {_first_line(error) or 'it ends too early'}{_place(error)}"
    if isinstance(error, OSError) and error.strerror and is_for_people(error):
        return _of_system(error)
    if is_for_people(error):
        return str(error)
    text = _first_line(error)
    return f"{type(error).__name__}{': ' if text else ''}{text}{_place(error)}"


def is_for_people(error: Exception) -> bool:
    """Whether an error's text was written for people: not where Python raised it for a wrong key or character."""
    unforeseen = (KeyError, IndexError, UnicodeError)
    return (
        isinstance(error, LookupError | OSError | ValueError) and not isinstance(error, unforeseen) and bool(str(error))
    )


def _of_client(error: Exception) -> str | None:
    """Of Redis; Kafka's errors are written for people in broker.kafka.errors."""
    if "redis" in sys.modules and isinstance(error, sys.modules["redis"].RedisError):  # not imported for this
        return f"{error} (`gueststar status` tells what runs)"
    return None


def _of_system(error: OSError) -> str:
    """Which file, and what the system says of it."""
    files = " → ".join(os.fsdecode(file) for file in (error.filename, error.filename2) if isinstance(file, str | bytes))
    return f"{files}: {error.strerror}" if files else str(error.strerror)


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = lines[0] if lines else ""
    return text if len(text) <= LONGEST_LINE else text[:LONGEST_LINE] + "…"


def _place(error: Exception) -> str:
    """The last line of this program on the way to the error, and how to see the whole way."""
    steps = [step for step in traceback.extract_tb(error.__traceback__) if _is_ours(step.filename)]
    where = f"at {Path(steps[-1].filename).relative_to(_ROOT)}:{steps[-1].lineno}; " if steps else ""
    return f" ({where}{TRACEBACK_VARIABLE}=1 shows the way there)"


def _is_ours(filename: str) -> bool:
    path = Path(filename)
    return path.is_relative_to(_ROOT) and not any(part.startswith(".") for part in path.relative_to(_ROOT).parts)
