"""The labelling page while its Kafka is away."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from broker.local import start, stop
from broker.settings import Settings
from tests.web.chart import wait_for_whole_axes

pytestmark = [pytest.mark.browser, pytest.mark.services]


@pytest.fixture
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A Kafka of this test's own, which may be stopped, in place of the session's."""
    settings = Settings(home=tmp_path_factory.mktemp("cut-off"), redis_url="redis://127.0.0.1:1/0")
    start(settings)
    yield settings
    stop(settings)


def test_a_page_that_is_cut_off_says_so_and_recovers(
    scene: Any, visit: Any, services: Settings, tmp_path: Path
) -> None:
    asked = scene.ask(3)
    here = visit(1300, 850)
    here.drawn()
    page, banner, failure = here.page, here.page.locator("#cut-off"), here.page.locator("#failure")
    expect(banner).to_be_hidden()
    wait_for_whole_axes(page)
    stop(services)
    expect(banner).to_contain_text("Cut off since ", timeout=60_000)
    expect(banner).to_contain_text(" UTC: you see what there was then, and no label can be saved.")
    expect(banner).to_contain_text(scene.settings.kafka_bootstrap_servers)
    expect(page.locator("#object h1")).to_have_text(asked[0]["object_name"])
    wait_for_whole_axes(page)
    page.screenshot(path=tmp_path / "one-banner.png")
    page.keyboard.press("1")
    expect(failure).to_have_text(f"{asked[0]['object_name']} is NOT saved: the page is cut off", timeout=3_000)
    wait_for_whole_axes(page)
    page.screenshot(path=tmp_path / "two-banners.png")
    page.set_viewport_size({"width": 380, "height": 800})
    heights = [box["height"] for box in (banner.bounding_box(), failure.bounding_box()) if box]
    assert sum(heights) < 160, "both banners together leave most of a small screen to the object"
    page.screenshot(path=tmp_path / "two-banners-narrow.png")
    page.set_viewport_size({"width": 1300, "height": 850})
    page.keyboard.press("ArrowRight")
    expect(page.locator("#object h1")).to_have_text(asked[1]["object_name"])
    expect(failure).to_be_hidden()
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#object h1")).to_have_text(asked[0]["object_name"])
    page.goto(f"{scene.url}novel")
    expect(banner).to_contain_text("no vote can be saved")
    page.goto(scene.url)
    start(services)
    expect(banner).to_be_hidden(timeout=60_000)
    page.click("button[value='2222']")
    expect(page.locator("#status .saved")).to_contain_text("is SN Ia")
    assert [label["object_id"] for label in scene.labels()] == [asked[0]["object_id"]]
    here.complaints[:] = [text for text in here.complaints if "503" not in text]
