"""Which requests get into the dashboard in a browser: decided from their facts, before anything answers.

Every user of the machine can reach a port on loopback, and any web page can make a browser reach it. So a
request needs the right name of the server (or a page's own domain could be pointed here), a secret that
only a browser has that opened our link first, and to open a terminal also the right origin.
"""

from __future__ import annotations

import secrets
from enum import Enum
from hmac import compare_digest

from msgspec import Struct

COOKIE = "devinit"


class Visit(Struct, frozen=True, kw_only=True):
    """What a request says."""

    method: str
    path: str
    host: str = ""
    origin: str = ""
    token: str = ""
    session: str = ""
    """The secret that its cookie has."""
    ticket: str = ""
    """The secret that a browser has which used the link."""
    opens_terminal: bool = False
    """Whether it asks for a websocket."""


class Answer(Enum):
    """What a request gets; each refusal is what the visitor reads."""

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
    """The names, the link's token and the session of one server; all of them end with it."""

    def __init__(self, port: int) -> None:
        self._token = secrets.token_urlsafe(32)
        self._session = secrets.token_urlsafe(32)
        self._ticket = secrets.token_urlsafe(32)
        self._used = False
        self.hosts = frozenset(f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]"))
        # Cookies know no ports: what else listens on this address would be sent ours. It is not, because
        # the cookie is for a folder that no other project has.
        self.folder = f"/{secrets.token_hex(16)}/"
        # Never "localhost": that may be [::1], where another process can listen on the same port.
        self.link = f"http://127.0.0.1:{port}/?token={self._token}"
        self.ticket_name = f"{COOKIE}-{port}"
        """Of a cookie that other servers on this address may see: it opens nothing."""

    def judge(self, visit: Visit) -> Answer:
        """Decide about a request. The right token counts once."""
        if visit.host.lower() not in self.hosts:
            return Answer.WRONG_HOST
        if visit.opens_terminal and visit.origin != f"http://{visit.host}":
            return Answer.WRONG_ORIGIN
        if visit.path.startswith(self.folder):
            return Answer.WELCOME if _same(visit.session, self._session) else Answer.UNKNOWN
        if visit.path != "/" or visit.method != "GET" or not _same(visit.token, self._token):
            return Answer.UNKNOWN
        if self._used:
            return Answer.USED_HERE if _same(visit.ticket, self._ticket) else Answer.USED
        self._used = True
        return Answer.EXCHANGE

    @property
    def cookie(self) -> str:
        """The cookie that stands for the link from now on."""
        return f"{COOKIE}={self._session}; Path={self.folder}; HttpOnly; SameSite=Strict"

    @property
    def ticket(self) -> str:
        """The cookie that tells the browser which used the link from every other one that has it."""
        return f"{self.ticket_name}={self._ticket}; Path=/; HttpOnly; SameSite=Lax"


def _same(given: str, secret: str) -> bool:
    # compare_digest() takes text of ASCII alone.
    return compare_digest(given.encode("utf-8", "surrogateescape"), secret.encode())
