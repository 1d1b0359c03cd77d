"""The labelling page as a labeller uses it, in a real browser."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType
from playwright.sync_api import expect

from active_learning import labels
from active_learning.web.choices import KEYS
from broker.kafka import clients
from broker.kafka.message_log import requests_log
from tests.waiting import wait_for
from tests.web.chart import ticks, wait_for_whole_axes

pytestmark = [pytest.mark.browser, pytest.mark.services]


def test_a_key_labels_saves_in_kafka_and_goes_on(scene: Any, visit: Any) -> None:
    asked = scene.ask(4)
    here = visit()
    here.drawn()
    page = here.page
    expect(page.locator("#object h1")).to_have_text(asked[0]["object_name"])
    page.evaluate("document.getElementById('queue').dataset.same = 'yes'")
    page.keyboard.press(KEYS[2243])
    expect(page.locator("#status .saved")).to_contain_text(f"Saved: {asked[0]['object_name']} is TDE")
    expect(page.locator("#object h1")).to_have_text(asked[1]["object_name"])
    expect(page.locator("#open-count")).to_have_text("3")
    here.drawn()
    assert page.evaluate("document.getElementById('queue').dataset.same") == "yes", "the page was not loaded anew"
    (label,) = scene.labels()
    assert {name: label[name] for name in ("object_id", "class_id", "labeller", "action", "reason", "request_id")} == {
        "object_id": asked[0]["object_id"],
        "class_id": 2243,
        "labeller": "ada",
        "action": "label",
        "reason": "novel",
        "request_id": asked[0]["request_id"],
    }


PRESS_AT_ONCE = """key => new Promise(resolve => {
  const press = () => document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
  new MutationObserver(() => {
    const object = document.querySelector("#object");
    if (object.matches(".empty")) resolve("done");
    else if (object.dataset.request !== last) { last = object.dataset.request; press(); }
  }).observe(document.body, { childList: true, subtree: true });
  let last = document.querySelector("#object").dataset.request;
  press();
})"""
"""Presses the key as soon as an object stands on the page, faster than any hand."""


def test_no_key_is_too_fast(scene: Any, visit: Any) -> None:
    asked = scene.ask(5)
    page = visit().page
    page.evaluate(PRESS_AT_ONCE, KEYS[2243])
    assert {label["object_id"] for label in scene.labels()} == {one["object_id"] for one in asked}


def test_before_its_script_has_come_a_form_goes_nowhere(scene: Any, visit: Any) -> None:
    scene.ask(1)
    page = visit().page
    address = page.url
    page.evaluate("document.querySelector('#options').replaceWith(document.querySelector('#options').cloneNode(true))")
    page.locator("#options button").first.click()
    assert page.url == address
    assert page.locator("#object h1").count() == 1


def test_undo_brings_the_object_back_and_skip_goes_on(scene: Any, visit: Any) -> None:
    asked = scene.ask(3)
    page = visit().page
    expect(page.locator("[data-key=u]")).to_be_disabled()
    page.keyboard.press("1")
    expect(page.locator("#object h1")).to_have_text(asked[1]["object_name"])
    page.keyboard.press("u")
    expect(page.locator("#status .saved")).to_contain_text("Taken back")
    expect(page.locator("#object h1")).to_have_text(asked[0]["object_name"])
    expect(page.locator("#queue-list li")).to_have_count(3)
    assert labels.answers(scene.labels()) == {}
    page.keyboard.press("s")
    expect(page.locator("#object h1")).to_have_text(asked[1]["object_name"])
    expect(page.locator("#status .saved")).to_contain_text("Skipped")
    expect(page.locator("#queue-list li").last).to_contain_text(asked[0]["object_name"])
    assert [record["action"] for record in scene.labels()] == ["label", "undo", "skip"]


def test_saved_is_shown_only_after_the_acknowledgement(scene: Any, visit: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kafka's answer is held back until the test lets it go: until then the page says that it is saving."""
    scene.ask(2)
    page, answer, store = visit().page, threading.Event(), scene.desk._labels.log.append

    def slow(records: list[dict[str, Any]]) -> list[tuple[int, int]]:
        assert answer.wait(30)
        return store(records)

    monkeypatch.setattr(scene.desk._labels.log, "append", slow)
    page.keyboard.press("1")
    expect(page.locator("#status")).to_contain_text("Saving")
    page.keyboard.press("2")
    expect(page.locator("#status .saved")).to_have_count(0)
    assert scene.labels() == []
    answer.set()
    expect(page.locator("#status .saved")).to_contain_text("is SN Ia")
    assert [record["class_id"] for record in scene.labels()] == [2222], "no key counts while a label is being saved"


