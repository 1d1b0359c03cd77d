"""The plan of a night: budget, shares, propensities, and who is never asked again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from active_learning.candidates import Candidate
from active_learning.planner import NOVEL_FRACTION, NightPlan, plan
from schemas import messages

RecordOf = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def candidates(record_of: RecordOf) -> list[Candidate]:
    """120 observable objects: a third novel, a third uncertain, all in the random pool with probability 0.3."""
    generator = np.random.default_rng(8)
    gathered = []
    for i in range(1, 121):
        novel, uncertain = i % 3 == 0, i % 3 == 1
        record = record_of(
            i,
            flux_njy=float(generator.uniform(10_000, 60_000)),
            p_survey=generator.dirichlet([5, 5, 5] if uncertain else [9, 0.3, 0.1]).tolist(),
            novelty_p_value=float(generator.uniform(0, 1e-3)) if novel else 0.5,
        )
        pools = {"random"} | ({"novel"} if novel else set()) | ({"uncertain"} if uncertain else set())
        gathered.append(Candidate(record, frozenset(pools), 0.3))
    return gathered


def tonight(candidates: list[Candidate], **changes: Any) -> NightPlan:
    arguments: dict[str, Any] = {
        "budget_hours": 6.0,
        "random_fraction": 0.2,
        "seed": 1,
        "night": 61_000,
        "created_ms": 1_790_000_000_000,
    }
    return plan(candidates, **(arguments | changes))


def test_it_fills_the_night_and_no_more(candidates: list[Candidate]) -> None:
    night_plan = tonight(candidates)
    hours = sum(request["exposure_s"] + 600 for request in night_plan.requests) / 3600
    assert night_plan.hours == pytest.approx(hours)
    assert 5.7 < hours <= 6.0
    assert len({request["object_id"] for request in night_plan.requests}) == len(night_plan.requests)


def test_an_alert_of_a_later_night_is_not_asked_about(record_of: RecordOf) -> None:
    """As of real alerts replayed beside simulated ones of years before."""
    pools = frozenset({"uncertain", "random"})
    times = {1: 60_999.9, 2: 61_000.4, 3: 61_001.9, 4: 61_638.0}
    among = [Candidate(record_of(i, alert_mjd=mjd), pools, 0.3) for i, mjd in times.items()]
    night_plan = tonight(among, night=61_000)
    assert {request["object_id"] for request in night_plan.requests} == {1, 2}
    assert [name for name, _ in night_plan.infeasible] == ["3", "4"]
    assert (
        night_plan.infeasible[1][1] == "its newest alert is of the night 61637, after the night 61000 that is planned"
    )


@pytest.fixture(scope="module")
def nights(candidates: list[Candidate]) -> list[NightPlan]:
    return [tonight(candidates, seed=seed) for seed in range(50)]


def test_all_reasons_have_their_share(nights: list[NightPlan]) -> None:
    hours: dict[str, float] = {}
    for night in nights:
        for request in night.requests:
            hours[request["reason"]] = hours.get(request["reason"], 0) + (request["exposure_s"] + 600) / 3600 / len(
                nights
            )
    assert hours["random"] == pytest.approx(1.2, rel=0.15)
    assert hours["novel"] / (hours["novel"] + hours["uncertain"]) == pytest.approx(NOVEL_FRACTION, abs=0.08)


def test_requests_are_messages(candidates: list[Candidate]) -> None:
    for request in tonight(candidates).requests:
        kind, decoded = messages.decode(messages.encode("request", request))
        assert kind == "request"
        assert decoded["request_id"] == request["request_id"]
        assert 0 < request["propensity"] <= 1
        assert request["magnitude"] == pytest.approx(20, abs=2)


def test_inverse_propensities_count_the_stream(nights: list[NightPlan]) -> None:
    """120 objects in the pool, each with probability 0.3: a stream of 400, from a handful drawn in each night."""
    drawn = [[r["propensity"] for r in night.requests if r["reason"] == "random"] for night in nights]
    estimates = [sum(1 / propensity for propensity in night) for night in drawn]
    assert abs(np.mean(estimates) - 400) < 4 * np.std(estimates) / np.sqrt(len(estimates))
    assert {r["propensity"] for night in nights for r in night.requests if r["reason"] != "random"} == {1.0}


def test_the_same_seed_gives_the_same_night_in_whatever_order(candidates: list[Candidate]) -> None:
    first = tonight(candidates)
    assert tonight(candidates[::-1]) == first
    assert tonight(candidates, seed=2).requests != first.requests
    assert tonight(candidates, night=61_001).requests != first.requests


def test_nobody_is_asked_again(candidates: list[Candidate]) -> None:
    first = {request["object_id"] for request in tonight(candidates).requests}
    second = {request["object_id"] for request in tonight(candidates, excluded=first).requests}
    assert second
    assert not first & second


def test_utility_is_not_divided_by_cost(record_of: RecordOf) -> None:
    faint = record_of(1, p_survey=[0.34, 0.33, 0.33], flux_njy=2500.0)
    bright = record_of(2, p_survey=[0.6, 0.2, 0.2], flux_njy=90_000.0)
    pair = [Candidate(record, frozenset({"uncertain"}), 0.0) for record in (bright, faint)]
    night_plan = tonight(pair, random_fraction=0.0)
    assert [request["object_id"] for request in night_plan.requests] == [1, 2]
    assert night_plan.requests[0]["utility"] > night_plan.requests[1]["utility"]


def test_labels_of_a_class_turn_the_questions_elsewhere(record_of: RecordOf) -> None:
    records = [record_of(1, p_survey=[0.5, 0.5, 0.0]), record_of(2, p_survey=[0.0, 0.55, 0.45])]
    pair = [Candidate(record, frozenset({"uncertain"}), 0.0) for record in records]
    first = [tonight(pair, label_counts=counts).requests[0]["object_id"] for counts in ({}, {2222: 80, 2223: 80})]
    assert first == [1, 2]


def test_the_infeasible_are_named_with_the_reason(record_of: RecordOf) -> None:
    records = [record_of(1, flux_njy=200.0), record_of(2, flux_njy=-3.0), record_of(3, flux_njy=9000.0)]
    pools = frozenset({"novel", "random"})
    night_plan = tonight([Candidate(record, pools, 1.0) for record in records], budget_hours=0.2)
    assert night_plan.requests == []
    reasons = dict(night_plan.infeasible)
    assert reasons["1"].startswith("too faint")
    assert reasons["2"].startswith("no magnitude")
    assert "longer than the whole budget of 0.20 h" in reasons["3"]


def test_nothing_to_ask_and_no_time() -> None:
    assert tonight([]).requests == []
    with pytest.raises(ValueError, match="budget must be 0 hours or more"):
        tonight([], budget_hours=-1.0)
    with pytest.raises(ValueError, match="random fraction must be from 0 to 1"):
        tonight([], random_fraction=1.2)


def test_a_night_of_random_draws_only(candidates: list[Candidate]) -> None:
    night_plan = tonight(candidates, random_fraction=1.0)
    assert {request["reason"] for request in night_plan.requests} >= {"random"}
    assert night_plan.random_hours > 4.5
    assert night_plan.hours <= 6.0


def test_what_was_not_classified_can_be_drawn(record_of: RecordOf) -> None:
    record = record_of(5, p_survey=[], class_id=300, not_classified_reason="fewer than 3 points")
    night_plan = tonight([Candidate(record, frozenset({"random"}), 1.0)], random_fraction=1.0)
    assert [(request["reason"], request["utility"]) for request in night_plan.requests] == [("random", 0.0)]
