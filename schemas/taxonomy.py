"""The class tree: the taxonomy of ELAsTiCC, whose ids brokers exchange.

Source: https://github.com/LSSTDESC/elasticc/blob/main/taxonomy/taxonomy.ipynb (Malz and Knop). Each decimal
digit is a level of the tree; ids that end in a 1, 10 or 100 are the "Other" of their group.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple


class TaxonomyClass(NamedTuple):
    """A class: its id, the taxonomy's name, a slug for topics and paths, and its parent (None at the top)."""

    class_id: int
    name: str
    slug: str
    parent_id: int | None


CHALLENGE = "elasticc"
"""The challenge that brought the taxonomy about, and what the published test on its labelled alerts is called."""

NOT_CLASSIFIED = 300
"""The classifier chose not to classify."""

_TREE: dict[int, tuple[str, int | None]] = {
    0: ("Meta", None),
    100: ("Meta/Other", 0),
    200: ("Residual", 0),
    300: ("NotClassified", 0),
    1000: ("Static", None),
    1100: ("Static/Other", 1000),
    2000: ("Variable", None),
    2100: ("Variable/Other", 2000),
    2200: ("Non-Recurring", 2000),
    2210: ("Non-Recurring/Other", 2200),
    2220: ("SN-like", 2200),
    2221: ("SN-like/Other", 2220),
    2222: ("Ia", 2220),
    2223: ("Ib/c", 2220),
    2224: ("II", 2220),
    2225: ("Iax", 2220),
    2226: ("91bg", 2220),
    2230: ("Fast", 2200),
    2231: ("Fast/Other", 2230),
    2232: ("KN", 2230),
    2233: ("M-dwarf Flare", 2230),
    2234: ("Dwarf Novae", 2230),
    2235: ("uLens", 2230),
    2240: ("Long", 2200),
    2241: ("Long/Other", 2240),
    2242: ("SLSN", 2240),
    2243: ("TDE", 2240),
    2244: ("ILOT", 2240),
    2245: ("CART", 2240),
    2246: ("PISN", 2240),
    2300: ("Recurring", 2000),
    2310: ("Recurring/Other", 2300),
    2320: ("Periodic", 2300),
    2321: ("Periodic/Other", 2320),
    2322: ("Cepheid", 2320),
    2323: ("RR Lyrae", 2320),
    2324: ("Delta Scuti", 2320),
    2325: ("EB", 2320),
    2326: ("LPV/Mira", 2320),
    2330: ("Non-Periodic", 2300),
    2331: ("Non-Periodic/Other", 2330),
    2332: ("AGN", 2330),
}


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


TAXONOMY: dict[int, TaxonomyClass] = {
    class_id: TaxonomyClass(class_id, name, _slug(name), parent) for class_id, (name, parent) in _TREE.items()
}
"""Every class by its id."""

_SUPERNOVAE = 2220
_PLAIN_NAMES = {2100: "Something else", 1100: "Not variable"}


def shown_name(class_id: int) -> str:
    """The name of a class for people, as the labelling page shows it; supernovae begin with SN.

    >>> shown_name(2224), shown_name(2100), shown_name(2332)
    ('SN II', 'Something else', 'AGN')
    """
    entry = TAXONOMY.get(class_id)
    if entry is None:  # of a newer taxonomy than this one
        return f"class {class_id}"
    return f"SN {entry.name}" if _is_supernova(entry) else _PLAIN_NAMES.get(class_id, entry.name)


def _is_supernova(entry: TaxonomyClass) -> bool:
    return entry.parent_id == _SUPERNOVAE and not entry.name.startswith("SN")


def _keys(entry: TaxonomyClass) -> Iterator[str]:
    """Under what a class is looked up: its name and slug, and the name that people are shown."""
    yield from (entry.name.lower(), entry.slug)
    if _is_supernova(entry):
        yield from (f"sn{gap}{name}" for gap in (" ", "-", "") for name in (entry.name.lower(), entry.slug))
    if entry.class_id in _PLAIN_NAMES:
        yield _PLAIN_NAMES[entry.class_id].lower()


_BY_NAME = {key: entry.class_id for entry in TAXONOMY.values() for key in _keys(entry)}


def name_of(class_id: int) -> str:
    """The taxonomy's name of a class; LookupError where the id is unknown."""
    return TAXONOMY[class_id_of(class_id)].name


def name_or_id(class_id: int) -> str:
    """:func:`name_of`; of a class that this taxonomy lacks, as a newer broker may write it, the id."""
    return TAXONOMY[class_id].name if class_id in TAXONOMY else str(class_id)


def slug_of(class_id: int) -> str:
    """The name in lower-case letters, digits and hyphens, fit for a topic; LookupError where the id is unknown."""
    return TAXONOMY[class_id_of(class_id)].slug


def class_id_of(name: str | int) -> int:
    """The id of a class given by its id, name or slug, or by the name that people are shown (SN II), in any case;
    LookupError names what is known."""
    key = str(name).strip().lower()
    class_id = int(key) if re.fullmatch(r"\d{1,9}", key) and int(key) in TAXONOMY else _BY_NAME.get(key)
    if class_id is None:
        classes = ", ".join(f"{entry.slug} ({entry.class_id})" for entry in leaves())
        raise LookupError(f"no class {name!r} in the taxonomy; its leaves are {classes}")
    return class_id


def children(class_id: int | None) -> tuple[TaxonomyClass, ...]:
    """The classes directly below one; below None, the top of the tree."""
    return tuple(entry for entry in TAXONOMY.values() if entry.parent_id == class_id)


def leaves() -> tuple[TaxonomyClass, ...]:
    """The classes with none below them, in the order of their ids."""
    parents = {entry.parent_id for entry in TAXONOMY.values()}
    return tuple(entry for entry in TAXONOMY.values() if entry.class_id not in parents)


def lineage(class_id: int) -> tuple[int, ...]:
    """The ids from the top of the tree down to the class itself."""
    path: list[int] = []
    step: int | None = class_id_of(class_id)
    while step is not None:
        path.append(step)
        step = TAXONOMY[step].parent_id
    return tuple(reversed(path))
