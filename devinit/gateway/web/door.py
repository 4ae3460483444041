"""Access to the gateway's answers: only for this user's programs, and for pages of the project itself. Pure."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from devinit.gateway.web.http import Request

FETCH_SITES = frozenset({"", "same-origin", "same-site", "none"})
METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class Refusal(NamedTuple):
    """The status and text with which a request is refused."""

    status: int
    text: str


def refusal_of(request: Request, uid: int | None, own: int, origins: Collection[str]) -> Refusal | None:
    """Return why a request is refused; None if it may be answered.

    `uid`: owner of the connection according to the kernel, None if unknown. `own`: this user. `origins`: origins
    whose pages may read the answer.
    """
    if uid not in (own, 0):
        return Refusal(403, "this gateway belongs to another user")
    if request.method not in METHODS:
        return Refusal(405, "only GET is answered here")
    origin = request.header("origin")
    if origin:
        return None if origin in origins else Refusal(403, f"pages of {origin} are not this project's")
    if request.header("sec-fetch-site") not in FETCH_SITES:
        return Refusal(403, "pages of another site may not read this")
    return None


def cors(request: Request, origins: Collection[str]) -> dict[str, str]:
    """Return the headers that make a browser let a page of the project read the answer."""
    origin = request.header("origin")
    if not origin or origin not in origins:
        return {"Vary": "Origin"}
    return {
        "Vary": "Origin",
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Headers": "Last-Event-ID, Cache-Control",
        "Access-Control-Allow-Methods": "GET",
    }


def is_of_this_machine(host: str) -> bool:
    """Whether browsers resolve a host to this machine, regardless of any name server."""
    name = host.partition(":")[0].rstrip(".").lower()
    return name == "localhost" or name.endswith(".localhost")


def address_of(peer: str) -> tuple[str, int] | None:
    """Parse the client's address as Caddy writes it: `127.0.0.1:4711`, `[::1]:4711`."""
    host, _, port = peer.rpartition(":")
    return (host.strip("[]"), int(port)) if host and port.isdecimal() else None
