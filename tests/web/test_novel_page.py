"""The list of novel and strange objects as a person votes on it, in a real browser."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from broker.kafka.message_log import votes_log
from models.registry import shipped
from tests.web.chart import wait_for_whole_axes
from tests.web.discoveries import discover
from tests.web.test_page_security import token_of

pytestmark = [pytest.mark.browser, pytest.mark.services]


def votes(scene: Any) -> list[dict[str, Any]]:
    return [stored.record for stored in votes_log(scene.settings).read()]


def names(page: Page) -> list[str]:
    return page.locator("#queue-list .name").all_text_contents()


def test_novel_and_strange_objects_are_listed_apart_and_named_for_what_they_are(
    scene: Any, visit: Any, tmp_path: Path
) -> None:
    made = [one["object_name"] for one in discover(scene)]
    here = visit()
    page = here.page
    page.click("nav.tabs a[href='/novel']")
    expect(page.locator("#object h1")).to_have_text(made[0])
    assert names(page) == made, "without votes by novelty"
    expect(page.locator("#queue-list .group")).to_contain_text("2 alike")
    for text in (
        "rate of 10 % among 12,345 objects of the 7 nights up to 2025-11-21",
        "One of 2 objects that are alike",
    ):
        expect(page.locator(".why")).to_contain_text(text)
    for text in ("q = 0.031", "SN Ia 2× · TDE 1×", "rise_time +5.2 σ", "colour_g_r −3.1 σ"):
        expect(page.locator(".facts")).to_contain_text(text)
    here.drawn()
    page.screenshot(path=tmp_path / "novel.png")
    page.click(f"#queue-list a[data-request='{made[6]}']")
    expect(page.locator("#object h1")).to_have_text(made[6])
    expect(page.locator(".facts")).to_contain_text("not controlled")
    expect(page.locator(".why")).to_contain_text("no error rate is promised")


def test_a_vote_is_saved_and_moves_objects_alike_and_an_undo_moves_them_back(
    scene: Any, visit: Any, tmp_path: Path
) -> None:
    scene.settings.registry().register(shipped.folder(), {}, {})
    made = [one["object_name"] for one in discover(scene)]
    page = visit().page
    page.goto(f"{scene.url}novel?object={made[6]}")
    expect(page.locator("#queue-list .none")).to_have_count(0)
    page.keyboard.press("1")
    expect(page.locator("#status .saved")).to_have_text(f"Saved: {made[6]} is interesting")
    expect(page.locator("#object h1")).to_have_text(made[0])
    order = names(page)
    assert order[:3] == made[:3], "the two lists stay apart"
    assert set(order[3:5]) == {made[4], made[6]}, "the object and the one alike come first"
    page.emulate_media(color_scheme="dark")
    page.screenshot(path=tmp_path / "voted-dark.png")
    (vote,) = votes(scene)
    said = {name: vote[name] for name in ("object_name", "vote", "voter", "action", "source")}
    assert list(said.values()) == [made[6], "interesting", "ada", "vote", "strange"]
    assert [one.key for one in scene.discoveries.ranking("grace").discoveries] == made, "another's list stays"
    page.keyboard.press("u")
    expect(page.locator("#status .saved")).to_contain_text("Taken back")
    expect(page.locator("#object h1")).to_have_text(made[6])
    assert names(page) == made
    page.click("button[value='artefact']")
    expect(page.locator("#status .saved")).to_have_text(f"Saved: {made[6]} is artefact")
    assert names(page)[3:] == [made[3], made[5], made[4], made[6]]
    assert [one["action"] for one in votes(scene)] == ["vote", "undo", "vote"]


def test_it_says_what_fills_it_and_what_is_missing(scene: Any, visit: Any) -> None:
    page = visit().page
    page.goto(f"{scene.url}novel")
    for text in ("No novel or strange objects yet", "gueststar run", "gueststar novelty select"):
        expect(page.locator("#object")).to_contain_text(text)
    made = discover(scene, novel=1, strange=2)
    page.reload()
    expect(page.locator("#queue-list .none")).to_contain_text("Votes move only the objects they are on")
    expect(page.locator("#queue-list .none")).to_contain_text("production")
    page.keyboard.press("2")
    expect(page.locator("#status .saved")).to_have_text(f"Saved: {made[0]['object_name']} is boring")


def test_narrow_screens(scene: Any, visit: Any, tmp_path: Path) -> None:
    discover(scene, control="uncontrolled")
    here = visit(400, 850)
    page = here.page
    page.click("nav.tabs a[href='/novel']")
    page.wait_for_selector("body[data-ready]")
    here.drawn()
    wait_for_whole_axes(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    assert "not controlled" in page.locator(".why").text_content()
    page.screenshot(path=tmp_path / "narrow.png", full_page=True)
    page.click("button[value='boring']")
    expect(page.locator("#status .saved")).to_contain_text("is boring")


def test_votes_without_scripts_and_only_from_the_page(scene: Any) -> None:
    made = discover(scene, novel=1, strange=1)
    with httpx.Client(base_url=scene.url.rstrip("/"), timeout=30) as client:
        assert client.get("/novel").headers["location"] == "/"
        token = token_of(client)
        html = client.get("/novel").text
        (address,) = set(re.findall(r'action="(/novel/\d+/vote)"', html))
        assert f'name="token" value="{token}"' in html
        curve = client.get(address.replace("vote", "light-curve.json"), timeout=300)  # compiled for the first curve
        assert (curve.status_code, curve.json().get("n_points")) == (200, 50)
        for form in ({"vote": "interesting"}, {"vote": "interesting", "token": "wrong"}):
            assert client.post(address, data=form).status_code == 403
        foreign = {"x-csrf-token": token, "origin": "http://evil.example"}
        assert client.post(address, data={"vote": "boring"}, headers=foreign).status_code == 403
        wrong = client.post(address, data={"vote": "dull\x1b", "token": token})
        assert (wrong.status_code, wrong.text) == (
            400,
            "a vote must be one of interesting, boring, artefact, found 'dull\\x1b'",
        )
        assert client.post("/novel/77/vote", data={"vote": "boring", "token": token}).status_code == 404
        assert client.get("/novel?object=nonsense").status_code == 404
        assert client.post("/novel/undo", data={"token": token}).status_code == 409
        assert votes(scene) == []
        good = client.post(address, data={"vote": "interesting", "token": token})
        assert (good.status_code, good.headers["location"]) == (303, "/novel")
        undone = client.post("/novel/undo", data={"token": token})
        assert undone.headers["location"] == f"/novel?object={made[0]['object_id']}"
    assert [one["action"] for one in votes(scene)] == ["vote", "undo"]
    assert httpx.post(scene.url + address[1:], data={"vote": "boring"}).status_code == 403
