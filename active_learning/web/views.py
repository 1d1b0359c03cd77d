"""What templates show of a request: every number already in words, so that templates only place them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from active_learning.exposure import Spectrograph
from active_learning.labels import Answer
from active_learning.web import wording
from active_learning.web.choices import Choice, groups, shown_name

_TELESCOPE = Spectrograph()
REASON_MARKS = {"novel": "✦", "uncertain": "≈", "random": "⚄"}


@dataclass(frozen=True, slots=True)
class Row:
    """One object in the queue."""

    request_id: str
    name: str
    reason: str
    mark: str
    guess: str
    brightness: str
    is_conflict: bool


@dataclass(frozen=True, slots=True)
class Option:
    """One class of the answer panel: its button, and what the model gives it (None: not a class of the model)."""

    choice: Choice
    probability: float | None
    is_best: bool

    @property
    def percent(self) -> str:
        """The probability as text; empty where the model does not know the class."""
        if self.probability is None:
            return ""
        return "<1 %" if 0 < self.probability < 0.005 else f"{100 * self.probability:.0f} %"

    @property
    def width(self) -> float:
        """Length of the bar, percent."""
        return round(100 * (self.probability or 0.0), 1)


@dataclass(frozen=True, slots=True)
class View:
    """One object, as the page shows it."""

    request: Mapping[str, Any]
    row: Row
    why: str
    facts: list[tuple[str, str, str]]
    links: list[tuple[str, str]]
    options: list[tuple[str, list[Option]]]
    unlisted: list[tuple[str, str]]
    disagreement: str


def row_of(request: Mapping[str, Any], answer: Answer | None = None) -> Row:
    """The queue's line about a request."""
    best = _ranked(request)[:1]
    guess = f"{shown_name(best[0][0])} {100 * best[0][1]:.0f} %" if best else "not classified"
    magnitude = request["magnitude"]
    return Row(
        request_id=request["request_id"],
        name=request["object_name"] or str(request["object_id"]),
        reason=request["reason"],
        mark=REASON_MARKS.get(request["reason"], "•"),
        guess=guess,
        brightness=f"{request['band']} {wording.signed(magnitude, 1)}" if math.isfinite(magnitude) else "",
        is_conflict=answer is not None and answer.is_conflict,
    )


def view_of(request: Mapping[str, Any], answer: Answer | None = None) -> View:
    """Everything the page says of a request."""
    ranked = _ranked(request)
    names = [shown_name(class_id) for class_id, _ in ranked]
    disagreement = ""
    if answer is not None and answer.is_conflict:
        said = [f"{who} says {shown_name(label['class_id'])}" for who, label in answer.by_labeller.items()]
        disagreement = "Labellers disagree: " + ", ".join(said) + "."
    listed = {choice.class_id for _, choices in groups() for choice in choices}
    return View(
        request=request,
        row=row_of(request, answer),
        why=wording.reason_in_words(request, names),
        facts=_facts(request),
        links=wording.outside_links(request["ra_deg"], request["dec_deg"]),
        options=_options(dict(ranked)),
        unlisted=[(shown_name(i), f"{100 * p:.0f} %") for i, p in ranked if i not in listed],
        disagreement=disagreement,
    )


def _ranked(request: Mapping[str, Any]) -> list[tuple[int, float]]:
    pairs = zip(request["class_ids"], request["p_survey"], strict=False)
    finite = [(int(i), float(p)) for i, p in pairs if math.isfinite(p)]
    return sorted(finite, key=lambda pair: -pair[1])


def _options(probabilities: Mapping[int, float]) -> list[tuple[str, list[Option]]]:
    best = max(probabilities, key=probabilities.__getitem__, default=None)
    return [
        (heading, [Option(c, probabilities.get(c.class_id), c.class_id == best) for c in choices])
        for heading, choices in groups()
    ]


def _facts(request: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Heading, value, and a note below it."""
    p_value, magnitude = request["novelty_p_value"], request["magnitude"]
    telescope = f"{_TELESCOPE.name}, S/N {_TELESCOPE.signal_to_noise:.0f}"
    latest = f"{request['band']} = {wording.signed(magnitude, 2)}" if math.isfinite(magnitude) else "—"
    ra_deg, dec_deg = request["ra_deg"], request["dec_deg"]
    has_position = math.isfinite(ra_deg) and math.isfinite(dec_deg)
    in_degrees = f"{ra_deg:.5f}° {wording.signed(dec_deg, 5, plus=True)}°" if has_position else "no position"
    return [
        ("Novelty", f"p = {p_value:.2g}" if math.isfinite(p_value) else "—", wording.novelty_in_words(p_value)),
        ("Latest", latest, "AB magnitude of the difference"),
        ("Exposure", wording.duration(request["exposure_s"]), telescope),
        ("Position (ICRS)", wording.sexagesimal(ra_deg, dec_deg), in_degrees),
    ]
