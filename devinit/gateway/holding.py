"""Hold a request until its service answers, then return the service's address to Caddy."""

from __future__ import annotations

import asyncio
import time
from typing import NamedTuple

from devinit.gateway.caddy.routes import WITHDRAWN, Target
from devinit.gateway.projects import Joined

ANSWERS = frozenset({"ready", "unhealthy"})
COMING = frozenset({"waiting", "starting", "backoff", "stopping", WITHDRAWN})
"""Phases that a service leaves without an order."""
HOLD_SECONDS = 30.0
"""How long a request waits for a service that is coming up."""
MOMENT_SECONDS = 0.5
"""How long a request waits for a stopped or failed service: a restart may be about to continue."""
RETRY_SECONDS = 5.0
"""How long a request waits for a service that is reported as ready but does not accept connections."""
LOOK_SECONDS = 0.05


class Held(NamedTuple):
    """The result of the wait."""

    upstream: str | None
    """Address of the service; None if it did not come up."""
    target: Target | None
    """The present state of the service; None if the project has none of that name."""


async def hold(joined: Joined, service: str, *, after_an_error: bool) -> Held:
    """Wait until a service answers, or until the time limit for its phase is over."""
    began = time.monotonic()
    while True:
        sequence, target = joined.sequence, joined.target(service)
        if joined.is_gone or (target is None and joined.status is not None):
            return Held(None, None)
        phase = target.phase if target is not None else "starting"
        waited = time.monotonic() - began
        if target is not None and phase in ANSWERS:
            if not after_an_error or await _accepts(target.upstream):
                return Held(target.upstream, target)
            limit = RETRY_SECONDS
        elif phase in COMING or joined.is_returning(service):
            limit = HOLD_SECONDS
        else:
            limit = MOMENT_SECONDS
        if waited >= limit:
            return Held(None, target)
        pause = LOOK_SECONDS if phase in ANSWERS else limit - waited
        try:
            async with asyncio.timeout(pause):
                await joined.changes_after(sequence)
        except TimeoutError:
            continue


async def _accepts(upstream: str) -> bool:
    host, _, port = upstream.rpartition(":")
    try:
        async with asyncio.timeout(1):
            _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True
