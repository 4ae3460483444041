"""Check the requests of a program for ports (names, ports, ranges) before any port is leased."""

from __future__ import annotations

import builtins
import re
from collections.abc import Iterable, Mapping

from devinit.model.defaults import port_range
from devinit.model.port import HIGHEST_PORT, Exhausted, PortRequest

NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")
"""The name of a service, which becomes part of file names and variables."""
FIRST_PREFERRED = 8000

Limits = builtins.range | tuple[int, int]
"""The ports that a server may get: a `range`, which excludes its end, or the first and the last port."""
Member = str | tuple[str, int] | tuple[str, int, Limits]
"""One server of a group: its name, its preferred port, and its range."""


def asked(service: str, preferred: int, limits: Limits | None = None) -> PortRequest:
    """Return the request for a port. Raise ValueError for an invalid name, port or range."""
    if not NAME.fullmatch(service):
        raise ValueError(
            f"{service!r} is no name of a service: small letters, digits, - and _, a letter first, at most 40"
        )
    if not 1 <= preferred <= HIGHEST_PORT:
        raise ValueError(f"{service}: {preferred} is no port: ports are 1 to {HIGHEST_PORT}")
    first, last = port_range(preferred) if limits is None else _bounds(service, limits)
    return PortRequest(
        service=service,
        preferred=preferred,
        first=first,
        last=last,
        browser=True,
        exhausted=Exhausted.ANY,
    )


def asked_together(group: Mapping[str, int] | Iterable[Member]) -> list[PortRequest]:
    """Return the requests of a group. A name without a port prefers the port above all before it."""
    requests: dict[str, PortRequest] = {}
    for member in group.items() if isinstance(group, Mapping) else group:
        above = max((each.preferred for each in requests.values()), default=FIRST_PREFERRED - 1) + 1
        request = asked(member, above) if isinstance(member, str) else asked(*member)
        if request.service in requests:
            raise ValueError(f"{request.service} stands twice in the group")
        requests[request.service] = request
    return list(requests.values())


def other_variables(requests: Iterable[PortRequest]) -> dict[str, tuple[str, ...]]:
    """Return further variables for ports, beside `<SERVICE>_PORT`: many scripts use API_PORT for the backend."""
    names = {each.service for each in requests}
    return {"backend": ("API_PORT",)} if "backend" in names and "api" not in names else {}


def _bounds(service: str, limits: Limits) -> tuple[int, int]:
    if isinstance(limits, builtins.range):
        first, last = limits.start, limits.stop - 1
        step = limits.step
    else:
        (first, last), step = limits, 1
    if step != 1 or not 1 <= first <= last <= HIGHEST_PORT:
        raise ValueError(f"{service}: {limits!r} is no range of ports between 1 and {HIGHEST_PORT}")
    return first, last
