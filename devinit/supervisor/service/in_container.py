"""The parts of a service in a container that are not processes of its own: probes, usage, engine and end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from devinit.kinds import kind_of
from devinit.kinds.contained import ContainerProvider, Published
from devinit.model.process import ProcessSpec
from devinit.model.service import Health, Service
from devinit.model.status import Phase
from devinit.supervisor.files.folders import AFTER_SECONDS, until_gone
from devinit.supervisor.lifecycle import CheckFailed, CheckPassed
from devinit.supervisor.project.project_state import ProjectState
from devinit.system.processes import ProcessTable
from devinit.system.usage import Usage, usage_of

if TYPE_CHECKING:
    from devinit.supervisor.service.runner import Runner

PROBES = frozenset({"ready.exec", "health.exec"})
SERVING = frozenset({Phase.READY, Phase.UNHEALTHY})
AWAY_WORDS = "its container engine does not answer; it is taken up again once that is back"
AWAY = Health(failures=1)
"""Limits for an engine that is away: one failed check is enough, and nothing is restarted."""
BACK_SECONDS = 1.0
"""Seconds between checks whether an engine that was away is back."""


def published_of(service: Service, stage: ProjectState) -> Callable[[], Published | None] | None:
    """Return a reader of the ports that the engine has on record; None when the service's own processes listen."""
    provider = provider_of(service, stage)
    return None if provider is None else partial(provider.published, service, stage.place())


def spec_of(
    service: Service, stage: ProjectState, command: str, key: str, hidden: tuple[str, ...]
) -> ProcessSpec:
    """Return how to run another command line of a service: a probe runs where the service's program runs."""
    spec, provider = stage.command_spec(service, command, key, hidden), provider_of(service, stage)
    return spec if provider is None or key not in PROBES else provider.inside(spec, service, stage.place())


def used_by(runner: Runner, stage: ProjectState, table: ProcessTable) -> Usage:
    """Return the CPU and memory that a service uses: its processes and its container."""
    provider, processes = provider_of(runner.service, stage), usage_of(runner.pids(table))
    inside = provider.usage(runner.service, stage.place()) if provider is not None else None
    return processes if inside is None else processes + inside


def remaining(services: Iterable[Service], stage: ProjectState) -> set[str]:
    """Return which of these services, none of which has a process, may have left a container."""
    return {
        each.name
        for each in services
        if (provider := provider_of(each, stage)) is not None and provider.remains(each, stage.place())
    }


async def end_container(service: Service, stage: ProjectState) -> None:
    """End a container whose process was killed before it could end the container itself."""
    provider, place = provider_of(service, stage), stage.place()
    if provider is None or not provider.remains(service, place):
        return
    if why := await asyncio.to_thread(provider.end_remains, service, place):
        stage.note(f"{service.name}: {why}", service.name)


async def watch_engine(runner: Runner, stage: ProjectState) -> None:
    """Mark a service as unhealthy while its container's engine is away; return at once without a container."""
    provider = provider_of(runner.service, stage)
    if provider is None:
        return
    folder = provider.reached(runner.service, stage.place())
    await asyncio.sleep(AFTER_SECONDS)
    while runner.phase in SERVING:
        with suppress(OSError):  # it is gone already
            await until_gone(folder)
        if runner.phase in SERVING:
            runner.post(CheckFailed(AWAY_WORDS, AWAY))
        while not folder.is_dir():  # noqa: ASYNC110  another process makes it
            await asyncio.sleep(BACK_SECONDS)
        if runner.phase in SERVING:
            runner.post(CheckPassed())


def provider_of(service: Service, stage: ProjectState) -> ContainerProvider | None:
    """Return the provider of a service's container; None for a service without one."""
    if service.external_url is not None or not kind_of(service).in_container:
        return None
    provider = stage.provider(service)
    assert isinstance(provider, ContainerProvider)  # noqa: S101  its kind says so
    return provider
