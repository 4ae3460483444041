"""Request a page once after a service is ready, so that the developer does not wait for its compilation."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from devinit.model.probe import HttpProbe, ProbeVerdict
from devinit.model.service import Endpoint
from devinit.supervisor.readiness.probing import get

WARM_SECONDS = 120.0
"""Seconds for the first page. Next.js takes 10 to 20 s; slow disks more."""


async def warm(endpoint: Endpoint, path: str, note: Callable[[str, str], None]) -> None:
    """GET a path of a service; note it when that fails. Nothing depends on the result."""
    try:
        async with asyncio.timeout(WARM_SECONDS):
            result = await get(HttpProbe.of(endpoint, path))
    except (OSError, TimeoutError) as error:
        note(f"{endpoint.service} was not warmed: {error or 'no answer'}", endpoint.service)
    else:
        if result.verdict is not ProbeVerdict.READY:
            note(f"{endpoint.service} was not warmed: {result.detail}", endpoint.service)
