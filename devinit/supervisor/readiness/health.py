"""Periodic health checks of a ready service, if any are configured; otherwise nothing wakes up."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from msgspec.structs import replace

from devinit.model.probe import LogProbe, Probe, ProbeResult, ProbeVerdict, StayedUpProbe, TcpProbe
from devinit.model.service import Health, Readiness, Service
from devinit.supervisor.lifecycle import CheckFailed, CheckPassed


async def look_after(
    health: Health,
    ask: Callable[[], Awaitable[ProbeResult]],
    tell: Callable[[CheckPassed | CheckFailed], bool],
) -> None:
    """Check at each interval, and report the result for as long as the caller wants to know."""
    wanted = True
    while wanted:
        await asyncio.sleep(health.every_seconds)
        result = await ask()
        well = result.verdict is ProbeVerdict.READY
        wanted = tell(CheckPassed() if well else CheckFailed(result.detail, health))


def asked_again(probe: Probe, host: str, port: int | None) -> Probe:
    """Return the probe that tests whether a formerly ready service serves now: earlier output is no answer."""
    if port is not None and isinstance(probe, LogProbe | StayedUpProbe):
        return TcpProbe(host, port)
    return probe


def asked_as(service: Service, health: Health) -> Service:
    """Return the service with its health check as its readiness, so that its provider builds that probe."""
    if health.http is None and not health.tcp and health.exec is None:
        return service
    ready = Readiness(
        http=health.http, status=health.status, body=health.body, tcp=health.tcp, exec=health.exec
    )
    return replace(service, ready=ready)
