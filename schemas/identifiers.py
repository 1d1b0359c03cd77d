"""Names of objects and their 64-bit numbers, both ways."""

from __future__ import annotations

import re

from schemas.passbands import ZTF

LETTERS = 7
"""Letters of a ZTF name after the two digits of its year, as in ZTF21abiuvdk."""

_ZTF_NAME = re.compile(rf"ZTF(\d\d)([a-z]{{{LETTERS}}})")
_PER_YEAR = 26**LETTERS
_LAST = 100 * _PER_YEAR


def object_name(survey: int, object_id: int) -> str:
    """The name an object goes by: a ZTF name where ``survey`` is ZTF, else the decimal number; "" for 0 (no object)."""
    if object_id == 0:
        return ""
    if survey != ZTF or not 0 < object_id <= _LAST:
        return str(int(object_id))
    year, rest = divmod(int(object_id) - 1, _PER_YEAR)
    letters = ""
    for _ in range(LETTERS):
        rest, letter = divmod(rest, 26)
        letters = chr(ord("a") + letter) + letters
    return f"ZTF{year:02d}{letters}"


def object_id_of(name: str) -> int:
    """The 64-bit number of a name that :func:`object_name` gives; "" is 0.

    A ZTF name is read as a number of base 26 with the year before it, plus one, so that none is 0.
    Raises ValueError for anything else.
    """
    name = name.strip()
    if not name:
        return 0
    match = _ZTF_NAME.fullmatch(name)
    if match:
        rest = 0
        for letter in match[2]:
            rest = rest * 26 + ord(letter) - ord("a")
        return int(match[1]) * _PER_YEAR + rest + 1
    if re.fullmatch(r"-?[0-9]{1,19}", name) and -(2**63) <= int(name) < 2**63:
        return int(name)
    raise ValueError(
        f"an object name must be a decimal number of 64 bits or a ZTF name such as ZTF21abiuvdk, found {name!r}"
    )
