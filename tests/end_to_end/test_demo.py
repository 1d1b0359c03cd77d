"""The demonstration as a newcomer sees it, and every command that the README then suggests."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from tests.command_line import gueststar
from tests.end_to_end.conftest import Demo

README = Path(__file__).resolve().parents[2] / "README.md"

pytestmark = [pytest.mark.services, pytest.mark.timeout(1_500)]


def readme_commands() -> list[str]:
    blocks = re.findall(r"```console\n(.*?)```", README.read_text(), re.S)
    return [line[2:] for block in blocks for line in block.splitlines() if line.startswith("$ ")]


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
    commands = readme_commands()
    assert len(commands) > 8
    for line in commands:
        program, *arguments = shlex.split(line)
        assert program == "gueststar"
        if arguments == ["down"]:  # the other tests still need the services
            continue
        ran = gueststar(demo.home, *arguments, deadline_s=300)
        assert ran.returncode == 0, f"{line}\n{ran.stdout}\n{ran.stderr}"
        assert ran.stdout.strip() or "novel" in line, f"{line} printed nothing"
