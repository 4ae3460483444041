"""Ask a service that starts once, in a way that proves that a process of its own serves.

That the kernel connects proves nothing: a server whose workers load the application listens before they do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from devinit.model.probe import HttpProbe, ProbeResult, ProbeVerdict, TcpProbe
from devinit.supervisor.readiness.probing import (
    ATTEMPT_SECONDS,
    NOTHING_LISTENS,
    attempt,
    check,
    no_command,
    ready,
)
from devinit.system.connections import is_serving, waiting_clients
from devinit.system.listeners import tcp_listeners

if TYPE_CHECKING:
    from devinit.supervisor.readiness.subject import Subject

NOT_ACCEPTED = "it listens, but no process accepts the connections"


async def ask(subject: Subject, seconds: float) -> ProbeResult:
    """Carry the probe out once, in so many seconds."""
    # An engine may have the kernel send connections on to its container.
    is_own = subject.port is not None and subject.published is None
    if isinstance(subject.probe, TcpProbe) and is_own:
        return await asked_to_accept(subject.probe, seconds, was_ready=subject.was_ready)
    if not subject.was_ready:
        return await attempt(subject.probe, subject.run_command, subject.read_output, seconds, is_own=is_own)
    # Each attempt would stay in the queue until the process accepts it.
    if subject.port is not None and waiting_clients(subject.port):
        return ProbeResult(ProbeVerdict.NOT_YET, NOT_ACCEPTED)
    return await check(subject.probe, subject.run_command, seconds, subject.read_output, is_own=is_own)


async def asked_to_accept(probe: TcpProbe, seconds: float, *, was_ready: bool) -> ProbeResult:
    """Return whether a process accepts connections to a port of a service's own.

    A server whose workers load the application listens before they do. One that serves a client at a time
    accepts no other one meanwhile: where it never was ready, that client shows that it is.
    """
    if waiting_clients(probe.port):
        if not was_ready and is_serving(probe.port):
            return ready()
        return ProbeResult(ProbeVerdict.NOT_YET, NOT_ACCEPTED)
    result = await check(probe, no_command, seconds, is_own=True)
    # A connection that has left the queue was accepted, or its listener is gone and the queue with it.
    if result.verdict is ProbeVerdict.READY and not tcp_listeners(probe.port):
        return ProbeResult(ProbeVerdict.NOT_YET, NOTHING_LISTENS)
    return result


async def ask_extra(probe: TcpProbe | HttpProbe, subject: Subject) -> ProbeResult:
    """Ask a service once at one of its further ports."""
    if isinstance(probe, TcpProbe):
        return await asked_to_accept(probe, ATTEMPT_SECONDS, was_ready=subject.was_ready)
    return await attempt(probe, subject.run_command, subject.read_output, is_own=True)
