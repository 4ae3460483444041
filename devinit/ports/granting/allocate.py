"""The allocation of ports to all services of a project: the order in which candidates are tried.

The first wish of every service is tried before any service moves, so a service that moves never takes the port of
a sibling. A callable reports whether a port is available.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from devinit.errors import PortsExhausted
from devinit.model.port import ATTEMPTS, LAST_RESORT, Exhausted, GrantedPort, Passed, PortRequest
from devinit.ports.holder.naming import JUST_CLOSED

NAMED_IN_ERRORS = 3
"""How many of the first candidates an error names, with their holders."""

Attempt: TypeAlias = Callable[[PortRequest, int], str | None]
"""Try to take a port: None on success, else the reason why it is unavailable ("held by vite (pid 4242)")."""


class Lost(Struct, frozen=True):
    """A port that was found for a service, but cannot be taken after all."""

    service: str
    port: int
    reason: str


Settle: TypeAlias = Callable[[], Lost | None]
"""Carry out the pending decisions; return the first port that this loses, or None."""

Assigned: TypeAlias = Callable[[], Iterable[int]]
"""Ask the kernel for ports that it would give to outgoing connections, one after the other."""

Tell: TypeAlias = Callable[[str, int, str | None], None]
"""Receive a decision: a service gets a port (None), or the reason why the port was passed over."""


class Ungranted(Struct, frozen=True, kw_only=True):
    """A request for which no candidate was available."""

    request: PortRequest
    passed: tuple[Passed, ...]


Outcome: TypeAlias = GrantedPort | Ungranted


def wishes_of(
    request: PortRequest, *, override: int | None = None, remembered: int | None = None
) -> tuple[int, ...]:
    """Return the ports that a service requests by number, best first; the search goes up from the last one."""
    wished = (override, request.recall(remembered), request.preferred)
    return tuple(dict.fromkeys(port for port in wished if port is not None))


def candidates(request: PortRequest, wishes: Sequence[int]) -> Iterator[int]:
    """Yield the wishes, then the range above the last wish, then the range below it."""
    yield from wishes
    if request.strict:
        return
    start = wishes[-1]
    upwards = range(max(start + 1, request.first), request.last + 1)
    below = range(request.first, min(start, request.last + 1))
    for port in (*upwards, *below):
        if port not in wishes:
            yield port


def last_resort(request: PortRequest, seed: str, assigned: Assigned) -> Iterator[int]:
    """Yield ports for a service whose range is used up: LAST_RESORT from the service's own offset, then any port.

    The offset depends on the seed (the checkout) and the service, so that the same service finds the same port
    again and different services rarely collide.
    """
    if request.strict or request.exhausted is not Exhausted.ANY:
        return
    from zlib import crc32  # few starts come here

    place = crc32(f"{seed}\0{request.service}".encode(errors="replace")) % len(LAST_RESORT)
    yield from islice(chain(LAST_RESORT[place:], LAST_RESORT[:place]), ATTEMPTS)
    yield from assigned()


def allocate(
    requests: Sequence[PortRequest],
    *,
    wishes: Mapping[str, Sequence[int]],
    attempt: Attempt,
    avoid: Attempt = lambda _request, _port: None,
    absent: Mapping[int, str] | None = None,
    settle: Settle = lambda: None,
    seed: str = "",
    assigned: Assigned = lambda: (),
    tell: Tell = lambda _service, _port, _reason: None,
) -> dict[str, Outcome]:
    """Find a port for each request; the outcomes have the order of the requests.

    `avoid` returns why a port is a bad choice although it may be free. `absent` names the ports of siblings that
    request nothing this time, so that no service moves onto them. `settle` is called when every service has a
    port, and again after each service that lost its port in `settle` and found another. `seed` and `assigned` are
    passed to `last_resort`. `tell` is called for each candidate.
    """
    searches = {
        request.service: _Search(request, wishes[request.service], last_resort(request, seed, assigned))
        for request in requests
    }
    granted: dict[int, str] = {}
    wished = [(port, service) for port, service in (absent or {}).items()]
    wished += [(port, each.service) for each in searches.values() for port in each.wishes]

    def consider(search: _Search, port: int, *, moving: bool) -> None:
        reason = _claimed(search.service, port, granted, wished if moving else ())
        reason = reason or avoid(search.request, port) or attempt(search.request, port)
        tell(search.service, port, reason)
        if reason is None:
            granted[port] = search.service
            search.port = port
        else:
            search.passed.append(Passed(port, reason))

    def search_on(search: _Search) -> None:
        while search.port is None and (port := next(search.candidates, None)) is not None:
            consider(search, port, moving=not search.request.strict)

    # A strict request has only one number, so it chooses before those that can move.
    for search in sorted(searches.values(), key=lambda each: not each.request.strict):
        consider(search, next(search.candidates), moving=False)
    for search in searches.values():
        search_on(search)
    while all(search.port is not None for search in searches.values()) and (lost := settle()):
        loser = searches[lost.service]
        loser.port = None
        loser.passed.append(Passed(lost.port, lost.reason))
        del granted[lost.port]
        tell(lost.service, lost.port, lost.reason)
        search_on(loser)
    return {service: search.outcome() for service, search in searches.items()}


def exhausted(ungranted: Ungranted) -> PortsExhausted:
    """Return the error for a request without a port: it names the range, the attempts and the first holders."""
    request, passed = ungranted.request, ungranted.passed
    named = "; ".join(f"{each.port} is {each.reason}" for each in passed[:NAMED_IN_ERRORS])
    more = " …" if len(passed) > NAMED_IN_ERRORS else ""
    anywhere = request.exhausted is Exhausted.ANY
    elsewhere = f", in {LAST_RESORT.start}-{LAST_RESORT.stop - 1} or elsewhere" if anywhere else ""
    wider = f"give {request.service} a wider `range`"
    return PortsExhausted(
        f"no free port for {request.service} in {request.first}-{request.last}{elsewhere} "
        f"after {len(passed)} attempt{'s' if len(passed) > 1 else ''}: {named}{more}",
        hint=f"{_relief(passed[:NAMED_IN_ERRORS])}, or {wider}"
        + ("" if anywhere else ' or `exhausted = "any"`'),
    )


def _relief(passed: Sequence[Passed]) -> str:
    """Return advice that makes one of these ports available."""
    closed = [each for each in passed if JUST_CLOSED in each.reason]
    if not closed:
        return "stop one of the holders"
    wait = "the kernel lets go of a port within a minute when its connection was closed: try again"
    return wait if len(closed) == len(passed) else f"{wait}, stop one of the other holders"


def with_reasons(outcome: Outcome, reasons: Mapping[int, str]) -> Outcome:
    """Return an outcome with more precise reasons for the ports that were passed over."""
    passed = tuple(Passed(each.port, reasons.get(each.port, each.reason)) for each in outcome.passed)
    if isinstance(outcome, Ungranted):
        return Ungranted(request=outcome.request, passed=passed)
    return replace(outcome, passed=passed, reason=_why_moved(passed, outcome.used_up))


class _Search:
    """The state of one request while candidates are tried."""

    def __init__(self, request: PortRequest, wishes: Sequence[int], beyond: Iterator[int]) -> None:
        self.request, self.service, self.wishes = request, request.service, tuple(wishes)
        self.candidates = chain(
            islice(candidates(request, self.wishes), ATTEMPTS),
            (port for port in beyond if port not in self.wishes),
        )
        self.passed: list[Passed] = []
        self.port: int | None = None

    def outcome(self) -> Outcome:
        """Return the result of the search."""
        if self.port is None:
            return Ungranted(request=self.request, passed=tuple(self.passed))
        passed = tuple(self.passed)
        used_up = self._used_up(self.port)
        return GrantedPort(
            service=self.service,
            port=self.port,
            preferred=self.request.preferred,
            moved_from=passed[0].port if passed else None,
            attempts=len(passed) + 1,
            reason=_why_moved(passed, used_up),
            used_up=used_up,
            passed=passed,
        )

    def _used_up(self, port: int) -> str:
        """Return the range if the port lies outside of it because the range is used up, else ""."""
        request = self.request
        is_elsewhere = port not in self.wishes and not request.first <= port <= request.last
        return f"{request.first}-{request.last}" if is_elsewhere else ""


def _why_moved(passed: Sequence[Passed], used_up: str) -> str:
    why = f"{passed[0].port} is {passed[0].reason}" if passed else ""
    return f"{used_up} is used up: {why}" if used_up else why


def _claimed(
    service: str, port: int, granted: Mapping[int, str], wished: Sequence[tuple[int, str]]
) -> str | None:
    """Return why a port belongs to a sibling, or None."""
    if port in granted:
        return f"granted to {granted[port]}"
    for wish, sibling in wished:
        if wish == port and sibling != service:
            return f"preferred by {sibling}"
    return None
