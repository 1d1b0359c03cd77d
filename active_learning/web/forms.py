"""What people write on the page, made fit to be stored: it is shown to others, here and on terminals."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

NAME_LENGTH, COMMENT_LENGTH = 80, 2000
"""Letters that are kept of a labeller's name and of a comment."""

_LONGEST_ECHO = 40


def text_of(form: Mapping[str, Any], field: str) -> str:
    """The text of a field, empty where there is none; ValueError where a file was sent in its place."""
    value = form.get(field, "")
    if not isinstance(value, str):
        raise ValueError(f"{field} must be text, found a file")
    return value


def labeller_name(text: str) -> str:
    """A name on one line, without what is not printable; empty where nothing is left.

    >>> labeller_name(" Ada\\x00 \\n Lovelace ")
    'Ada Lovelace'
    """
    return " ".join(_printable(text).split())[:NAME_LENGTH].strip()


def comment_of(form: Mapping[str, Any]) -> str:
    """The comment; lines stay, and nothing else that is not printable."""
    lines = text_of(form, "comment").splitlines()
    return "\n".join(_printable(line) for line in lines)[:COMMENT_LENGTH].strip()


def class_id_of(form: Mapping[str, Any]) -> int:
    """The id of the class that was chosen; ValueError where it is no number."""
    text = text_of(form, "class_id")
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise ValueError(f"class_id must be the number of a class, found {text[:_LONGEST_ECHO]!r}")
    return int(text)


def _printable(text: str) -> str:
    """White space as spaces, and nothing else that is not printable; U+FFFD stands for bytes that were no text."""
    return "".join(" " if letter.isspace() else letter for letter in text if _is_shown(letter))


def _is_shown(letter: str) -> bool:
    return letter.isspace() or (letter.isprintable() and letter != "\N{REPLACEMENT CHARACTER}")
