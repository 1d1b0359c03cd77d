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
