"""Derive the environment of a project and of each service from its endpoints and files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from devinit.errors import ConfigError
from devinit.kinds import kind_of
from devinit.model.names import CONFIGURATION_FILE
from devinit.model.service import Endpoint, Project, Service
from devinit.resolving.own_names import Environment, OwnNames, notes_of, published
from devinit.runtime.common import all_client_names, misleading_names
from devinit.runtime.environment import environment, names_by_itself, runtime_of, service_environment
from devinit.runtime.origins import Origin, origin_of
from devinit.runtime.templates import check_together, expand_command

if TYPE_CHECKING:
    from devinit.runtime.dotenv import Stated
    from devinit.runtime.forms.statement import Decision


class EnvFiles(Protocol):
    """Provides the `.env` files of services; a supervisor also reads named pipes, a mere query does not."""

    def env_files_of(self, service: Service) -> tuple[Path, ...]:
        """Return the files of a service; later ones have priority."""
        ...

    def files_of(self, service: Service, caller: dict[str, str]) -> dict[str, Stated]:
        """Return the values in these files. Raise ConfigError for an unusable one."""
        ...


class Derived(NamedTuple):
    """Everything that follows from a configuration, its ports, and the files of the project."""

    endpoints: dict[str, Endpoint]
    standard: dict[str, str]
    """The runtime environment with devinit's own names and forms."""
    decided: dict[str, dict[str, Decision]]
    """Service → decisions on the variables that the project sets itself."""
    environment: dict[str, str]
    """The runtime environment for files and commands."""
    addresses: dict[str, str]
    """Address of each service, current or expected: one value that the hundreds of services share."""


NOTHING = Derived({}, {}, {}, {}, {})


class Environments:
    """Derives environments; files are read again when they have changed."""

    def __init__(self, root: Path, given: EnvFiles) -> None:
        self._given = given
        self._own_names = OwnNames(root)
        self._noted: set[str] = set()

    def read_code(self, project: Project) -> None:
        """Read again which environment the code of the services expects. Blocking."""
        self._own_names.read_code(project)

    def derived(self, project: Project, endpoints: dict[str, Endpoint], caller: dict[str, str]) -> Derived:
        """Return what follows for a project with these endpoints."""
        standard = environment(project, endpoints, base=caller)
        decided = {
            name: self._own_names.decided(
                project, endpoints, standard, service, self._files_of(project, service, caller)
            )
            for name, service in project.services.items()
            if kind_of(service).takes_environment
        }
        addresses = {name: each.url or f"{each.host}:{each.port}" for name, each in endpoints.items()}
        return Derived(endpoints, standard, decided, published(standard, project, decided), addresses)

    def whole(
        self, project: Project, derived: Derived, service: Service, caller: dict[str, str]
    ) -> tuple[dict[str, str], dict[str, str]]:
        """Return the whole environment of a service, and the part that is missing in the runtime environment.

        Raise ConfigError for an unusable `.env` file or template.
        """
        stated = self._stated(project, service, caller)
        runtime = runtime_of(project, derived.endpoints, service, derived.standard)
        # Not taken from `derived`: a restarted service reads the current content of its files.
        decided = self._own_names.decided(project, derived.endpoints, derived.standard, service, stated)
        decided = {
            name: each
            for name, each in decided.items()
            if not is_callers(name, each, derived.standard, caller)
        }
        files = {
            name: each.value
            for name, each in stated.items()
            if name not in decided or not decided[name].is_of_another_file(each.value)
        }
        values = service_environment(
            service,
            derived.endpoints[service.name],
            runtime,
            caller=caller,
            files=files,
            decided=decided,
            by_itself=self._by_itself(project, derived) if service.left_out else (),
            misleading=misleading_names(project, derived.endpoints, service),
        )
        beside = (*files, *service.env, *(name for name, each in decided.items() if each.is_given))
        return values, {name: values[name] for name in beside if name in values}

    def origins(
        self, project: Project, derived: Derived, service: Service, caller: dict[str, str]
    ) -> dict[str, Origin]:
        """Return the origin of each variable of a service that differs from the caller's. Raise ConfigError."""
        values, _ = self.whole(project, derived, service, caller)
        stated = self._stated(project, service, caller)
        files = {name: (each.value, self._own_names.place(each)) for name, each in stated.items()}
        decided = self._own_names.decided(project, derived.endpoints, derived.standard, service, stated)
        explicit = dict.fromkeys(project.environment, "[environment]")
        explicit |= dict.fromkeys(service.env, f"services.{service.name}.env")
        return {
            name: origin_of(name, value, files=files, decided=decided, explicit=explicit)
            for name, value in values.items()
            if caller.get(name) != value
        }

    def obstacle_to(
        self, command: str, project: Project, derived: Derived, service: Service, caller: dict[str, str]
    ) -> str | None:
        """Return why a detected command in `before_start` does not run; None when it does."""
        if is_stated(project, service.name):
            return None
        values, _ = self.whole(project, derived, service, caller)
        given = Environment(values, self._stated(project, service, caller), caller)
        return self._own_names.obstacle_to(command, project, derived.endpoints, service, given)

    def news(self, derived: Derived) -> list[str]:
        """Return notes for the developer on the project's own values, each only once."""
        found = [text for text in notes_of(derived.decided) if text not in self._noted]
        self._noted.update(found)
        return found

    def _stated(self, project: Project, service: Service, caller: dict[str, str]) -> dict[str, Stated]:
        """Return the values in the `.env` files of a service.

        A PORT in a file that a server reads as well belongs to that server, and not to a worker beside it.
        """
        stated = self._given.files_of(service, caller)
        if service.port is None and "PORT" in stated:
            servers = (each for each in project.services.values() if each.port is not None)
            if any(stated["PORT"].path in self._given.env_files_of(each) for each in servers):
                del stated["PORT"]
        return stated

    def _by_itself(self, project: Project, derived: Derived) -> frozenset[str]:
        return frozenset(names_by_itself(project, derived.endpoints)) | all_client_names()

    def _files_of(self, project: Project, service: Service, caller: dict[str, str]) -> dict[str, Stated]:
        """Return the values in the `.env` files of a service; empty if one is unusable: its start reports that."""
        try:
            return self._stated(project, service, caller)
        except ConfigError:
            return {}


def is_callers(name: str, decision: Decision, standard: Mapping[str, str], caller: Mapping[str, str]) -> bool:
    """Return whether the caller's shell sets a variable of which the project only has the form.

    A shell that has loaded `.env.runtime` has the value from devinit, perhaps from an earlier start.
    """
    is_form = decision.is_given and decision.is_form_only and name not in standard
    return is_form and name in caller and "DEVINIT_PROJECT" not in caller


def is_stated(project: Project, service: str) -> bool:
    """Return whether devinit.toml, and not detection, states the `before_start` of a service."""
    evidence = project.evidence.get(service, ())
    if not evidence:
        return project.source is not None
    return any(
        each.file == CONFIGURATION_FILE and "before_start" in each.about.split(", ") for each in evidence
    )


def check_commands(service: Service, environment: Mapping[str, str]) -> None:
    """Raise ConfigError for a template in a service's commands that its environment does not fill in."""
    commands = {
        "command": (service.command,),
        "setup": service.setup,
        "before_start": service.before_start,
        "ready.exec": (service.ready.exec,),
        "health.exec": (service.health.exec if service.health else None,),
    }
    length = 0
    for key, texts in commands.items():
        here = f"services.{service.name}.{key}"
        for text in texts:
            if text is not None:
                length += len(expand_command(text, environment, key=here))
                check_together(length, key=here)
