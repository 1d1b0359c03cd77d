"""What a filter may ask of an alert: the columns of a classification, numbers derived from them, probabilities."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from broker.filters.values import ARRAY, FLAG, NUMBER, TEXT, Unfit, Value, built, double, probability_sum
from broker.records.fields import ALERT_FIELDS
from schemas.photometry import NJY_ZERO_POINT
from schemas.taxonomy import TAXONOMY, class_id_of, lineage

IDS = ("alert_id", "object_id")
"""Whole numbers that fill 64 bits: they are never rounded."""

_KINDS = {"string": TEXT, "boolean": FLAG, "array<int>": ARRAY, "array<float>": ARRAY}

_POLE_RA_DEG, _POLE_DEC_DEG = 192.85948, 27.12825
"""The north Galactic pole in ICRS (ESA 1997, The Hipparcos and Tycho Catalogues, SP-1200, volume 1, 1.5.3)."""


@cache
def columns() -> dict[str, str]:
    """The names a filter may use, and the kind of each."""
    stored = {name: _KINDS.get(stored, NUMBER) for name, stored in ALERT_FIELDS.items()}
    return stored | dict.fromkeys(_DERIVED, NUMBER)


def column(name: str) -> Value:
    """The value of a column or of a derived number; KeyError where there is none of the name."""
    if name in _DERIVED:
        return _DERIVED[name]()
    kind, stored = columns()[name], ALERT_FIELDS[name]
    cast_to = {"int": "BIGINT", "float": "DOUBLE"}.get(stored)
    sql = f"CAST(`{name}` AS {cast_to})" if cast_to else f"`{name}`"
    is_whole = stored in ("int", "bigint")
    is_floating = stored in ("float", "double")
    return Value(kind, sql, depth=2, is_whole=is_whole, is_wide=name in IDS, may_be_nan=is_floating)


def element(name: str, index: Value) -> Value:
    """An element of an array column; null beyond its ends. Unfit where the index is no whole number."""
    if not index.is_whole:
        raise Unfit(f"expected a whole number between [ and ], found {index.sql}")
    is_whole = ALERT_FIELDS[name] == "array<int>"
    wanted = "BIGINT" if is_whole else "DOUBLE"
    template = f"CAST(get(`{name}`, try_cast({{}} AS INT)) AS {wanted})"
    return built(NUMBER, template, index, levels=3, whole=is_whole, nan=not is_whole)


@cache
def probability(class_name: str) -> Value:
    """The probability of a class at the survey's rates: for a group in the tree the sum over it.

    Null where the alert has no probabilities. LookupError where the taxonomy does not have the class.
    """
    chosen = class_id_of(class_name)
    total = probability_sum([_of_class(class_id) for class_id in TAXONOMY if chosen in lineage(class_id)])
    # A division by false as a number, which is null: IF would take Spark longer to plan.
    return built(NUMBER, "try_divide({}, CAST(size(`p_survey`) > 0 AS DOUBLE))", total, levels=3, nan=True)


def _of_class(class_id: int) -> Value:
    index = f"CAST(array_position(`class_ids`, {class_id}) AS INT) - 1"
    return Value(NUMBER, f"coalesce(get(`p_survey`, {index}), 0D)", depth=5, branches=1)


def separation_deg(ra_deg: Value, dec_deg: Value) -> Value:
    """The angle between the alert and a position, degrees, by the haversine formula.

    Sinnott 1984, Sky and Telescope 68, 159. ``1 - |1 - x|`` keeps a sine that was rounded up to more than 1 in range.
    """
    ra, dec = double(ra_deg), double(dec_deg)
    haversine = (
        "degrees(2D * asin(1D - abs(1D - sqrt(pow(sin((radians(`dec_deg`) - radians({})) / 2D), 2D)"
        " + cos(radians(`dec_deg`)) * cos(radians({})) * pow(sin((radians(`ra_deg`) - radians({})) / 2D), 2D)))))"
    )
    return built(NUMBER, haversine, dec, dec, ra, levels=13, nan=True)


def _magnitude() -> Value:
    """The AB magnitude of the latest flux; null where that is not positive, as Spark's log10 then is."""
    return Value(NUMBER, f"({NJY_ZERO_POINT}D - 2.5D * log10(`flux_njy`))", depth=4, may_be_nan=True)


def _galactic_latitude_deg() -> Value:
    """The latitude from the Galactic plane, degrees."""
    from_pole = separation_deg(*(Value(NUMBER, f"{angle}D") for angle in (_POLE_RA_DEG, _POLE_DEC_DEG)))
    return replace(built(NUMBER, "(90D - {})", from_pole), may_be_nan=True)


_DERIVED = {"magnitude": _magnitude, "galactic_latitude_deg": _galactic_latitude_deg}
