"""Standard output that takes any text, and a reader who leaves early."""

from __future__ import annotations

import codecs
import io
import os
import sys

ESCAPED = "gueststar_escaped"


def escaped(error: UnicodeError) -> tuple[str, int]:
    """What an output cannot show as JSON escapes it, so that JSON stays JSON: ``µ`` as ``\\u00b5``."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2)), error.end


def accept_any_text() -> None:
    """From here on a letter that the output's encoding lacks is escaped, where it ended the command with an error."""
    codecs.register_error(ESCAPED, escaped)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=ESCAPED)


def reader_has_gone() -> bool:
    """Whether nobody reads standard output any more, as after ``| head``; what is still to be written is let go."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return True
    except ValueError:  # closed
        return True
    return False
