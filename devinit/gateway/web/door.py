"""Who may read what the gateway knows: this user's own programs, and the pages of the project itself. Pure."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from devinit.gateway.web.http import Request

FETCH_SITES = frozenset({"", "same-origin", "same-site", "none"})
METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class Refusal(NamedTuple):
    """Why a request is not answered."""

    status: int
    text: str


def refusal_of(request: Request, uid: int | None, own: int, origins: Collection[str]) -> Refusal | None:
    """Return why a request is refused; None when it may be answered.

    `uid`: whose the connection is, as the kernel says; None where it cannot tell. `origins`: whose pages may read.
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
    """Return the headers by which a browser lets a page of the project read the answer."""
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
    """Whether browsers look for a host on this machine, whatever a name server says."""
    name = host.partition(":")[0].rstrip(".").lower()
    return name == "localhost" or name.endswith(".localhost")


def address_of(peer: str) -> tuple[str, int] | None:
    """Return the client's end of a connection as Caddy names it: `127.0.0.1:4711`, `[::1]:4711`."""
    host, _, port = peer.rpartition(":")
    return (host.strip("[]"), int(port)) if host and port.isdecimal() else None
