"""A filter's expression cut into tokens: numbers, text in quotes, names and signs."""

from __future__ import annotations

import re
from typing import NamedTuple

MAX_LENGTH = 4_000
"""The longest expression, characters."""

_TOKEN = re.compile(
    r"\s*(?:(?P<number>[0-9]+\.?[0-9]*(?:[eE][+-]?[0-9]+)?|\.[0-9]+(?:[eE][+-]?[0-9]+)?)|(?P<text>'(?:[^'\\]|'')*')"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*)|(?P<sign><=|>=|<>|!=|==|[-+*/%()<>=,\[\]]))"
)
"""Digits and names are ASCII: Spark reads no others."""

_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters (tab and line breaks may be) and halves of characters, which no file and no topic holds."""


class FilterError(ValueError):
    """An expression that is no filter; the message shows where and says what is allowed."""


class Token(NamedTuple):
    """``kind`` is number, text, name, sign or end; ``at`` is the index of its first character."""

    kind: str
    text: str
    at: int

    @property
    def content(self) -> str:
        """What a text token says: without its quotes, doubled quotes as one."""
        return self.text[1:-1].replace("''", "'")


def tokens(expression: str) -> list[Token]:
    """The tokens of an expression, and one of kind ``end``; FilterError where a character begins none."""
    if len(expression) > MAX_LENGTH:
        raise FilterError(f"a filter may have at most {MAX_LENGTH} characters, this has {len(expression)}")
    if unwritable := _UNWRITABLE.search(expression):
        raise FilterError(
            f"a filter may not hold the character {unwritable[0]!r}, as at {unwritable.start() + 1} of: {expression!a}"
        )
    read, at = [], 0
    while expression[at:].strip():
        match = _TOKEN.match(expression, at)
        if match is None or match.lastgroup is None:
            raise FilterError(f"cannot read {expression[at:].strip()[:20]!r} in: {expression}")
        read.append(Token(match.lastgroup, match[match.lastgroup], match.start(match.lastgroup)))
        at = match.end()
    return [*read, Token("end", "the end", len(expression))]
