"""The access control of the dashboard in a browser, decided from the facts of a request before any handler runs.

Every user of the machine can connect to a port on loopback, and any web page can make a browser connect to it.
So a request needs the right host name (or another page's domain could be pointed here), a secret that only a
browser has that opened the link first, and, to open a terminal, the right origin.
"""

from __future__ import annotations

import secrets
from enum import Enum
from hmac import compare_digest

from msgspec import Struct

COOKIE = "devinit"


class Visit(Struct, frozen=True, kw_only=True):
    """The facts of a request that decide about its access."""

    method: str
    path: str
    host: str = ""
    origin: str = ""
    token: str = ""
    session: str = ""
    """The session secret in its cookie."""
    ticket: str = ""
    """The secret of the browser that used the link."""
    opens_terminal: bool = False
    """Whether it requests a websocket."""


class Admission(Enum):
    """The decision about a request; each refusal is the text for the visitor."""

    WELCOME = "come in"
    EXCHANGE = "the link is right: here is a session for it"
    WRONG_HOST = "This server is not called that. Use the link that `devinit dashboard --web` printed."
    WRONG_ORIGIN = "Another page wanted to open the dashboard. That is not allowed."
    USED = "This link was used before, and works once. For another: end `devinit dashboard --web`, call it again."
    USED_HERE = (
        "This link was used before, in this browser. The dashboard opens if its session is still there."
    )
    UNKNOWN = "Open the dashboard with the link that `devinit dashboard --web` printed."


class Door:
    """The host names, link token and session of one server; all of them end with it."""

    def __init__(self, port: int) -> None:
        self._token = secrets.token_urlsafe(32)
        self._session = secrets.token_urlsafe(32)
        self._ticket = secrets.token_urlsafe(32)
        self._used = False
        self.hosts = frozenset(f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]"))
        # Cookies do not distinguish ports, so other servers on this address would receive this one's. They do
        # not, because the cookie is limited to a folder that no other project has.
        self.folder = f"/{secrets.token_hex(16)}/"
        # Never "localhost": it may resolve to [::1], where another process can listen on the same port.
        self.link = f"http://127.0.0.1:{port}/?token={self._token}"
        self.ticket_name = f"{COOKIE}-{port}"
        """The name of a cookie that other servers on this address may see, and that grants nothing."""

    def judge(self, visit: Visit) -> Admission:
        """Decide about a request. The right token is accepted once."""
        if visit.host.lower() not in self.hosts:
            return Admission.WRONG_HOST
        if visit.opens_terminal and visit.origin != f"http://{visit.host}":
            return Admission.WRONG_ORIGIN
        if visit.path.startswith(self.folder):
            return Admission.WELCOME if _same(visit.session, self._session) else Admission.UNKNOWN
        if visit.path != "/" or visit.method != "GET" or not _same(visit.token, self._token):
            return Admission.UNKNOWN
        if self._used:
            return Admission.USED_HERE if _same(visit.ticket, self._ticket) else Admission.USED
        self._used = True
        return Admission.EXCHANGE

    @property
    def cookie(self) -> str:
        """The session cookie, which replaces the link from now on."""
        return f"{COOKIE}={self._session}; Path={self.folder}; HttpOnly; SameSite=Strict"

    @property
    def ticket(self) -> str:
        """The cookie that distinguishes the browser that used the link from others that have the link."""
        return f"{self.ticket_name}={self._ticket}; Path=/; HttpOnly; SameSite=Lax"


def _same(given: str, secret: str) -> bool:
    # compare_digest() accepts only ASCII text.
    return compare_digest(given.encode("utf-8", "surrogateescape"), secret.encode())
