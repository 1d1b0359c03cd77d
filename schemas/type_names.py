"""The names that simulations and brokers give to types of objects → class ids of the taxonomy."""

from __future__ import annotations

import re
from functools import lru_cache

from schemas.taxonomy import class_id_of, leaves

_TYPES: dict[int, tuple[str, ...]] = {
    2222: ("ia", "ia-norm"),
    2223: ("ib", "ic", "ibc", "ib/c", "icbl", "ic-bl"),
    2224: ("ii", "iip", "iil", "iin", "iib"),
    2225: ("iax", "ia-x"),
    2226: ("91bg", "ia-91bg", "ia91bg"),
    2232: ("kn", "kilonova", "kilonova-gw170817"),
    2233: ("mdwarf", "m-dwarf", "mdwarf-flare", "m-dwarf flare"),
    2234: ("dwarf-nova", "dwarf nova"),
    2235: ("ulens", "ulens-single", "ulens-binary", "ulens-point", "ulens-string", "ulens-bsr", "ulens-1star"),
    2242: ("slsn", "slsn-i", "slsn-ii"),
    2243: ("tde",),
    2244: ("ilot",),
    2245: ("cart",),
    2246: ("pisn",),
    2322: ("cepheid",),
    2323: ("rrl", "rrlyrae", "rr lyrae"),
    2324: ("d-sct", "delta scuti"),
    2325: ("eb", "ebe"),
    2326: ("mira", "lpv"),
    2332: ("agn", "clagn"),
}
"""The types' names in small letters, without the letters SN before a supernova's. From the model names of ELAsTiCC
(https://github.com/LSSTDESC/elasticc/blob/main/alert_schema/elasticc_origmap.txt), of PLAsTiCC (arXiv:1903.11756) and
of the supernova photometric classification challenge (arXiv:1001.5210)."""

_CLASS_ID = {name: class_id for class_id, names in _TYPES.items() for name in names}

_MODEL = re.compile(
    r"[-+_ ](salt\w*|mlcs\w*|templates?|nmf|mosfit|stella(-\w+)?|host|no_host|hostxt(_v19)?|v19|k17|b19|bulla\S*|"
    r"pylima|genlens)$"
)
"""How a name ends that says which model a simulation drew the object from: SNIa-SALT2, KN_K17, SNIIn+HostXT_V19."""


@lru_cache(maxsize=10_000)
def class_id_of_type(name: str) -> int | None:
    """The class id of a type's name, in any case, with or without SN before it and a model's name after it.

    >>> class_id_of_type("SNIIn+HostXT_V19"), class_id_of_type("KN_K17"), class_id_of_type("SN Ia")
    (2224, 2232, 2222)

    A name or slug of a leaf of the taxonomy is read too. None where the type is not known.
    """
    plain = name.strip().lower()
    while plain:
        for form in (plain, re.sub(r"^sn[ -]?", "", plain)):
            class_id = _CLASS_ID.get(form) or _leaf(form)
            if class_id is not None:
                return class_id
        shorter = _MODEL.sub("", plain)
        if shorter == plain:
            return None
        plain = shorter
    return None


def _leaf(name: str) -> int | None:
    """The leaf of the taxonomy with that name or slug; its numbers are no names."""
    if name.isdigit():
        return None
    try:
        class_id = class_id_of(name)
    except LookupError:
        return None
    return class_id if class_id in {leaf.class_id for leaf in leaves()} else None