def test_a_label_that_kafka_refuses_is_shown_as_not_saved(scene: Any, visit: Any) -> None:
    """The topic takes short messages only, and the note is long."""
    asked = scene.ask(1)
    topic = ConfigResource(ResourceType.TOPIC, f"{scene.settings.topic_prefix}.labels")
    topic.add_incremental_config(ConfigEntry("max.message.bytes", "900", incremental_operation=AlterConfigOpType.SET))
    admin = AdminClient(clients.connection(scene.settings))
    for future in admin.incremental_alter_configs([topic]).values():
        future.result(30)
    here = visit()
    page = here.page
    page.fill("[data-note]", "a long note " * 120)
    page.click("button[value='2222']")
    expect(page.locator("#failure")).to_contain_text("NOT saved")
    expect(page.locator("#failure")).to_contain_text("gueststar status")
    expect(page.locator("#status .saved")).to_have_count(0)
    expect(page.locator("#object h1")).to_have_text(asked[0]["object_name"])
    assert scene.labels() == []
    page.fill("[data-note]", "short")
    page.click("button[value='2222']")
    expect(page.locator("#status .saved")).to_contain_text("is SN Ia")
    expect(page.locator("#failure")).to_be_hidden()
    here.complaints[:] = [text for text in here.complaints if "503" not in text]


def test_the_light_curve_and_its_switches(scene: Any, visit: Any) -> None:
    scene.ask(2)
    here = visit()
    here.drawn()
    page = here.page
    markers = "document.getElementById('chart').data.filter(t => t.x.length && t.mode === 'markers')"
    traces = f"() => {markers}.map(t => t.marker.symbol)"
    flux = page.evaluate(traces)
    assert "circle" in flux, "detections are filled"
    assert "circle-open" in flux, "forced photometry is open"
    assert page.evaluate("document.getElementById('chart').data.some(t => t.fill === 'tonexty')"), "the process' band"
    assert page.evaluate("document.getElementById('chart').layout.xaxis.title.text") == "MJD (TAI)"
    page.keyboard.press("b")
    page.wait_for_function("document.getElementById('chart').layout.yaxis.title.text === 'magnitude (AB)'")
    low, high = page.evaluate("document.getElementById('chart').layout.yaxis.range")
    assert low > high, "bright is up"
    assert "arrow-down-open" in page.evaluate(traces)
    page.keyboard.press("n")
    page.wait_for_function(f"!({traces})().includes('arrow-down-open')")
    utc = page.evaluate(
        "document.getElementById('chart').data.find(t => t.mode === 'markers' && t.x.length).customdata[0]"
    )
    assert utc.startswith("2025-"), "UTC is shown on hover"


def test_ticks_differ_and_the_band_is_inside_of_a_short_light_curve(scene: Any, visit: Any, tmp_path: Path) -> None:
    """One detection: the axis shows a day and a half."""
    scene.ask(1, n_points=1)
    here = visit(1300, 850)
    here.drawn()
    page = here.page
    wait_for_whole_axes(page)
    page.screenshot(path=tmp_path / "one-detection.png")
    for axis in ("x", "y"):
        labels = ticks(page, axis)
        assert len(labels) > 3
        assert len(set(labels)) == len(labels), f"{axis}: {labels}"
    low, high = page.evaluate("document.getElementById('chart').layout.yaxis.range")
    band = page.evaluate("document.getElementById('chart').data.filter(t => t.mode === 'lines').map(t => t.y).flat()")
    assert low < min(band)
    assert max(band) < high
    page.keyboard.press("b")
    page.wait_for_function("document.getElementById('chart').layout.yaxis.title.text === 'magnitude (AB)'")
    page.evaluate("Plotly.relayout('chart', {'yaxis.range': [18.20, 18.10]})")
    page.wait_for_function("document.querySelectorAll('#chart .ytick text').length > 3")
    labels = ticks(page, "y")
    assert len(set(labels)) == len(labels), labels
    page.screenshot(path=tmp_path / "one-detection-magnitude.png")


def test_every_class_is_seen_or_the_list_shows_that_it_goes_on(scene: Any, visit: Any) -> None:
    scene.ask(1)
    page = visit(1300, 850).page
    last = page.locator("button[value='1100']").bounding_box()
    options = page.locator("#options").bounding_box()
    assert last is not None
    assert options is not None
    assert last["y"] + last["height"] <= options["y"] + options["height"] + 1
    expect(page.locator(".facts")).to_contain_text("−60.00000°")
    expect(page.locator(".facts")).not_to_contain_text("-60")


