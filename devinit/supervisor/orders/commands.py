"""What `devinit run` gives a command: the environment, client programs, and what of the project does not run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec.structs import replace

from devinit.errors import ConfigError, ServiceError
from devinit.kinds import KINDS, kind_of
from devinit.kinds.providers import PROVIDERS
from devinit.model.service import DatabaseSettings, Project, Service
from devinit.model.status import Phase

if TYPE_CHECKING:
    from devinit.model.status import CommandSetting
    from devinit.supervisor.project.stage import Stage
    from devinit.supervisor.service.runner import Runner

SERVING = frozenset({Phase.READY, Phase.UNHEALTHY})


def command_setting(runners: Mapping[str, Runner], stage: Stage, *, test: bool) -> CommandSetting:
    """Return what a command is given; with `test` the test databases under the names of the others.

    Raise ConfigError or ServiceError when there is no test database.
    """
    project = stage.project
    tested = {name: for_tests(each) for name, each in databases_of(project).items()}
    with_tests = {name: each for name, each in tested.items() if each is not None}
    if test:
        refuse_missing(project, with_tests, runners)
    ours = {name: each for name, each in project.services.items() if each.external_url is None}
    return {
        "environment": stage.environment_as(with_tests) if test else stage.environment,
        "path": list(dict.fromkeys(folder for each in ours.values() for folder in clients(each, stage))),
        "phases": {name: runners[name].phase.value for name in ours if name in runners},
        "databases": [name for name, each in ours.items() if kind_of(each).keeps_data],
        "untested": [name for name in tested if name not in with_tests],
    }


def databases_of(project: Project) -> dict[str, Service]:
    """Return the services that applications may find as DATABASE_URL."""
    return {name: each for name, each in project.services.items() if kind_of(each).has_databases}


def for_tests(service: Service) -> Service | None:
    """Return a service whose database is its test database; None when it has none."""
    settings = service.settings_as(DatabaseSettings)
    if settings is None or settings.test_database is None or service.external_url is not None:
        return None
    return replace(service, settings=replace(settings, database=settings.test_database))


def refuse_missing(project: Project, tested: Mapping[str, Service], runners: Mapping[str, Runner]) -> None:
    """Raise unless the common names mean a test database, and each server that runs has made its own."""
    first = next(iter(databases_of(project).values()), None)
    settings = first.settings_as(DatabaseSettings) if first is not None else None
    if first is None or settings is None or first.external_url is not None:
        kinds = " or ".join(kind.name for kind in KINDS.values() if kind.has_databases)
        raise ConfigError(
            "the project has no test database", hint=f"only a {kinds} that devinit runs can have one"
        )
    if first.name not in tested:
        raise ConfigError(
            f"{first.name} has no test database",
            hint=f'add databases = ["{settings.database}_test"] to [services.{first.name}], '
            "then `devinit restart --changed`",
        )
    for name, service in tested.items():
        running = runners[name].service.settings_as(DatabaseSettings) if name in runners else None
        wanted = service.settings_as(DatabaseSettings)
        if running is None or wanted is None or runners[name].phase not in SERVING:
            continue
        if wanted.database not in running.databases:
            raise ServiceError(
                f"{name} runs without {wanted.database}, its test database",
                hint="`devinit restart --changed` makes it",
            )


def clients(service: Service, stage: Stage) -> tuple[str, ...]:
    """Return the folders in which the client programs of a service's server are."""
    return tuple(map(str, PROVIDERS[service.provider].clients(service, stage.place())))
