"""The work of a provider before a service's process starts and after it answers. Long work runs in a thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from devinit.model.service import Service
from devinit.supervisor.events import from_thread
from devinit.supervisor.project.project_state import ProjectState


async def prepare(service: Service, stage: ProjectState, say: Callable[[str], None]) -> None:
    """Prepare everything that the process of a service needs. Raise ServiceError."""
    provider, place = stage.provider(service), stage.place_of(service)
    if not provider.takes_long(service, place):
        _note(stage, service, provider.prepare(service, place, say))
        return
    work = asyncio.ensure_future(asyncio.to_thread(provider.prepare, service, place, from_thread(say)))
    try:
        _note(stage, service, await asyncio.shield(work))
    except asyncio.CancelledError:
        # A thread cannot be interrupted. The next run must not begin beside it (two initdb in one folder).
        await asyncio.wait([work])
        raise


async def provision(service: Service, stage: ProjectState, say: Callable[[str], None]) -> None:
    """Create the objects that the project expects inside the running server. Raise ServiceError."""
    provider, place, endpoint = stage.provider(service), stage.place(), stage.endpoint(service.name)
    if not provider.is_provisioned(service, place):
        work = asyncio.to_thread(provider.provision, service, endpoint, place, from_thread(say))
        _note(stage, service, await work)


def _note(stage: ProjectState, service: Service, texts: Iterable[str]) -> None:
    for text in texts:
        stage.note(f"{service.name}: {text}", service.name)
