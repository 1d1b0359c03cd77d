"""The page of novel and strange objects: one person's ranking, and votes that change it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from active_learning.web import forms
from active_learning.web.desk import Done
from active_learning.web.discovery_desk import DiscoveryDesk, Ranking
from active_learning.web.discovery_views import row_of, view_of
from active_learning.web.figures import CannotDraw
from active_learning.web.pages import Shared, allowed, labeller_of


class DiscoveryPages:
    """The answers under ``/novel``; each reads or changes the desk in a thread of its own."""

    def __init__(self, desk: DiscoveryDesk, shared: Shared) -> None:
        self._desk, self._shared = desk, shared

    def routes(self) -> list[Route]:
        """Addresses and their answers."""
        return [
            Route("/novel", self.index),
            Route("/novel/list", self.list),
            Route("/novel/cut-off", self.cut_off),
            Route("/novel/undo", self.undo, methods=["POST"]),
            Route("/novel/{key}/light-curve.json", self.light_curve),
            Route("/novel/{key}/vote", self.vote, methods=["POST"]),
            Route("/novel/{key}", self.object),
        ]

    async def index(self, request: Request) -> Response:
        voter = labeller_of(request)
        if not voter:
            return RedirectResponse("/", status_code=303)
        wanted = request.query_params.get("object", "")
        return await run_in_threadpool(self._index, voter, self._shared.token(request), wanted)

    def _index(self, voter: str, token: str, wanted: str) -> HTMLResponse:
        ranking = self._desk.ranking(voter)
        is_listed = any(one.key == wanted for one in ranking.discoveries)
        failure = f"There is no novel or strange object {wanted} in the list." if wanted and not is_listed else ""
        key = wanted if is_listed else _next(ranking)
        shown = self._shown(voter, token, ranking, key)
        return self._shared.page("novel.html", 404 if failure else 200, failure=failure, **shown)

    async def list(self, request: Request) -> Response:
        voter = allowed(request, "see")
        ranking = await run_in_threadpool(self._desk.ranking, voter)
        return self._shared.page("novel_list.html", **self._lists(voter, ranking))

    async def cut_off(self, request: Request) -> Response:
        """The banner that says since when the page is out of date; nothing (204) where the page shows it already."""
        allowed(request, "see")
        cut_off = self._desk.cut_off
        if request.query_params.get("shown") == str(cut_off.since_ms if cut_off else ""):
            return Response(status_code=204)
        return self._shared.page("cut_off.html", cut_off=cut_off, address="/novel/cut-off", saved="vote")

    async def object(self, request: Request) -> Response:
        voter, key = allowed(request, "see"), request.path_params["key"]
        return await run_in_threadpool(self._object, voter, self._shared.token(request), key)

    def _object(self, voter: str, token: str, key: str) -> HTMLResponse:
        ranking = self._desk.ranking(voter)
        ranking.group_of(key)
        return self._shared.page("novel_object.html", **self._shown(voter, token, ranking, key))

    async def light_curve(self, request: Request) -> Response:
        allowed(request, "see")
        try:
            figure = await run_in_threadpool(self._desk.figure, request.path_params["key"])
        except CannotDraw as error:
            return JSONResponse({"error": str(error)}, status_code=404)
        return Response(json.dumps(figure, allow_nan=False), media_type="application/json")

    async def vote(self, request: Request) -> Response:
        voter = allowed(request, "vote")
        async with request.form() as form:
            self._shared.guard.check(request, forms.text_of(form, "token"))
            opinion = forms.text_of(form, "vote")
        key = request.path_params["key"]
        return await self._changed(request, voter, lambda: self._desk.vote(key, opinion, voter))

    async def undo(self, request: Request) -> Response:
        voter = allowed(request, "vote")
        async with request.form() as form:
            self._shared.guard.check(request, forms.text_of(form, "token"))
        return await self._changed(request, voter, lambda: self._desk.undo(voter))

    async def _changed(self, request: Request, voter: str, save: Callable[[], Done | None]) -> Response:
        """After a vote the object that now ranks first of those without one; after an undo its object.

        A browser without scripts is led to the page anew.
        """
        done = await run_in_threadpool(save)
        if done is None:
            return PlainTextResponse("there is nothing of yours to undo", status_code=409)
        undone = str(done.record["object_id"]) if done.record["action"] == "undo" else ""
        if "hx-request" not in request.headers:
            return RedirectResponse(f"/novel?object={undone}" if undone else "/novel", status_code=303)
        return await run_in_threadpool(self._after, voter, self._shared.token(request), done, undone)

    def _after(self, voter: str, token: str, done: Done, undone: str) -> HTMLResponse:
        ranking = self._desk.ranking(voter)
        is_listed = any(one.key == undone for one in ranking.discoveries)
        shown = self._shown(voter, token, ranking, undone if is_listed else _next(ranking))
        return self._shared.page("novel_after.html", done=done, **shown)

    def _shown(self, voter: str, token: str, ranking: Ranking, key: str) -> dict[str, Any]:
        view = None
        if key:
            group = ranking.group_of(key)
            view = view_of(next(one for one in group if one.key == key), group)
            keys = [one.key for one in ranking.discoveries if one.opinion is None and one.key != key]
            self._desk.draw_ahead(keys[:2])
        shown = {"view": view, "token": token, "can_undo": self._desk.last_of(voter) is not None}
        return shown | self._lists(voter, ranking)

    def _lists(self, voter: str, ranking: Ranking) -> dict[str, Any]:
        listed = ranking.discoveries
        return {
            "labeller": voter,
            "sections": {s: [[row_of(one) for one in g] for g in groups] for s, groups in ranking.groups.items()},
            "n_listed": len(listed),
            "n_votes": sum(one.opinion is not None for one in listed),
            "without_likeness": ranking.without_likeness,
            "cut_off": self._desk.cut_off,
        }


def _next(ranking: Ranking) -> str:
    """The most interesting object without a vote, else the first; "" where there is none."""
    listed = ranking.discoveries
    return next((one.key for one in listed if one.opinion is None), listed[0].key if listed else "")
