"""A service whose program runs in a container: the parts that are not processes of its own."""

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
"""What an engine that has gone away counts as: one look is enough, and nothing is started again for it."""
BACK_SECONDS = 1.0
"""How often an engine is looked for that was away."""


def published_of(service: Service, stage: ProjectState) -> Callable[[], Published | None] | None:
    """Return how to read what the engine has on record; None for a service whose own processes listen."""
    provider = provider_of(service, stage)
    return None if provider is None else partial(provider.published, service, stage.place())


def spec_of(
    service: Service, stage: ProjectState, command: str, key: str, hidden: tuple[str, ...]
) -> ProcessSpec:
    """Return how another command line of a service is run: a probe runs where its program does."""
    spec, provider = stage.command_spec(service, command, key, hidden), provider_of(service, stage)
    return spec if provider is None or key not in PROBES else provider.inside(spec, service, stage.place())


def used_by(runner: Runner, stage: ProjectState, table: ProcessTable) -> Usage:
    """Return what a service uses: its processes, and its container."""
    provider, processes = provider_of(runner.service, stage), usage_of(runner.pids(table))
    inside = provider.usage(runner.service, stage.place()) if provider is not None else None
    return processes if inside is None else processes + inside


def remaining(services: Iterable[Service], stage: ProjectState) -> set[str]:
    """Return which of these services, which have no process, may have left a container."""
    return {
        each.name
        for each in services
        if (provider := provider_of(each, stage)) is not None and provider.remains(each, stage.place())
    }


async def end_container(service: Service, stage: ProjectState) -> None:
    """End the container whose process was killed, and could not end it."""
    provider, place = provider_of(service, stage), stage.place()
    if provider is None or not provider.remains(service, place):
        return
    if why := await asyncio.to_thread(provider.end_remains, service, place):
        stage.note(f"{service.name}: {why}", service.name)


async def watch_engine(runner: Runner, stage: ProjectState) -> None:
    """Call a service unhealthy while the engine of its container is away; return for one without a container."""
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
    """Return what runs the container of a service; None for one that has none."""
    if service.external_url is not None or not kind_of(service).in_container:
        return None
    provider = stage.provider(service)
    assert isinstance(provider, ContainerProvider)  # noqa: S101  its kind says so
    return provider
