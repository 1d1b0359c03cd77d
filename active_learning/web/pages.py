"""What all pages share: templates, who is asking, and whether the question comes from the page."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from jinja2 import Environment, FileSystemLoader, select_autoescape
from starlette.requests import Request
from starlette.responses import HTMLResponse

from active_learning.web import assets, forms
from active_learning.web.choices import ACTION_KEYS, shown_name
from active_learning.web.discovery_views import HEADINGS, OPINION_KEYS, OPINION_MARKS
from active_learning.web.security import SESSION_COOKIE, ForbiddenRequest, Guard, may
from active_learning.web.views import REASON_MARKS
from active_learning.web.wording import cut_off_in_words, sentence

LABELLER_COOKIE = "gueststar_labeller"


class Shared:
    """The guard and the templates of one server."""

    def __init__(self) -> None:
        self.guard = Guard()
        self._templates = Environment(
            loader=FileSystemLoader(assets.TEMPLATES),
            autoescape=select_autoescape(default=True, default_for_string=True),
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals |= {"shown_name": shown_name, "action_keys": ACTION_KEYS, "marks": REASON_MARKS}
        self._templates.globals |= {"cut_off_in_words": cut_off_in_words, "sentence": sentence, "headings": HEADINGS}
        self._templates.globals |= {"opinion_keys": OPINION_KEYS, "opinion_marks": OPINION_MARKS}

    def page(self, template: str, status_code: int = 200, **values: Any) -> HTMLResponse:
        """A template, filled."""
        return HTMLResponse(self._templates.get_template(template).render(**values), status_code)

    def token(self, request: Request) -> str:
        """What a form on the page of this session has to send with it."""
        return self.guard.token(request.cookies.get(SESSION_COOKIE, ""))


def labeller_of(request: Request) -> str:
    """The name that the visitor gave; "" before that."""
    return forms.labeller_name(unquote(request.cookies.get(LABELLER_COOKIE, "")))


def allowed(request: Request, action: str) -> str:
    """The visitor's name; raises ForbiddenRequest where they may not do ``action``."""
    labeller = labeller_of(request)
    if not may(labeller, action):
        raise ForbiddenRequest("say who you are first: open the page and give your name")
    return labeller
