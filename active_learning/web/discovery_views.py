"""What templates show of a novel or strange object: every number in words, so that templates only place them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from active_learning.web import wording
from active_learning.web.choices import shown_name
from active_learning.web.discovery_desk import NOVEL, STRANGE, Discovery
from models.discovery.interest import Opinion
from schemas.night import date_of

SOURCE_MARKS = {NOVEL: "✦", STRANGE: "◇"}
OPINION_MARKS = {Opinion.INTERESTING: "★", Opinion.BORING: "–", Opinion.ARTEFACT: "✕"}
OPINION_KEYS = {Opinion.INTERESTING: "1", Opinion.BORING: "2", Opinion.ARTEFACT: "3"}
"""The key of each vote."""

HEADINGS = {NOVEL: "Novel: the nights' selections", STRANGE: "Strange: not controlled"}

_AMONG = {
    "training": "the training's held-out objects",
    "stream": "recent objects of the stream",
    "labelled": "labelled objects of the stream",
}


@dataclass(frozen=True, slots=True)
class DiscoveryRow:
    """One object in the list."""

    key: str
    name: str
    source: str
    mark: str
    opinion: str
    evidence: str
    nearest: str


@dataclass(frozen=True, slots=True)
class DiscoveryView:
    """One object, as the page shows it. ``members``: rows of its group, itself among them, where there are others."""

    row: DiscoveryRow
    why: str
    facts: list[tuple[str, str, str]]
    links: list[tuple[str, str]]
    members: list[DiscoveryRow]


def row_of(one: Discovery) -> DiscoveryRow:
    """The list's line about an object."""
    record = one.record
    return DiscoveryRow(
        key=one.key,
        name=record["object_name"] or one.key,
        source=one.source,
        mark=OPINION_MARKS[one.opinion] if one.opinion is not None else SOURCE_MARKS[one.source],
        opinion=str(one.opinion or ""),
        evidence=f"q = {record['q_value']:.2g}" if is_controlled(one) else "not controlled",
        nearest=_nearest(one)[0],
    )


def view_of(one: Discovery, group: Sequence[Discovery]) -> DiscoveryView:
    """Everything the page says of an object of a group."""
    record = one.record
    return DiscoveryView(
        row=row_of(one),
        why=_why(one),
        facts=_facts(one),
        links=wording.outside_links(record["ra_deg"], record["dec_deg"]),
        members=[row_of(member) for member in group] if len(group) > 1 else [],
    )


def is_controlled(one: Discovery) -> bool:
    """Whether the object was selected at a false-discovery rate: then alone it has a q-value."""
    return one.source == NOVEL and one.record["control"] in ("controlled", "strict")


def _why(one: Discovery) -> str:
    record = one.record
    if one.source == STRANGE:
        among = _AMONG.get(record.get("novelty_calibration", "training"), "known objects")
        return (
            "Among the strangest alerts of its batch; not controlled: no error rate is promised. "
            f"p = {record['novelty_p_value']:.2g} is the rank of this alert alone among {among}."
        )
    nights = f"{record['nights']} night{'s' if record['nights'] != 1 else ''} up to {date_of(record['night'])}"
    objects = f"{record['n_objects']:,} objects of the {nights}"
    if not is_controlled(one):
        return f"Among the strangest of {objects}; not controlled: no error rate is promised."
    proof = ", with a proof for finite samples" if record["control"] == "strict" else ""
    return f"Selected at a false-discovery rate of {100 * record['fdr']:.3g} % among {objects}{proof}."


def _facts(one: Discovery) -> list[tuple[str, str, str]]:
    """Heading, value, and a note below it."""
    record = one.record
    ra_deg, dec_deg = record["ra_deg"], record["dec_deg"]
    has_position = math.isfinite(ra_deg) and math.isfinite(dec_deg)
    return [
        _error_rate(one),
        ("Nearest known", *_nearest(one)),
        ("Driven by", *_drivers(record)),
        (
            "Position (ICRS)",
            wording.sexagesimal(ra_deg, dec_deg),
            f"{ra_deg:.5f}° {wording.signed(dec_deg, 5, plus=True)}°" if has_position else "no position",
        ),
    ]


def _error_rate(one: Discovery) -> tuple[str, str, str]:
    if is_controlled(one):
        note = "smallest false-discovery rate at which its selection takes it"
        return ("Error rate", f"q = {one.record['q_value']:.2g}", note)
    return ("Error rate", "not controlled", "may well be an object of a known class")


def _nearest(one: Discovery) -> tuple[str, str]:
    """The nearest known classes, and what they are."""
    if one.source == NOVEL:
        class_ids: list[int] = one.record["nearest_known_class_ids"]
        counts = Counter(class_ids).most_common(2)
        return " · ".join(f"{shown_name(i)} {n}×" for i, n in counts) or "—", "labelled objects most alike, by class"
    pairs = zip(one.record["class_ids"], one.record["p_survey"], strict=False)
    likely = sorted((pair for pair in pairs if math.isfinite(pair[1])), key=lambda pair: -pair[1])[:2]
    return " · ".join(f"{shown_name(i)} {100 * p:.0f} %" for i, p in likely) or "—", "the model's most probable classes"


def _drivers(record: Mapping[str, Any]) -> tuple[str, str]:
    """The feature that sets the object apart most, and the next ones."""
    names, deviations = record.get("driver_features", []), record.get("driver_deviations", [])
    drivers = [f"{name} {wording.signed(d, 1, plus=True)} σ" for name, d in zip(names, deviations, strict=False)]
    if not drivers:
        return "—", "told of objects of a night's selection"
    return drivers[0], "; ".join(drivers[1:4]) or "from its most probable class"
