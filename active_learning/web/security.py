"""Who may do what on the page, and which requests are believed to come from it."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from starlette.requests import Request

SESSION_COOKIE = "gueststar_session"
TOKEN_HEADER = "x-csrf-token"

HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
"""Sent with every answer. Plotly writes style elements, hence 'unsafe-inline' for styles; no script is inline."""


class ForbiddenRequest(PermissionError):
    """A request that does not come from the page, or that its sender may not make."""


def may(labeller: str, action: str) -> bool:
    """Whether a labeller may do ``action`` ("see", "label", "undo", "skip", "vote"): the one place where roles belong.

    On one machine everybody who gave a name may do everything.
    """
    return bool(labeller) or action == "see"


@dataclass(frozen=True)
class Guard:
    """Cross-site requests are refused: by the address they come from, and by a token that only the page knows."""

    secret: bytes = field(default_factory=lambda: secrets.token_bytes(32))

    def new_session(self) -> str:
        """A fresh value of the session cookie."""
        return secrets.token_urlsafe(24)

    def token(self, session: str) -> str:
        """What the page of this session must send with every change."""
        return hmac.new(self.secret, session.encode(), "sha256").hexdigest()

    def check(self, request: Request, form_token: str = "") -> None:
        """Raises ForbiddenRequest where a change comes from another origin or without the session's token."""
        origin = request.headers.get("origin")
        if origin is not None and _host_of(origin) != request.headers.get("host"):
            raise ForbiddenRequest(f"this page takes changes from its own address only, not from {origin}")
        if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            raise ForbiddenRequest("this page takes changes from its own address only")
        session = request.cookies.get(SESSION_COOKIE, "")
        given = request.headers.get(TOKEN_HEADER) or form_token
        if not session or not hmac.compare_digest(given.encode(), self.token(session).encode()):
            raise ForbiddenRequest("the page is older than the server: reload it and try again")


def _host_of(origin: str) -> str | None:
    """The host and port of an origin; None where it is no address."""
    try:
        return urlsplit(origin).netloc or None
    except ValueError:
        return None


def allowed_hosts(host: str) -> list[str]:
    """Names under which the page may be asked for; another name that leads here is refused (DNS rebinding).

    Where the server listens on every address, any name is taken: put a proxy that checks it in front.
    """
    if host in ("0.0.0.0", "::"):
        return ["*"]
    return sorted({"127.0.0.1", "localhost", "[::1]", host})
