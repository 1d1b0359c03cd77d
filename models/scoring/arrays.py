"""A tree of dataclasses of arrays, as the flat names and arrays of one npz file: no pickles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")


def flat(part: Any, name: str = "") -> dict[str, NDArray]:
    """The arrays of a dataclass by name. Those of a dataclass in a field begin with ``<field>.``; those of the i-th
    dataclass of a tuple with ``<field>.<i>.``."""
    arrays: dict[str, NDArray] = {}
    for field in fields(part):
        value = getattr(part, field.name)
        if is_dataclass(value):
            arrays |= flat(value, f"{name}{field.name}.")
        elif isinstance(value, tuple):
            for i, one in enumerate(value):
                arrays |= flat(one, f"{name}{field.name}.{i}.")
        else:
            arrays[f"{name}{field.name}"] = np.asarray(value)
    return arrays


def rebuilt(kind: type[T], arrays: Mapping[str, NDArray], name: str = "") -> T:
    """The dataclass of this ``kind`` whose arrays :func:`flat` gave. Raises KeyError if an array is missing."""
    values: dict[str, Any] = {}
    for field, hint in get_type_hints(kind).items():
        start = f"{name}{field}."
        if isinstance(hint, type) and is_dataclass(hint):
            values[field] = rebuilt(hint, arrays, start)
        elif get_origin(hint) is tuple:
            number = len({key[len(start) :].split(".")[0] for key in arrays if key.startswith(start)})
            values[field] = tuple(rebuilt(get_args(hint)[0], arrays, f"{start}{i}.") for i in range(number))
        else:
            values[field] = arrays[f"{name}{field}"]
    return kind(**values)
