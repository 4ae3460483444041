"""Environment and tools that `devinit run` and `devinit exec` give a command, and the phases of the services."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from devinit.errors import ConfigError, ServiceError
from devinit.kinds import KINDS, kind_of
from devinit.kinds.command import tool_folders, with_project_tools
from devinit.kinds.providers import PROVIDERS
from devinit.model.service import DatabaseSettings, Project, Service
from devinit.model.status import Phase
from devinit.runtime.inherited import own_environment
from devinit.supervisor.project.chosen import one_named
from devinit.toolchains.folders import up_to_root

if TYPE_CHECKING:
    from devinit.control.messages import CommandParams
    from devinit.model.status import CommandSetting
    from devinit.supervisor.project.project_state import ProjectState
    from devinit.supervisor.service.runner import Runner

SERVING = frozenset({Phase.READY, Phase.UNHEALTHY})


def command_setting(
    runners: Mapping[str, Runner], stage: ProjectState, asked: CommandParams
) -> CommandSetting:
    """Return the setting of a command; with `test`, the names of databases stand for their test databases.

    Raise ConfigError or ServiceError when there is no test database, UsageError for an unknown service.
    """
    project = stage.project
    service = None if asked.service is None else project.services[one_named(asked.service, project)]
    tested = {name: for_tests(each) for name, each in databases_of(project).items()}
    with_tests = {name: each for name, each in tested.items() if each is not None}
    if asked.test:
        refuse_missing(project, with_tests, runners)
        stage = stage.with_services(with_tests)
    ours = {name: each for name, each in project.services.items() if each.external_url is None}
    folders = {name: each.directory for name, each in project.services.items()}
    path = [folder for each in ours.values() for folder in clients(each, stage)]
    directory = service.directory if service is not None else asked.directory
    if directory is None:
        path += tools(folders.values(), project.root)
    setting: CommandSetting = {
        "environment": stage.environment,
        "path": list(dict.fromkeys(path)),
        "folders": {name: str(folder) for name, folder in folders.items()},
        "phases": {name: runners[name].phase.value for name in ours if name in runners},
        "databases": [name for name, each in ours.items() if kind_of(each).keeps_data],
        "untested": [name for name in tested if name not in with_tests],
        "without": sorted(stage.misleading_names()),
    }
    if directory is not None:
        setting["environment"] = environment_in(Path(directory), service, stage, asked.environ)
        setting["directory"] = str(directory)
    return setting


def environment_in(
    directory: Path, service: Service | None, stage: ProjectState, environ: Mapping[str, str]
) -> dict[str, str]:
    """Return the whole environment of a command in a folder, as for the named service. Project tools come first.

    `environ`: the environment of the caller. Values of a service's file or `env` override it, as in the service
    itself.
    """
    own = own_environment(environ, stage.root)
    kept = {name: value for name, value in own.items() if name not in stage.misleading_names()}
    given = {**kept, **stage.environment} if service is None else stage.environment_beside(service, own)
    # The command has the caller's terminal, and detects by itself whether to print colours.
    return with_project_tools(given, directory, replace(stage.place(), color=False))


def tools(folders: Iterable[Path], root: Path) -> list[str]:
    """Return the folders with the tools of all services, in their order."""
    searched = dict.fromkeys(each for folder in folders for each in up_to_root(folder, root))
    return [str(found) for folder in searched for found in tool_folders(folder)]


def databases_of(project: Project) -> dict[str, Service]:
    """Return the services that applications may get as DATABASE_URL."""
    return {name: each for name, each in project.services.items() if kind_of(each).has_databases}


def for_tests(service: Service) -> Service | None:
    """Return the service with its test database as its database; None when it has none."""
    settings = service.settings_as(DatabaseSettings)
    if settings is None or settings.test_database is None or service.external_url is not None:
        return None
    return replace(service, settings=replace(settings, database=settings.test_database))


def refuse_missing(project: Project, tested: Mapping[str, Service], runners: Mapping[str, Runner]) -> None:
    """Raise an error unless the common names mean a test database, and each running server has created its own."""
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


def clients(service: Service, stage: ProjectState) -> tuple[str, ...]:
    """Return the folders that contain the client programs of a service's server."""
    return tuple(map(str, PROVIDERS[service.provider].clients(service, stage.place())))
