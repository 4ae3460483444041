"""Wait until a service is ready, and prove that the service itself answers.

An accepted connection does not show which process accepted it: another process on the port answers too, and
PostgreSQL starts on one address family while another process has the other (both measured). So the listener's
inode must belong to the service's own processes, and no foreign process may listen on the other family.
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
"""Number of starts that may look that often at once; more starts look less often, for the same total CPU."""
BELIEVED_SECONDS = 5.0
"""How long to wait for a server that reports that it is only starting."""
TELLING_SECONDS = 1.5
"""Time after which a job is reported as still running."""
SETTLED_SECONDS = 2.0
"""After this long, a service that listens only elsewhere has chosen that port, and a wrong address is final."""
WILDCARDS = ("0.0.0.0", "::")  # noqa: S104 - recognised, not bound
ELSEWHERE_INTERVAL_SECONDS = 0.5
MARGIN_SECONDS = 0.1
"""Time before the deadline at which the last attempt ends, so that its result can be reported."""
STUCK_INTERVAL_SECONDS = 2.0
"""Interval of attempts while a service waits for its code to be fixed: each may print an error, all night."""

BAD_REQUEST = 400
SERVER_ERRORS = range(500, 600)
"""Statuses of a server that runs with broken code or data, which may be fixed while it runs."""


class Pace:
    """The pace of looks at starting services, which must not take the CPU that many starts need."""

    def __init__(self) -> None:
        self._waiting = 0

    @contextmanager
    def shared(self) -> Iterator[None]:
        """Count one more service that is being watched."""
        self._waiting += 1
        try:
            yield
        finally:
            self._waiting -= 1

    async def pause(self, age: float) -> None:
        """Sleep until the next look at a start of this age in seconds."""
        await asyncio.sleep(interval_of(age, self._waiting))


def interval_of(age: float, waiting: int) -> float:
    """Return the seconds between two looks at a start of this age, while `waiting` starts are watched."""
    interval = next(interval for until, interval in LOOK_INTERVALS if age < until)
    return interval * max(1.0, waiting / UNHURRIED)


pace = Pace()
"""The pace of this process, which has one event loop."""


async def until_ready(subject: Subject) -> Verdict:
    """Wait until the service is ready, its port turns out to be wrong, or the time is over."""
    seen = "nothing listens yet" if subject.port is not None else "no answer yet"
    status: int | None = None

    def saw(detail: str, answer: int | None = None) -> None:
        nonlocal seen, status
        # An attempt that was too slow does not replace the answer before it: the page is being compiled again.
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
    """Return the seconds left after a timeout: more than 0 if the service was stuck for some of the time."""
    if subject.is_stuck() or subject.timeout_seconds is None:
        return subject.timeout_seconds
    moved_at = subject.moved_at()
    if moved_at is None:
        return 0.0
    return moved_at + subject.timeout_seconds - asyncio.get_running_loop().time()


async def until_moving(subject: Subject) -> None:
    """Wait until a service without a port is active again after its program crashed."""
    clock = asyncio.get_running_loop().time
    began = clock()
    while subject.is_stuck():
        await pace.pause(clock() - began)


async def until_listening(subject: Subject, port: int, saw: Saw) -> Ready | Foreign | Elsewhere:
    """Wait until it is clear who listens on the port, or that the service has settled on another one."""
    clock = asyncio.get_running_loop().time
    began = looked_elsewhere = clock()
    elsewhere: tuple[int, float] | None = None
    judged: frozenset[int] = frozenset()
    while True:
        inodes = frozenset(listener.inode for listener in tcp_listeners(port))
        if inodes and inodes != judged:
            # Finding the owner costs a walk through /proc, so it is done only for a new listener.
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
    """Return who listens on the port. A foreign listener is checked twice.

    Otherwise a service that begins to listen on its second address between the look at its own sockets and the
    look at all sockets would be taken for a foreign one.
    """
    # First check the main process and its descendants, one of which usually listens. Finding all other processes
    # of the service costs a walk through /proc, for each of 200 services that start together.
    main = subject.main()
    if subject.published is not None:
        published = subject.published()
        if published is None or port not in published.ports:
            # The engine may have just begun to listen; it rejects a taken port by itself.
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
    """Wait until the probe succeeds, or until it is clear that the address or the scheme is wrong."""
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
        # Only once for the same 400: a server without TLS logs a TLS greeting as an error.
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
    """Wait until the service answers at its extra ports as well, or another program or scheme does."""
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
    """Wait for the end of a job, until the caller, which learns of it from the kernel, cancels this."""
    await asyncio.sleep(TELLING_SECONDS)
    saw("it has not ended yet")
    await asyncio.get_running_loop().create_future()


def wrong_address(subject: Subject, result: ProbeResult) -> Unreachable | Redirected | None:
    """Return why a listening service is not reached at the probe's address, if the attempt shows that."""
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
    """Return the other scheme if a server that failed a probe answers to that; otherwise None."""
    if not isinstance(probe, HttpProbe) or not may_speak_other(probe, result):
        return None
    other = replace(probe, scheme=Scheme.HTTP if probe.scheme is Scheme.HTTPS else Scheme.HTTPS)
    answer = await ask_once(other)
    is_refusal = other.scheme is Scheme.HTTP and answer.status == BAD_REQUEST
    return None if answer.verdict is ProbeVerdict.NOT_YET or is_refusal else other.scheme


def may_speak_other(probe: HttpProbe, result: ProbeResult) -> bool:
    """Whether the result is typical of a server that speaks the other scheme."""
    if result.verdict is not ProbeVerdict.NOT_YET:
        # Go and nginx: "Client sent an HTTP request to an HTTPS server."
        return probe.scheme is Scheme.HTTP and result.status == BAD_REQUEST
    if result.timed_out:
        # An HTTP server waits for the end of a line, which a TLS greeting lacks; over HTTP, a page is slow.
        return probe.scheme is Scheme.HTTPS
    return result.detail != NOTHING_LISTENS


def seconds_of_attempt(stated: float | None, cut_off: int, left: float) -> float:
    """Return the timeout of the next attempt, after `cut_off` attempts timed out, with `left` seconds left.

    The timeout doubles after each attempt that was cut off, unless one is configured. When no further attempt
    would fit in after it, it runs until the deadline.
    """
    seconds = ATTEMPT_SECONDS * 2**cut_off if stated is None else stated
    return max(left - MARGIN_SECONDS, MARGIN_SECONDS) if left < 2 * seconds else seconds


async def until_worth_asking(probe: Probe, saw: Saw) -> None:
    """Wait while a server reports that it is only starting, up to a limit.

    After the limit, the server is probed nevertheless: its own answer is more informative.
    """
    if not isinstance(probe, ExchangeProbe):
        return
    clock = asyncio.get_running_loop().time
    began = clock()
    while probe.is_starting() and (age := clock() - began) < BELIEVED_SECONDS:
        saw("it says that it is starting")
        await pace.pause(age)


def addresses_of(found: Iterable[Listener]) -> str:
    """Return the addresses of listeners as text: `[::1]:5173`."""
    shown = {
        f"[{one.address}]:{one.port}" if ":" in one.address else f"{one.address}:{one.port}" for one in found
    }
    return " and ".join(sorted(shown))


def listens_at(host: str, listener: Listener) -> bool:
    """Whether a listener accepts connections at an address, so that only the kernel can refuse one."""
    if listener.address not in WILDCARDS:
        return listener.address == host
    return (":" in host) == (":" in listener.address) or listener.dual_stack is True


def asked_at(probe: Probe) -> str:
    """Return the address that a probe connects to."""
    return getattr(probe, "host", "its address")
