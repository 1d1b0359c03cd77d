"""The classes a person can give, each with its key: always the same key, wherever the class stands."""

from __future__ import annotations

from typing import NamedTuple

from schemas.taxonomy import TAXONOMY, shown_name

KEYS: dict[int, str] = {
    2222: "1",
    2223: "2",
    2224: "3",
    2225: "4",
    2226: "5",
    2242: "l",
    2243: "t",
    2244: "i",
    2245: "c",
    2246: "p",
    2232: "k",
    2233: "f",
    2234: "d",
    2235: "m",
    2322: "h",
    2323: "r",
    2324: "y",
    2325: "e",
    2326: "o",
    2332: "a",
    2100: "x",
    1100: "v",
}
"""Class id: the key that gives it. Digits for supernovae, letters (most of them of the name) for the others."""

ACTION_KEYS = {"undo": "u", "skip": "s", "scale": "b", "limits": "n", "history": "w", "note": "/"}
"""What else a key does: undo, skip, flux or magnitude, upper limits, whole history, write a note."""

_GROUPS = (("Supernovae", 2220), ("Long", 2240), ("Fast", 2230), ("Periodic", 2320), ("Active", 2330))
_OTHERS = (2100, 1100)


class Choice(NamedTuple):
    """A class a person can give: id, the name on its button, its key."""

    class_id: int
    name: str
    key: str


def groups() -> list[tuple[str, list[Choice]]]:
    """Every choice under its group's heading, in the order of the page."""
    named = [
        (heading, [Choice(i, shown_name(i), KEYS[i]) for i in KEYS if TAXONOMY[i].parent_id == parent])
        for heading, parent in _GROUPS
    ]
    return [*named, ("None of these", [Choice(i, shown_name(i), KEYS[i]) for i in _OTHERS])]
