"""A night's requests: a random fifth of the time, the rest to the novel and the most useful, within the budget."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

from active_learning.acquisition import order_by_utility, utility
from active_learning.candidates import Candidate
from active_learning.exposure import Spectrograph, cost_s
from active_learning.random_draw import draw, probabilities
from schemas.night import night_of

NOVEL_FRACTION = 0.4
"""Of the time that is not random, the part for novel objects; what one of the two cannot use goes to the other."""

COPIED = (
    *("object_id", "object_name", "band", "ra_deg", "dec_deg", "alert_id"),
    *("input_topic", "input_partition", "input_offset"),
    *("model_sha256", "class_ids", "p_survey", "novelty_p_value"),
)
"""Fields of the request that are those of the classification record."""


@dataclass(frozen=True, slots=True)
class NightPlan:
    """What to ask in one night.

    ``requests``: request records of ``schemas.messages``, in the order to observe them.
    ``infeasible``: (object name, reason in words) of candidates that cannot be observed.
    ``hours``, ``random_hours``: time they take with overheads, of which drawn at random.
    ``budget_hours``: what there was.
    """

    requests: list[dict[str, Any]]
    infeasible: list[tuple[str, str]]
    hours: float
    random_hours: float
    budget_hours: float


@dataclass(frozen=True, slots=True)
class _Target:
    candidate: Candidate
    magnitude: float
    exposure_s: float
    hours: float


def plan(
    candidates: Sequence[Candidate],
    *,
    budget_hours: float,
    random_fraction: float,
    seed: int,
    night: int,
    created_ms: int,
    excluded: Collection[int] = (),
    label_counts: Mapping[int, int] | None = None,
    telescope: Spectrograph | None = None,
) -> NightPlan:
    """The requests of one night (``night``: the MJD of its evening), the same for the same input and seed.

    ``excluded``: object ids that have a label, or a request without an answer: they are not asked again.
    ``label_counts``: labels so far by class id. ``random_fraction`` of the time, on average, goes to objects
    drawn from the random pool; their ``propensity`` is the probability that the whole procedure draws
    them, so that averages weighted by its inverse hold for all observable objects that have not been
    asked about. Requests chosen for their utility have propensity 1. Utility is never divided by cost.

    A candidate whose newest alert is of a later night than ``night`` is infeasible: that alert is not there yet.

    Raises ValueError where the budget is negative or the fraction is outside [0, 1].
    """
    _check(budget_hours, random_fraction)
    telescope = telescope or Spectrograph()
    eligible = sorted((c for c in candidates if c.object_id not in excluded), key=lambda c: c.object_id)
    targets, infeasible = _targets(eligible, telescope, budget_hours, night)
    values = _utilities(targets, label_counts or {})
    drawn, propensities = _random_part(targets, budget_hours, random_fraction, np.random.default_rng([seed, night]))
    random_hours = sum(targets[row].hours for row in drawn)
    chosen = _useful_part(targets, set(drawn), budget_hours - random_hours, label_counts or {})
    picks = [(row, "random") for row in drawn] + chosen
    requests = [
        _request(targets[row], reason, values[row], propensities.get(row, 1.0) if reason == "random" else 1.0)
        | {"night": night, "created_ms": created_ms, "request_id": _request_id(targets[row], night, seed)}
        for row, reason in _interleaved(picks)
    ]
    hours = random_hours + sum(targets[row].hours for row, _ in chosen)
    return NightPlan(requests, infeasible, hours, random_hours, budget_hours)


def _check(budget_hours: float, random_fraction: float) -> None:
    if not budget_hours >= 0:
        raise ValueError(f"the budget must be 0 hours or more, found {budget_hours}")
    if not 0 <= random_fraction <= 1:
        raise ValueError(f"the random fraction must be from 0 to 1, found {random_fraction}")


def _targets(
    candidates: list[Candidate], telescope: Spectrograph, budget_hours: float, night: int
) -> tuple[list[_Target], list[tuple[str, str]]]:
    targets, infeasible = [], []
    for candidate in candidates:
        record = candidate.record
        magnitude, seconds, reason = cost_s(record["flux_njy"], record["band"], telescope)
        hours = (seconds + telescope.overhead_s) / 3600
        if not reason and hours > budget_hours:
            reason = f"it takes {hours:.2f} h, longer than the whole budget of {budget_hours:.2f} h"
        if (night_of_alert := int(night_of(record["alert_mjd"]))) > night:  # as where two streams are replayed together
            reason = f"its newest alert is of the night {night_of_alert}, after the night {night} that is planned"
        if reason:
            infeasible.append((record["object_name"], reason))
        else:
            targets.append(_Target(candidate, magnitude, seconds, hours))
    return targets, infeasible


def _random_part(
    targets: list[_Target], budget_hours: float, fraction: float, rng: np.random.Generator
) -> tuple[list[int], dict[int, float]]:
    pool = [row for row, target in enumerate(targets) if "random" in target.candidate.pools]
    hours = np.array([targets[row].hours for row in pool])
    share = fraction * budget_hours
    drawn = draw(hours, share, budget_hours, rng)
    probability = probabilities(hours, share, budget_hours, rng)
    propensity = {
        row: float(p) * targets[row].candidate.pool_probability for row, p in zip(pool, probability, strict=True)
    }
    return [pool[index] for index in drawn], propensity


def _useful_part(
    targets: list[_Target], taken: set[int], hours_left: float, label_counts: Mapping[int, int]
) -> list[tuple[int, str]]:
    """Novel and uncertain in turn, so that their times keep the ratio of NOVEL_FRACTION while both have any."""
    queues = {"novel": _novel_first(targets), "uncertain": _uncertain_first(targets, label_counts)}
    share = {"novel": NOVEL_FRACTION, "uncertain": 1 - NOVEL_FRACTION}
    spent = dict.fromkeys(queues, 0.0)
    taken, chosen = set(taken), []
    while queues:
        reason = min(queues, key=lambda name: spent[name] / share[name])
        row = _next_that_fits(queues[reason], targets, taken, hours_left)
        if row is None:
            del queues[reason]
            continue
        taken.add(row)
        chosen.append((row, reason))
        spent[reason] += targets[row].hours
        hours_left -= targets[row].hours
    return chosen


def _next_that_fits(queue: Iterator[int], targets: list[_Target], taken: set[int], hours_left: float) -> int | None:
    return next((row for row in queue if row not in taken and targets[row].hours <= hours_left), None)


def _novel_first(targets: list[_Target]) -> Iterator[int]:
    novel = [row for row, target in enumerate(targets) if "novel" in target.candidate.pools]
    records = [target.candidate.record for target in targets]
    key = [(record["novelty_p_value"], -record["novelty_score"]) for record in records]
    return iter(sorted(novel, key=key.__getitem__))


def _uncertain_first(targets: list[_Target], label_counts: Mapping[int, int]) -> Iterator[int]:
    rows = [row for row, target in enumerate(targets) if "uncertain" in target.candidate.pools]
    if not rows:
        return iter(())
    probabilities, counts = _aligned([targets[row] for row in rows], label_counts)
    return iter(rows[index] for index, _ in order_by_utility(probabilities, counts, rows))


def _utilities(targets: list[_Target], label_counts: Mapping[int, int]) -> list[float]:
    if not targets:
        return []
    values: list[float] = utility(*_aligned(targets, label_counts)).tolist()
    return values


def _aligned(
    targets: list[_Target], label_counts: Mapping[int, int]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Probabilities (n, k) and label counts (k,) over all classes that any of the records names."""
    records = [target.candidate.record for target in targets]
    column = {class_id: i for i, class_id in enumerate(sorted({c for record in records for c in record["class_ids"]}))}
    probabilities = np.zeros((len(records), len(column)))
    for row, record in enumerate(records):
        if len(record["p_survey"]):  # empty where the alert was not classified: no utility
            probabilities[row, [column[c] for c in record["class_ids"]]] = record["p_survey"]
    return probabilities, np.array([label_counts.get(class_id, 0) for class_id in column], np.float64)


def _request(target: _Target, reason: str, value: float, propensity: float) -> dict[str, Any]:
    copied = {name: target.candidate.record[name] for name in COPIED}
    return copied | {
        "reason": reason,
        "utility": value,
        "propensity": propensity,
        "exposure_s": target.exposure_s,
        "magnitude": target.magnitude,
    }


def _request_id(target: _Target, night: int, seed: int) -> str:
    record = target.candidate.record
    return sha256(f"{night}:{seed}:{record['object_id']}:{record['alert_id']}".encode()).hexdigest()[:16]


def _interleaved(picks: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """Each reason spread evenly over the night, so that a night cut short cuts all of them alike."""
    total = {reason: sum(1 for _, other in picks if other == reason) for _, reason in picks}
    seen: dict[str, int] = dict.fromkeys(total, 0)
    keyed = []
    for row, reason in picks:
        keyed.append(((seen[reason] + 0.5) / total[reason], reason, row))
        seen[reason] += 1
    return [(row, reason) for _, reason, row in sorted(keyed)]
