"""The whole loop in a browser: a label on the page, a retrained model, and its hash on the stream's messages."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from active_learning.web.choices import KEYS
from broker.kafka import reading
from broker.settings import Settings
from models.datasets import plasticc
from schemas import messages
from tests.command_line import command, gueststar
from tests.end_to_end.conftest import Demo
from tests.waiting import wait_for

LABELS = 3

pytestmark = [pytest.mark.services, pytest.mark.browser, pytest.mark.timeout(1_500)]


@contextmanager
def background(home: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        command(*arguments),
        env=os.environ | {"GUESTSTAR_HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.terminate()


def ends_of(settings: Settings) -> dict[int, int]:
    """The offset after the last classification of each partition."""
    bounds = reading.bounds(settings, f"{settings.topic_prefix}.classifications")
    return {partition: end for partition, (_, end) in bounds.items()}


def hashes(settings: Settings, since: dict[int, int]) -> set[str]:
    """The model hashes of the classifications from the given offsets on."""
    entries = reading.read(settings, f"{settings.topic_prefix}.classifications", since)
    return {messages.decode(entry.value)[1]["model_sha256"] for entry in entries if entry.value}


def label_in_the_browser(browser: Browser, address: str, truth: dict[str, int]) -> None:
    page = browser.new_page()
    page.goto(address)
    page.fill("#name", "End-to-end test")
    page.click("button.primary")
    page.wait_for_selector("body[data-ready] #object h1")
    labelled = 0
    while labelled < LABELS:
        name = page.locator("#object h1").inner_text()
        if name in truth:
            page.keyboard.press(KEYS[truth[name]])
            expect(page.locator("#status .saved")).to_contain_text(f"Saved: {name}")
            labelled += 1
        else:  # a real object, whose class nobody here can tell
            page.keyboard.press("s")
        expect(page.locator("#object h1")).not_to_have_text(name)
    page.close()


def test_a_label_on_the_page_reaches_the_stream(demo: Demo, browser: Browser, tmp_path: Path) -> None:
    settings = Settings(home=demo.home)
    labelled = plasticc.load()
    truth = {str(i): int(c) for i, c in zip(labelled.light_curves.object_id, labelled.class_id, strict=True)}
    before = json.loads(gueststar(demo.home, "models", "show", "production", "--json").stdout)
    with background(demo.home, "label", "--json") as page:
        assert page.stdout is not None
        label_in_the_browser(browser, json.loads(page.stdout.readline())["address"], truth)

    learnt: dict[str, Any] = json.loads(gueststar(demo.home, "retrain", "--json", deadline_s=600).stdout)
    assert learnt["sha256"] != before["sha256"]
    if not learnt["accepted"]:  # a person may overrule the gate
        gueststar(demo.home, "models", "promote", str(learnt["version"]))

    ends = ends_of(settings)
    gueststar(
        demo.home, "convert", "plasticc", "plasticc", str(tmp_path), "--held-out", "--objects", "5", deadline_s=300
    )
    with background(demo.home, "run"):
        gueststar(demo.home, "replay", str(tmp_path / "alerts.parquet"))
        assert wait_for(lambda: hashes(settings, ends), 240, "the stream to score alerts") == {learnt["sha256"]}
        rolled_back = json.loads(gueststar(demo.home, "models", "rollback", "--json").stdout)
        assert rolled_back["sha256"] == before["sha256"]
        ends = {p: end for p, (_, end) in reading.bounds(settings, "gueststar.classifications").items()}
        gueststar(demo.home, "replay", str(tmp_path / "alerts.parquet"))
        wait_for(lambda: before["sha256"] in hashes(settings, ends), 240, "the stream to return to the earlier model")
