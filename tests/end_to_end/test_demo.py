"""The demonstration as a newcomer sees it, and every command that the README then suggests."""

from __future__ import annotations

import json

import pytest

from models.datasets import plasticc
from tests.command_line import gueststar
from tests.documentation import ROOT, commands
from tests.end_to_end.conftest import Demo

pytestmark = [pytest.mark.services, pytest.mark.timeout(1_500)]


def test_every_alert_is_accounted_for(demo: Demo) -> None:
    report = demo.report
    assert report["lost"] == 0
    assert report["alerts_in"] == report["alerts_out"] + report["dead_letters"]
    assert report["alerts_in"] > 3_000
    assert report["dead_letters"] >= 1, "the demo sends one message that is no alert"


def test_the_loop_closed(demo: Demo) -> None:
    report = demo.report
    assert report["requests"] > 0
    assert report["requests_open"] > 0, "the page would have nothing to show"
    if report["retrained"]:
        assert report["alerts_with_new_model"] > 0
    listed = json.loads(gueststar(demo.home, "models", "list", "--json").stdout)
    assert len(listed["models"]) == 2


def test_a_labeller_is_asked_what_the_demonstration_can_answer(demo: Demo) -> None:
    """Of simulated objects, for one night after the last alert; real ones that go through too are not asked about."""
    asked = json.loads(gueststar(demo.home, "requests", "list", "--json").stdout)["requests"]
    assert asked
    stream = plasticc.load().light_curves
    assert {int(request["object_id"]) for request in asked} <= set(stream.object_id.tolist())
    (night,) = {request["night"] for request in asked}
    assert stream.time_mjd.max() - 30 < night < stream.time_mjd.max() + 30


def test_its_scores_are_worth_something(demo: Demo) -> None:
    assert demo.report["accuracy"] > 0.5, "twelve known classes: guessing the commonest gives about 0.3"
    assert 0 <= demo.report["novel_true"] <= demo.report["novel"]
    assert demo.report["latency_p50_s"] > 0


def test_topics_hold_what_the_report_says(demo: Demo) -> None:
    topics, report = demo.report["topics"], demo.report
    assert 0 <= topics["gueststar.classifications"] - report["alerts_out"] <= report["duplicates"]
    of_classes = sum(n for name, n in topics.items() if name.startswith("gueststar.class."))
    assert of_classes == topics["gueststar.classifications"]


def test_the_summary_is_for_newcomers(demo: Demo) -> None:
    for words in ("Every alert accounted for", "true class", "belonging to no known class", "gueststar label"):
        assert words in demo.screen


def test_the_readme_s_commands_work(demo: Demo) -> None:
    lines = commands(ROOT / "README.md")
    assert len(lines) > 8
    for arguments in lines:
        if arguments == ["down"]:  # the other tests still need the services
            continue
        ran = gueststar(demo.home, *arguments, deadline_s=300)
        assert ran.returncode == 0, f"{arguments}\n{ran.stdout}\n{ran.stderr}"
        assert ran.stdout.strip() or "novel" in arguments, f"{arguments} printed nothing"
