"""Wait until a service is ready, and be sure that it is the service that answers.

A connection that is accepted says nothing about who accepted it: an impostor on the port answers too, and
PostgreSQL starts on one address family while another process has the other (both measured). So the listener's
inode must belong to the service's own processes, and nothing foreign may listen beside it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from msgspec.structs import replace

from devinit.model.port import Listener
from devinit.model.probe import (
    EndProbe,
    ExchangeProbe,
    HttpProbe,
    Probe,
    ProbeResult,
    ProbeVerdict,
    StayedUpProbe,
)
from devinit.model.service import Scheme
from devinit.ports import verify
from devinit.ports.holder import lookup
from devinit.supervisor.readiness.asking import Saw, ask, first_asked
from devinit.supervisor.readiness.other_ports import other_port, patience_with
from devinit.supervisor.readiness.probing import ATTEMPT_SECONDS, NOTHING_LISTENS, ask_once, intervals
from devinit.supervisor.readiness.rest import until_at_rest, until_staying
from devinit.supervisor.readiness.subject import (
    Ailing,
    Elsewhere,
    Foreign,
    Ready,
    Redirected,
    Speaks,
    Subject,
    TimeOver,
    Unreachable,
    Verdict,
)
from devinit.system.listeners import tcp_listeners
from devinit.system.procfs import family_of

ADDRESS_ADVICE = (
    "tell the program where to listen (vite and uvicorn: --host, next: -H; 127.0.0.1), "
    'or devinit where to look for it: host = "::1"'
)
LOOK_INTERVALS = ((0.1, 0.001), (2.0, 0.002), (10.0, 0.02), (float("inf"), 0.1))
"""(up to this age of the start in seconds, look this often): asking the kernel takes some 70 µs."""
UNHURRIED = 8
"""So many starts may look that often at once; more of them share what these take."""
BELIEVED_SECONDS = 5.0
"""How long a server is believed that it is only starting."""
TELLING_SECONDS = 1.5
"""After this long it is said of a job that it still runs."""
SETTLED_SECONDS = 2.0
"""A service that listens only elsewhere for this long has chosen its port; one not reached so long never is."""
WILDCARDS = ("0.0.0.0", "::")  # noqa: S104 - recognised, not bound
ELSEWHERE_INTERVAL_SECONDS = 0.5
MARGIN_SECONDS = 0.1
"""So much before the deadline the last attempt says what it saw."""
STUCK_INTERVAL_SECONDS = 2.0
"""How often a service is asked that waits for its code to be fixed: each try may print an error, all night."""

BAD_REQUEST = 400
SERVER_ERRORS = range(500, 600)
"""Answers of a server that is up and whose code or data is not: it may be fixed while it runs."""


class Pace:
    """How often starting services are looked at: the looks must not take the CPU that many starts need."""

    def __init__(self) -> None:
        self._waiting = 0

    @contextmanager
    def shared(self) -> Iterator[None]:
        """Count one more service that is looked at."""
        self._waiting += 1
        try:
            yield
        finally:
            self._waiting -= 1

    async def pause(self, age: float) -> None:
        """Sleep between two looks at a start of this age in seconds."""
        await asyncio.sleep(interval_of(age, self._waiting))


def interval_of(age: float, waiting: int) -> float:
    """Return the seconds between two looks at a start of this age, of so many that are looked at."""
    interval = next(interval for until, interval in LOOK_INTERVALS if age < until)
    return interval * max(1.0, waiting / UNHURRIED)


pace = Pace()
"""Of this process: it has one loop."""


async def until_ready(subject: Subject) -> Verdict:
    """Return when the service is ready, when its port turns out to be wrong, or when the time is over."""
    seen = "nothing listens yet" if subject.port is not None else "no answer yet"
    status: int | None = None

    def saw(detail: str, answer: int | None = None) -> None:
        nonlocal seen, status
        # A try that was too slow says nothing against the answer before it: the page is compiled again.
        if answer is not None or detail == NOTHING_LISTENS:
            status = answer
        seen = detail
        subject.saw(detail)
        subject.answered(status)

    left = subject.timeout_seconds
    with pace.shared():
        while True:
            try:
                async with asyncio.timeout(left) as limit:
                    port = subject.port
                    if port is None and subject.was_ready:
                        await until_moving(subject)
                    found = Ready() if port is None else await until_listening(subject, port, saw)
                    if isinstance(found, Ready):
                        await until_staying(subject.stays, subject.saw)
                        return (
                            await until_answering(subject, saw, limit.when())
                            or await until_extra_ports_answer(subject, saw)
                            or found
                        )
                    return found
            except TimeoutError:
                left = seconds_left(subject)
                if left is not None and left <= 0:
                    return Ailing(seen) if status in SERVER_ERRORS else TimeOver(seen)


def seconds_left(subject: Subject) -> float | None:
    """Return how much time a service has whose time is over: more, if it was stuck for some of that."""
    if subject.is_stuck() or subject.timeout_seconds is None:
        return subject.timeout_seconds
    moved_at = subject.moved_at()
    if moved_at is None:
        return 0.0
    return moved_at + subject.timeout_seconds - asyncio.get_running_loop().time()


async def until_moving(subject: Subject) -> None:
    """Return when a service that has no port to be asked at does something again after its program crashed."""
    clock = asyncio.get_running_loop().time
    began = clock()
    while subject.is_stuck():
        await pace.pause(clock() - began)


async def until_listening(subject: Subject, port: int, saw: Saw) -> Ready | Foreign | Elsewhere:
    """Return as soon as it is clear who listens on the port, or that the service has settled elsewhere."""
    clock = asyncio.get_running_loop().time
    began = looked_elsewhere = clock()
    elsewhere: tuple[int, float] | None = None
    judged: frozenset[int] = frozenset()
    while True:
        inodes = frozenset(listener.inode for listener in tcp_listeners(port))
        if inodes and inodes != judged:
            # Whose they are costs a walk through /proc, so it is asked only when there is a new listener.
            match owner_of(port, subject):
                case verify.Ours(pids):
                    return Ready(pids[0])
                case verify.Foreign():
                    return Foreign(f"{port} is {lookup.holders_of_port(port).reason}")
                case _ if subject.published is None:
                    judged = inodes
        now = clock()
        if not inodes and now - looked_elsewhere >= ELSEWHERE_INTERVAL_SECONDS:
            looked_elsewhere = now
            other = other_port(subject, port)
            if other is None or elsewhere is None or elsewhere[0] != other:
                elsewhere = None if other is None else (other, now)
            elif now - elsewhere[1] >= SETTLED_SECONDS * patience_with(other):
                return Elsewhere(other)
            if other is not None:
                saw(f"it listens on {other} instead of {port}")
        await pace.pause(now - began)


def owner_of(port: int, subject: Subject) -> verify.Ownership:
    """Return who listens on the port. A foreign listener is looked at twice.

    A service that begins to listen on its second address between our look at its sockets and our look at
    all sockets would be taken for one.
    """
    # The first process and its descendants, at first: most often one of these listens, and everything else
    # that may belong to the service costs a walk through /proc, for each of 200 services that start together.
    main = subject.main()
    if subject.published is not None:
        published = subject.published()
        if published is None or port not in published.ports:
            # The engine may just have begun to listen; a port that another one has, it refuses by itself.
            return verify.Nobody()
        return verify.ownership_by_record(port, published.address, main or 0)
    if main is not None:
        found = verify.ownership(port, family_of(main))
        if isinstance(found, verify.Ours):
            return found
    found = verify.ownership(port, subject.pids())
    return verify.ownership(port, subject.pids()) if isinstance(found, verify.Foreign) else found


async def until_answering(
    subject: Subject, saw: Saw, deadline: float | None
) -> Unreachable | Redirected | Speaks | None:
    """Return when the probe says ready, or when it is clear that the address or the scheme is wrong."""
    if isinstance(subject.probe, EndProbe):
        await until_cancelled(saw)
    if isinstance(subject.probe, StayedUpProbe) and subject.probe.settles:
        await until_at_rest(subject.probe.seconds, subject.pids, subject.saw, subject.has_come_up)
        return None
    clock = asyncio.get_running_loop().time
    cut_off, before = 0, None
    wrong: Unreachable | Redirected | None = None
    wrong_since = clock()
    await until_worth_asking(subject.probe, saw)
    for interval in intervals():
        left = float("inf") if deadline is None else deadline - clock()
        result = await ask(subject, seconds_of_attempt(subject.attempt_seconds, cut_off, left), saw)
        if result.verdict is ProbeVerdict.READY:
            return None
        cut_off += result.timed_out
        # Once for each 400: a server that speaks no TLS logs a greeting as an error.
        if subject.is_scheme_open and (result != before or result.status is None):
            before = result
            if (scheme := await other_scheme(subject.probe, result)) is not None:
                return Speaks(scheme)
        if (found := wrong_address(subject, result)) != wrong:
            wrong, wrong_since = found, clock()
        elif found is not None and clock() - wrong_since >= SETTLED_SECONDS:
            return found
        saw(found.reason.partition("\n")[0] if found else result.detail, result.status)
        await asyncio.sleep(STUCK_INTERVAL_SECONDS if subject.is_stuck() else interval)
    return None


async def until_extra_ports_answer(subject: Subject, saw: Saw) -> Unreachable | Speaks | None:
    """Return when the service answers at its further ports as well, or when another program or scheme does."""
    for name, probe in subject.extra_probes.items():
        before = None
        for interval in intervals():
            match owner_of(probe.port, subject) if tcp_listeners(probe.port) else None:
                case verify.Foreign():
                    return Unreachable(
                        f"its port {name}, {probe.port}, is {lookup.holders_of_port(probe.port).reason}"
                    )
                case verify.Ours():
                    result = await first_asked(probe, subject, saw, is_own=True)
                    if result.verdict is ProbeVerdict.REDIRECTED:
                        return Unreachable(f"its port {name}: {result.detail}")
                    if result.verdict is ProbeVerdict.READY:
                        break
                    if name in subject.open_extra_ports and (result != before or result.status is None):
                        before = result  # as above
                        if (scheme := await other_scheme(probe, result)) is not None:
                            return Speaks(scheme, name)
                    saw(f"{name}: {result.detail}", result.status)
                case _:
                    saw(f"{name}: {NOTHING_LISTENS} on {probe.port}")
            await asyncio.sleep(interval)
    return None


async def until_cancelled(saw: Saw) -> None:
    """Wait with a job for its end, which the kernel reports elsewhere."""
    await asyncio.sleep(TELLING_SECONDS)
    saw("it has not ended yet")
    await asyncio.get_running_loop().create_future()


def wrong_address(subject: Subject, result: ProbeResult) -> Unreachable | Redirected | None:
    """Return why a service that listens is not reached where it is asked, if that is what an attempt saw."""
    if result.verdict is ProbeVerdict.REDIRECTED:
        return Redirected(result.detail)
    found = tcp_listeners(subject.port) if result.detail == NOTHING_LISTENS and subject.port else []
    if not found:
        return None
    where, asked = addresses_of(found), asked_at(subject.probe)
    if any(listens_at(asked, one) for one in found):
        return Redirected(
            f"connections to {asked}:{subject.port} are refused although it listens there: the kernel rejects or "
            "redirects them (a rule of iptables or nftables)"
        )
    return Unreachable(f"it listens on {where} alone, and is looked for at {asked}\n{ADDRESS_ADVICE}")


async def other_scheme(probe: Probe, result: ProbeResult) -> Scheme | None:
    """Return the scheme to which a server answers that did not answer to the one of a probe, if it does."""
    if not isinstance(probe, HttpProbe) or not may_speak_other(probe, result):
        return None
    other = replace(probe, scheme=Scheme.HTTP if probe.scheme is Scheme.HTTPS else Scheme.HTTPS)
    answer = await ask_once(other)
    is_refusal = other.scheme is Scheme.HTTP and answer.status == BAD_REQUEST
    return None if answer.verdict is ProbeVerdict.NOT_YET or is_refusal else other.scheme


def may_speak_other(probe: HttpProbe, result: ProbeResult) -> bool:
    """Whether what came back is what a server says that is asked with TLS, or without it, and speaks the other."""
    if result.verdict is not ProbeVerdict.NOT_YET:
        # Go and nginx: "Client sent an HTTP request to an HTTPS server."
        return probe.scheme is Scheme.HTTP and result.status == BAD_REQUEST
    if result.timed_out:
        # One that waits for the end of a line that a greeting has not; a slow page is no reason to greet.
        return probe.scheme is Scheme.HTTPS
    return result.detail != NOTHING_LISTENS


def seconds_of_attempt(stated: float | None, cut_off: int, left: float) -> float:
    """Return how long the next attempt may take, after so many that were cut off and with so much time left.

    Each is given twice the time of the one that was cut off before, unless it is stated how long one takes. When
    no other one would fit in behind it, it runs to the deadline.
    """
    seconds = ATTEMPT_SECONDS * 2**cut_off if stated is None else stated
    return max(left - MARGIN_SECONDS, MARGIN_SECONDS) if left < 2 * seconds else seconds


async def until_worth_asking(probe: Probe, saw: Saw) -> None:
    """Return when a server that is only starting, and says so, is likely to give an answer.

    One that says so for long is asked all the same: its own answer tells more.
    """
    if not isinstance(probe, ExchangeProbe):
        return
    clock = asyncio.get_running_loop().time
    began = clock()
    while probe.is_starting() and (age := clock() - began) < BELIEVED_SECONDS:
        saw("it says that it is starting")
        await pace.pause(age)


def addresses_of(found: Iterable[Listener]) -> str:
    """Return the addresses of listeners, as they are written: `[::1]:5173`."""
    shown = {
        f"[{one.address}]:{one.port}" if ":" in one.address else f"{one.address}:{one.port}" for one in found
    }
    return " and ".join(sorted(shown))


def listens_at(host: str, listener: Listener) -> bool:
    """Whether a listener is found at an address, so that only the kernel can refuse a connection to it."""
    if listener.address not in WILDCARDS:
        return listener.address == host
    return (":" in host) == (":" in listener.address) or listener.dual_stack is True


def asked_at(probe: Probe) -> str:
    """Return the address at which a probe asks."""
    return getattr(probe, "host", "its address")
