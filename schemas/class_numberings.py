"""True classes as files number and name them → class ids of the taxonomy, whichever of its numberings the file has."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from schemas.taxonomy import TAXONOMY, class_id_of
from schemas.type_names import class_id_of_type

FIRST: dict[int, int] = {
    1: 2200, 2: 2300,
    11: 2220, 12: 2230, 13: 2240, 22: 2330,
    111: 2222, 112: 2223, 113: 2224, 114: 2225, 115: 2226,
    121: 2232, 122: 2233, 123: 2234, 124: 2235,
    131: 2242, 132: 2243, 133: 2244, 134: 2245, 135: 2246,
    211: 2322, 212: 2323, 213: 2324, 214: 2325,
    221: 2332,
}  # fmt: skip
"""The ids of ELAsTiCC's first taxonomy to those of today: 111 was type Ia, 221 an active galactic nucleus.

Source: ``populate_classidofgentype`` in https://github.com/LSSTDESC/tom_desc,
elasticc/migrations/0029_fill_classidofgentype.py of 2022-08-08, which gives each id of a simulated class its name. Its
20 for Periodic is left out: the ids 211 to 214 of its members do not start so. Ids that it does not have (those of
"other", Mira) are none here."""

_LEAVES_OF_FIRST = {number: class_id for number, class_id in FIRST.items() if number >= 100}
"""Smaller numbers may be those of a simulation's models, which the names beside them tell."""

_TODAY = {class_id: class_id for class_id in TAXONOMY}


def class_ids(numbers: Sequence[object], names: Sequence[object], place: Callable[[int], str]) -> NDArray[np.int64]:
    """The class ids of ``numbers``, an id of today's taxonomy or of the first for each row, or of ``names`` where a
    number is none.

    All rows have one numbering: today's if it fits all of them, else the first. Raises ValueError for the first row of
    which neither number nor name is known, or where they contradict each other; ``place`` says where it is.
    """
    pairs = list(zip(numbers, names, strict=True))
    rows = {pair: row for row, pair in reversed(list(enumerate(pairs)))}
    refusals = []
    for numbering in (_TODAY, FIRST):
        class_ids = {pair: _class_id(*pair, numbering) for pair in rows}
        wrong = [pair for pair, class_id in class_ids.items() if class_id is None]
        if not wrong:
            return np.array([class_ids[pair] for pair in pairs], np.int64)
        refusals.append(min(wrong, key=lambda pair: rows[pair]))
    refused = max(refusals, key=lambda pair: rows[pair])  # in the numbering that the file has more probably
    number, name = refused
    raise ValueError(
        f"{place(rows[refused])}: class_id must be the true class, an id of the taxonomy (2222 or, in its first "
        f"numbering, 111 for Ia), or class_name one of its names, and both the same; found {number!r} and {name!r}"
    )


def _class_id(number: object, name: object, numbering: Mapping[int, int]) -> int | None:
    """None where nothing is known, or number and name contradict each other."""
    by_name = None if name is None else _of_name(str(name))
    by_number = _of_number(number, numbering)
    if by_number is None:  # by its name then, unless the number is a class of the other numbering and says otherwise
        other = _of_number(number, _TODAY if numbering is FIRST else _LEAVES_OF_FIRST)
        return by_name if other in (None, by_name) else None
    return by_number if by_name in (None, by_number) else None


def _of_number(number: object, numbering: Mapping[int, int]) -> int | None:
    if isinstance(number, int):
        return numbering.get(number)
    text = str(number).strip()
    if text.isascii() and text.removesuffix(".0").isdigit() and len(text) < 10:
        return numbering.get(int(text.removesuffix(".0")))
    return None if number is None else _of_name(text)


def _of_name(name: str) -> int | None:
    if name.strip().isdigit():
        return None
    try:
        return class_id_of(name)
    except LookupError:
        return class_id_of_type(name)
