"""Make workers wait for the migrations of their application, which no list of processes states. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from msgspec import structs

from devinit.kinds import kind_of
from devinit.model.service import Condition, Service
from devinit.sources.commands.programs import BUILDERS, builds, program_of, words_of
from devinit.sources.references import leads_to


def after_migrations(services: Mapping[str, Service]) -> dict[str, Service]:
    """Return the services, with each worker starting after its server, which migrates before it starts.

    The server of a worker is the only server in the same folder that runs commands before its start. The worker
    leaves the same commands to it: two programs that migrate an empty database at the same time fail.
    """
    preparing = [each for each in services.values() if each.before_start and each.port is not None]
    return {name: _waiting(service, preparing, services) for name, service in services.items()}


def runs_before(job: Service, waiting: Collection[Service], servers: Mapping[str, Service]) -> Service | None:
    """Return the server that runs the same before each of its starts: a job that others wait for does it twice."""
    if not any(each.conditions.get(job.name) is Condition.COMPLETED for each in waiting):
        return None
    does = _done_by(job.command or "")
    return next(
        (
            each
            for each in servers.values()
            if each.directory == job.directory and does in (_done_by(line) for line in each.before_start)
        ),
        None,
    )


def _done_by(command: str) -> list[str]:
    return program_of(words_of(command))[:2]


def _waiting(service: Service, preparing: list[Service], services: Mapping[str, Service]) -> Service:
    servers = [each for each in preparing if each.directory == service.directory]
    if len(servers) != 1 or service.port is not None:
        return service
    [server] = servers
    done = {_step(each) for each in server.before_start}
    left = tuple(each for each in service.before_start if _step(each) not in done)
    if not _works_on_data(structs.replace(service, before_start=left)) or server.name in service.depends_on:
        return service
    if leads_to(server.name, service.name, {name: each.depends_on for name, each in services.items()}):
        return service
    return structs.replace(
        service,
        before_start=left,
        depends_on=(*service.depends_on, server.name),
        conditions=service.conditions | {server.name: Condition.STARTED},
    )


def _step(command: str) -> tuple[str, ...]:
    """Return what a command does, without the launcher and the options: `uv run alembic upgrade head`."""
    return tuple(program_of(words_of(command))[:2])


def _works_on_data(service: Service) -> bool:
    """Return whether a service is a worker, which may query the database as soon as it runs."""
    if service.port is not None or service.before_start or not kind_of(service).runs_a_command:
        return False
    return not BUILDERS.search(service.name) and not builds(program_of(words_of(service.command or "")))
