"""What goes to standard output and standard error: any text, none that steers a terminal; a reader who leaves early."""

from __future__ import annotations

import codecs
import io
import os
import sys
from typing import Any

ESCAPED = "gueststar_escaped"


def escaped(error: UnicodeError) -> tuple[str, int]:
    """What an output cannot show as JSON escapes it, so that JSON stays JSON: ``µ`` as ``\\u00b5``."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return _json_escape(error.object[error.start : error.end]), error.end


def printable(text: object) -> str:
    """The text on one line, without what moves or colours a terminal.

    A character that is not printable (a control character, a line break, a change of the writing direction) becomes
    its JSON escape, so that JSON keeps its meaning.
    """
    text = str(text)
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else _json_escape(letter) for letter in text)


def accept_any_text() -> None:
    """From here on a letter that the output's encoding lacks is escaped, where it ended the command with an error; and
    where a standard stream was closed, nobody reads it: else the next file opened would take its number."""
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is None:
            os.dup2(os.open(os.devnull, os.O_RDWR), number)
            os.set_inheritable(number, True)
            setattr(sys, name, os.fdopen(number, mode, encoding="utf-8", closefd=False))
    codecs.register_error(ESCAPED, escaped)
    if sys.stdout is sys.__stdout__ and isinstance(sys.stdout, io.TextIOWrapper):
        into, lines = io.BufferedWriter(_StandardOutput(sys.stdout.fileno(), "wb", closefd=False)), sys.stdout.isatty()
        sys.stdout = io.TextIOWrapper(into, encoding=sys.stdout.encoding, line_buffering=lines)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=ESCAPED)


def reader_has_gone() -> bool:
    """Whether nobody reads standard output any more, as after ``| head``; what is still to be written is let go."""
    return isinstance(unwritten(), BrokenPipeError)


def unwritten() -> OSError | None:
    """Why standard output does not take what was written to it, such as a full disk; that is let go then."""
    try:
        sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return error
    except ValueError:  # closed
        return BrokenPipeError()
    return None


class _StandardOutput(io.FileIO):
    """Errors name it: those of a pipe or a full disk name no file."""

    def write(self, content: Any, /) -> int:
        try:
            return super().write(content)
        except OSError as error:
            error.filename = "standard output"
            raise


def _json_escape(text: str) -> str:
    units = text.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))
