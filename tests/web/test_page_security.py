"""Requests that do not come from the page change nothing; answers carry the headers that keep scripts out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

pytestmark = pytest.mark.services


@pytest.fixture
def client(scene: Any) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=scene.url.rstrip("/"), timeout=30) as client:
        yield client


def token_of(client: httpx.Client) -> str:
    """Log in by name; the token is in the page."""
    form = client.get("/").text
    token = re.search(r'name="token" value="(\w+)"', form)
    assert token is not None
    assert client.post("/name", data={"name": "ada", "token": token[1]}).status_code == 303
    return token[1]


def test_only_the_page_itself_can_label(scene: Any, client: httpx.Client) -> None:
    (asked,) = scene.ask(1)
    token = token_of(client)
    url, form = f"/object/{asked['request_id']}/label", {"class_id": "2222"}
    for headers in (
        {},
        {"x-csrf-token": "wrong"},
        {"x-csrf-token": token, "origin": "http://evil.example"},
        {"x-csrf-token": token, "origin": "null"},
        {"x-csrf-token": token, "origin": "http://[::1"},
        {"x-csrf-token": token, "sec-fetch-site": "cross-site"},
    ):
        assert client.post(url, data=form, headers=headers).status_code == 403, headers
    assert client.get("/", headers={"host": "evil.example"}).status_code == 400
    stranger = httpx.post(scene.url + url[1:], data=form, headers={"x-csrf-token": token})
    assert stranger.status_code == 403
    assert scene.labels() == []
    good = client.post(url, data=form, headers={"x-csrf-token": token, "origin": scene.url.rstrip("/")})
    assert good.status_code == 200
    assert len(scene.labels()) == 1


def test_wrong_answers_are_named(scene: Any, client: httpx.Client) -> None:
    (asked,) = scene.ask(1)
    headers = {"x-csrf-token": token_of(client)}
    assert client.post("/object/none/label", data={"class_id": "2222"}, headers=headers).status_code == 404
    unknown = client.post(f"/object/{asked['request_id']}/label", data={"class_id": "17"}, headers=headers)
    assert (unknown.status_code, "no class" in unknown.text) == (404, True)
    assert client.post(f"/object/{asked['request_id']}/label", data={}, headers=headers).status_code == 400
    for class_id in ("abc", "9" * 5_000, "２２２２"):
        wrong = client.post(f"/object/{asked['request_id']}/label", data={"class_id": class_id}, headers=headers)
        assert (wrong.status_code, len(wrong.text) < 120) == (400, True)
        assert wrong.text.startswith("class_id must be the number of a class, found ")
    assert client.post("/undo", headers=headers).status_code == 409
    assert client.get("/static/../app.py").status_code == 404
    assert scene.labels() == []


def test_headers_keep_scripts_and_frames_out(client: httpx.Client) -> None:
    for address in ("/", "/static/desk.js", "/static/plotly.js", "/static/htmx.js", "/nowhere"):
        headers = client.get(address).headers
        policy = headers["content-security-policy"]
        assert "script-src 'self';" in policy
        assert "unsafe-eval" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"
    assert "<script>" not in client.get("/").text
    cookie = client.get("/").headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie


def test_what_a_labeller_writes_is_text_that_can_be_shown(scene: Any, client: httpx.Client) -> None:
    (asked,) = scene.ask(1)
    token = token_of(client)
    as_file = client.post("/name", data={"token": token}, files={"name": ("a", b"hi")})
    assert (as_file.status_code, as_file.text) == (400, "name must be text, found a file")
    url, headers = f"/object/{asked['request_id']}/label", {"x-csrf-token": token}
    session = client.cookies["gueststar_session"]

    def label_as(cookie: str) -> int:
        cookies = f"gueststar_session={session}; gueststar_labeller={cookie}"
        form = {"class_id": "2222", "comment": "a\x1b[31m\u202eb"}
        return httpx.post(scene.url + url[1:], data=form, headers=headers | {"cookie": cookies}, timeout=30).status_code

    assert label_as("%00%0a%ed%a0%80") == 403
    assert label_as("%1b[31mAda%0a") == 200
    (label,) = scene.labels()
    assert (label["labeller"], label["comment"]) == ("[31mAda", "a[31mb")


def test_an_object_is_shown_whatever_its_request_holds(scene: Any, client: httpx.Client) -> None:
    nothing = dict.fromkeys(("magnitude", "exposure_s", "ra_deg", "dec_deg", "novelty_p_value"), float("nan"))
    (asked,) = scene.ask(1, request_id="night/61000/7?a=b#c", **nothing)
    token_of(client)
    page = client.get("/").text
    (address,) = set(re.findall(r'hx-get="(/object/[^"]+)"', page))
    assert client.get(address).status_code == 200
    (chart,) = set(re.findall(r'data-src="([^"]+)"', page))
    assert client.get(chart, timeout=300).status_code == 200  # compiled for the first curve
    assert asked["request_id"] in page