def test_an_address_that_leads_nowhere_says_so(scene: Any, visit: Any) -> None:
    asked = scene.ask(1)
    here = visit()
    page = here.page
    page.goto(f"{scene.url}?object=nonsense")
    expect(page.locator("#failure")).to_contain_text("There is no request nonsense")
    expect(page.locator("#object h1")).to_have_text(asked[0]["object_name"])
    page.goto(f"{scene.url}nowhere")
    expect(page.locator("body")).to_contain_text("There is no page /nowhere")
    page.click("a.primary")
    expect(page.locator("#object h1")).to_have_text(asked[0]["object_name"])
    here.complaints[:] = [text for text in here.complaints if "404" not in text]


def test_an_object_that_was_labelled_is_shown_at_its_address(scene: Any, visit: Any) -> None:
    asked = scene.ask(2)
    page = visit().page
    page.keyboard.press("1")
    expect(page.locator("#status .saved")).to_have_text(f"Saved: {asked[0]['object_name']} is SN Ia")
    page.goto(f"{scene.url}?object={asked[0]['request_id']}")
    expect(page.locator("#object h1")).to_have_text(asked[0]["object_name"])
    expect(page.locator("#failure")).to_be_hidden()


def test_buttons_show_their_keys_and_the_model_s_probabilities(scene: Any, visit: Any) -> None:
    scene.ask(1)
    page = visit().page
    for class_id, key in KEYS.items():
        expect(page.locator(f"button[value='{class_id}'] kbd")).to_have_text(key)
    expect(page.locator("button[value='2222'] .percent")).to_contain_text("%")
    expect(page.locator("button[value='2232'] .percent")).to_have_text("")
    expect(page.locator(".why")).to_contain_text("1 in 10,000")
    expect(page.locator(".facts")).to_contain_text("15 min")
    page.keyboard.press("/")
    page.keyboard.type("1 broad Si II")
    page.keyboard.press("Enter")
    page.keyboard.press("1")
    expect(page.locator("#status .saved")).to_contain_text("is SN Ia")
    assert [record["comment"] for record in scene.labels()] == ["1 broad Si II"]
    expect(page.locator("#object")).to_contain_text("Nothing left to label")
    expect(page.locator("#object")).to_contain_text("gueststar retrain")


def test_narrow_screens(scene: Any, visit: Any) -> None:
    asked = scene.ask(3)
    here = visit(390, 844)
    here.drawn()
    page = here.page
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.locator("kbd:visible").count() == 0, "a telephone has no keys"
    assert not page.locator("#queue").get_attribute("open")
    page.click("#queue summary")
    page.click("#queue-list li:nth-child(2) a")
    expect(page.locator("#object h1")).to_have_text(asked[1]["object_name"])
    page.click("button[value='2332']")
    expect(page.locator("#status .saved")).to_contain_text("is AGN")
    assert scene.labels()[0]["object_id"] == asked[1]["object_id"]


def test_without_requests_it_says_what_to_do_and_new_ones_appear(scene: Any, visit: Any) -> None:
    page = visit().page
    expect(page.locator("#object")).to_contain_text("gueststar requests plan")
    scene.ask(2)
    page.reload()
    expect(page.locator("#queue-list li a")).to_have_count(2)


def test_what_people_and_packets_write_is_shown_as_text(scene: Any, visit: Any) -> None:
    scene.ask(1)
    page = visit(name="<img src=x onerror=alert(1)>").page
    expect(page.locator(".who")).to_contain_text("<img src=x onerror=alert(1)>")
    assert page.locator("img").count() == 0


def test_a_packet_that_is_gone_says_so(scene: Any, visit: Any) -> None:
    (asked,) = scene.ask(1)
    changed = asked | {"request_id": "gone", "object_id": 77, "object_name": "77", "input_offset": 500, "night": 61_009}
    with requests_log(scene.settings) as log:
        log.append([changed])
    wait_for(lambda: len(scene.desk.queue("ada")) == 2, 20, "the second request")
    here = visit()
    expect(here.page.locator(".broken")).to_contain_text("there is no 500")
    here.page.keyboard.press("1")
    expect(here.page.locator("#status .saved")).to_contain_text("77 is SN Ia")
    here.complaints[:] = [text for text in here.complaints if "404" not in text]
