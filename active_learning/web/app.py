"""The labelling page as a Starlette application."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from active_learning.logs import NotSaved
from active_learning.web import assets, forms
from active_learning.web.desk import Desk, Done
from active_learning.web.discovery_desk import DiscoveryDesk
from active_learning.web.discovery_pages import DiscoveryPages
from active_learning.web.figures import CannotDraw
from active_learning.web.pages import LABELLER_COOKIE, Shared, allowed, labeller_of
from active_learning.web.security import HEADERS, SESSION_COOKIE, ForbiddenRequest, allowed_hosts
from active_learning.web.views import row_of, view_of

_YEAR_S = 365 * 86_400
_STATUS = {ForbiddenRequest: 403, NotSaved: 503, LookupError: 404, ValueError: 400}
_OWN_STATIC = {"desk.css": "text/css", "desk.js": "text/javascript", "icon.svg": "image/svg+xml"}


def create_app(desk: Desk, discoveries: DiscoveryDesk, *, host: str = "127.0.0.1") -> Starlette:
    """The pages about two desks, requests and ``discoveries``, which it starts and closes; ``host``: the address it is
    served on."""
    shared = Shared()
    pages = _Pages(desk, shared)
    routes = [
        Route("/", pages.index),
        Route("/name", pages.name, methods=["POST"]),
        Route("/queue", pages.queue),
        Route("/cut-off", pages.cut_off),
        Route("/object/{request_id:path}/light-curve.json", pages.light_curve),
        Route("/object/{request_id:path}/label", pages.label, methods=["POST"]),
        Route("/object/{request_id:path}/skip", pages.skip, methods=["POST"]),
        Route("/object/{request_id:path}", pages.object),  # after the longer ones: an id may hold a slash
        Route("/undo", pages.undo, methods=["POST"]),
        *DiscoveryPages(discoveries, shared).routes(),
        Route("/static/{name}", _static),
    ]

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        for one in (desk, discoveries):
            await run_in_threadpool(one.start)
        yield
        for one in (desk, discoveries):
            await run_in_threadpool(one.close)

    return Starlette(
        routes=routes,
        lifespan=lifespan,
        middleware=[
            Middleware(TrustedHostMiddleware, allowed_hosts=allowed_hosts(host), www_redirect=False),
            Middleware(BaseHTTPMiddleware, dispatch=_with_headers),
        ],
        exception_handlers={404: pages.nowhere} | {kind: _plain(status) for kind, status in _STATUS.items()},
    )


class _Pages:
    """The page's answers; each reads or changes the desk in a thread of its own."""

    def __init__(self, desk: Desk, shared: Shared) -> None:
        self._desk, self._guard, self._page = desk, shared.guard, shared.page

    async def index(self, request: Request) -> Response:
        session = request.cookies.get(SESSION_COOKIE) or self._guard.new_session()
        labeller, token = labeller_of(request), self._guard.token(session)
        if not labeller or "change-name" in request.query_params:
            response = self._page("name.html", token=token, labeller=labeller)
        else:
            wanted = request.query_params.get("object", "")
            response = await run_in_threadpool(self._index, labeller, token, wanted)
        response.set_cookie(SESSION_COOKIE, session, httponly=True, samesite="strict")
        return response

    def _index(self, labeller: str, token: str, wanted: str) -> HTMLResponse:
        queue = self._desk.queue(labeller)
        chosen, failure = queue[0] if queue else None, ""
        if wanted:
            try:
                chosen = self._desk.request(wanted)
            except LookupError:
                failure = f"There is no request {wanted}" + (": this is the first of the queue." if chosen else ".")
        status = 404 if failure else 200
        return self._page("desk.html", status, token=token, failure=failure, **self._shown(labeller, queue, chosen))

    async def name(self, request: Request) -> Response:
        async with request.form() as form:
            self._guard.check(request, forms.text_of(form, "token"))
            name = forms.labeller_name(forms.text_of(form, "name"))
        if not name:
            raise ValueError("a labeller needs a name, found none: write yours")
        response = RedirectResponse("/", status_code=303)
        response.set_cookie(LABELLER_COOKIE, quote(name), max_age=_YEAR_S, httponly=True, samesite="strict")
        return response

    async def queue(self, request: Request) -> Response:
        labeller = allowed(request, "see")
        queue = await run_in_threadpool(self._desk.queue, labeller)
        return self._page("queue_list.html", **self._shown(labeller, queue, None))

    async def cut_off(self, request: Request) -> Response:
        """The banner that says since when the page is out of date; nothing (204) where the page shows it already."""
        allowed(request, "see")
        cut_off = self._desk.cut_off
        if request.query_params.get("shown") == str(cut_off.since_ms if cut_off else ""):
            return Response(status_code=204)
        return self._page("cut_off.html", cut_off=cut_off)

    async def object(self, request: Request) -> Response:
        labeller = allowed(request, "see")
        return await run_in_threadpool(self._object, labeller, request.path_params["request_id"])

    def _object(self, labeller: str, request_id: str) -> HTMLResponse:
        queue = self._desk.queue(labeller)
        return self._page("object.html", **self._shown(labeller, queue, self._desk.request(request_id)))

    async def light_curve(self, request: Request) -> Response:
        allowed(request, "see")
        try:
            figure = await run_in_threadpool(self._desk.figure, request.path_params["request_id"])
        except CannotDraw as error:
            return JSONResponse({"error": str(error)}, status_code=404)
        return Response(json.dumps(figure, allow_nan=False), media_type="application/json")

    async def label(self, request: Request) -> Response:
        labeller = allowed(request, "label")
        self._guard.check(request)
        async with request.form() as form:
            class_id, comment = forms.class_id_of(form), forms.comment_of(form)
        wanted = request.path_params["request_id"]
        return await run_in_threadpool(
            self._after, labeller, wanted, lambda: self._desk.label(wanted, class_id, labeller, comment)
        )

    async def skip(self, request: Request) -> Response:
        labeller = allowed(request, "skip")
        self._guard.check(request)
        wanted = request.path_params["request_id"]
        return await run_in_threadpool(self._after, labeller, wanted, lambda: self._desk.skip(wanted, labeller))

    def _after(self, labeller: str, request_id: str, save: Callable[[], Done]) -> HTMLResponse:
        """The object after this one, once what was done to this one is stored."""
        before = [request["request_id"] for request in self._desk.queue(labeller)]
        done = save()
        queue = self._desk.queue(labeller)
        by_id = {request["request_id"]: request for request in queue}
        place = before.index(request_id) if request_id in before else -1
        following = [wanted for wanted in before[place + 1 :] + before[: place + 1] if wanted in by_id]
        chosen = by_id[following[0]] if following else None
        return self._page("after.html", done=done, undone=False, **self._shown(labeller, queue, chosen))

    async def undo(self, request: Request) -> Response:
        labeller = allowed(request, "undo")
        self._guard.check(request)
        return await run_in_threadpool(self._undo, labeller)

    def _undo(self, labeller: str) -> Response:
        done = self._desk.undo(labeller)
        if done is None:
            return PlainTextResponse("there is nothing of yours to undo", status_code=409)
        queue = self._desk.queue(labeller)
        chosen = self._desk.request(done.record["request_id"])
        return self._page("after.html", done=done, undone=True, **self._shown(labeller, queue, chosen))

    def _shown(self, labeller: str, queue: list[dict[str, Any]], chosen: dict[str, Any] | None) -> dict[str, Any]:
        answers = self._desk.answers()
        if chosen is not None:
            ids = [request["request_id"] for request in queue]
            place = ids.index(chosen["request_id"]) + 1 if chosen["request_id"] in ids else 0
            self._desk.draw_ahead(ids[place : place + 2])
        mine = sum(1 for answer in answers.values() if labeller in answer.by_labeller)
        return {
            "labeller": labeller,
            "rows": [row_of(request, answers.get(request["object_id"])) for request in queue],
            "view": view_of(chosen, answers.get(chosen["object_id"])) if chosen is not None else None,
            "can_undo": self._desk.last_of(labeller) is not None,
            "n_mine": mine,
            "n_labelled": len(answers),
            "cut_off": self._desk.cut_off,
        }

    async def nowhere(self, request: Request, _: Exception) -> Response:
        """What stands at an address that is none of the page's."""
        return self._page("nowhere.html", 404, path=request.url.path)


async def _static(request: Request) -> Response:
    name = request.path_params["name"]
    if name in _OWN_STATIC:
        return FileResponse(assets.STATIC / name, media_type=_OWN_STATIC[name], headers={"cache-control": "no-cache"})
    try:
        file = assets.script(name)
    except KeyError:
        return PlainTextResponse("not found", status_code=404)
    return FileResponse(file, media_type="text/javascript", headers={"cache-control": "max-age=86400"})


async def _with_headers(request: Request, answer: Callable[[Request], Awaitable[Response]]) -> Response:
    response = await answer(request)
    response.headers.update(HEADERS)
    response.headers.setdefault("cache-control", "no-store")
    return response


def _plain(status: int) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def respond(_: Request, error: Exception) -> Response:
        return PlainTextResponse(str(error), status_code=status)

    return respond
