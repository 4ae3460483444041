"""The project as configured now, on the ports that it has now. Runners query it while they work."""

from __future__ import annotations

import contextlib
import copy
import logging
import os
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import msgspec

from devinit.errors import ConfigError, DevinitError, ServiceError
from devinit.kinds import kind_of
from devinit.kinds.command import command_spec
from devinit.kinds.contained import ContainerProvider, FromInside
from devinit.kinds.providers import PROVIDERS, Place, Provider
from devinit.logs import SECRETS_FILE
from devinit.model.names import ENVIRONMENT_FILE
from devinit.model.port import PortRequest
from devinit.model.probe import EndProbe, HttpProbe, Probe, TcpProbe
from devinit.model.process import ProcessSpec
from devinit.model.service import Endpoint, Project, Scheme, Service, StopPolicy
from devinit.ports.remembered import ports_file
from devinit.resolving.endpoints import endpoints_of, extra_probes
from devinit.resolving.environments import NOTHING, Derived, Environments, check_commands
from devinit.resolving.own_names import notes_of
from devinit.runtime.common import client_names, misleading_names
from devinit.runtime.dotenv import render
from devinit.runtime.inherited import own_environment
from devinit.runtime.publish import publish_environment, refuse_linked_environment, try_to_publish
from devinit.runtime.templates import expand_command
from devinit.supervisor.diagnosis.last_errors import LastErrors
from devinit.supervisor.events import Broadcaster
from devinit.supervisor.lifecycle import Success, success_of
from devinit.supervisor.logs.keeper import LogKeeper
from devinit.supervisor.processes.ending import ProcessScan
from devinit.supervisor.project.from_inside import called_by, endpoints_inside
from devinit.supervisor.project.given import Given, wants_color
from devinit.supervisor.project.other_state import runs_elsewhere
from devinit.supervisor.project.project_ports import ProjectPorts
from devinit.supervisor.readiness.schemes import Schemes
from devinit.system.checkout import claim
from devinit.system.paths import around_service
from devinit.system.processes import RUN_VARIABLE
from devinit.system.writer import TAKEN, claimed_writer, is_of_another

if TYPE_CHECKING:
    from devinit.logs.mask import Mask
    from devinit.model.status import LastError
    from devinit.runtime.forms.statement import Decision
    from devinit.runtime.names import Naming
    from devinit.runtime.origins import Origin
    from devinit.supervisor.diagnosis.build_errors import Gone

log = logging.getLogger(__name__)


class ProjectState:
    """The present configuration, ports and runtime environment of one project."""

    def __init__(self, root: Path, broadcaster: Broadcaster, private: Path | None = None) -> None:
        """Describe a checkout. `private`: its state folder, if it has been claimed already."""
        self.root = root
        self.private = private if private is not None else Path(claim(root))
        """The folder of the checkout's logs, data and records, in the user's state directory."""
        self.broadcaster = broadcaster
        self._around_service = around_service(root)
        """Parts of a mark around the service's name. Computed once: each step needs them, they never change."""
        self.project = Project(name=root.name, root=root, services={})
        self.caller: dict[str, str] = dict(os.environ)
        """The environment that services inherit, from the command that last started them."""
        self.ports = ProjectPorts(root)
        self.environment: dict[str, str] = {}
        """The runtime environment as last published."""
        self.given = Given(root, self.private)
        """The variables that each service is given besides that."""
        self._environments = Environments(root, self.given)
        self._masked: dict[str, str] | None = None
        self._mask: Mask
        self.process_scan = ProcessScan()
        self._schemes = Schemes(self.private)
        self.last_errors = LastErrors(self.private, root, self._folder_of, self._tell_last_error)
        self.logs = LogKeeper(self.private, self.note, self._written)
        self.on_written: Callable[[str], None] = lambda _service: None
        """Called after a service has printed something, at most once a second."""
        self._current = NOTHING
        self.naming: Naming | None = None  # without names

    def _written(self, service: str) -> None:
        self.last_errors.look(service)
        self.on_written(service)

    def configure(
        self,
        project: Project,
        caller: dict[str, str],
        given: Mapping[str, Mapping[str, str]] = MappingProxyType({}),
    ) -> None:
        """Apply a configuration and the environment of the command that asked.

        `given`: the variables of services, as returned by `check_project`.
        """
        own = own_environment(caller, self.root)
        # Computed before anything is replaced: a template that cannot be expanded then changes nothing.
        derived = self._derived(project, own, ports_file.read(self.root))
        self.project, self.caller = project, own
        self._current, self.environment = derived, derived.environment
        for name, values in given.items():
            self.given.remember(name, values)

    def replace_service(self, service: Service) -> None:
        """Replace one service until a configuration is applied again."""
        services = {**self.project.services, service.name: service}
        self.project = msgspec.structs.replace(self.project, services=services)

    def with_services(self, services: Mapping[str, Service]) -> ProjectState:
        """Return a copy for questions that also has these services, which do not belong to the project."""
        beside = copy.copy(self)
        beside.project = msgspec.structs.replace(self.project, services={**self.project.services, **services})
        beside.given = self.given.for_a_question()
        beside.derive()
        return beside

    def check_project(
        self, project: Project, caller: dict[str, str], coming: Iterable[str] = ()
    ) -> dict[str, dict[str, str]]:
        """Raise what `configure`, `publish` and the start of the `coming` services would raise; change nothing.

        Return the variables of each of these from `.env` files and its own `env`. So no service is stopped and no
        port is taken for a start that cannot go on: ConfigError for an unusable template or `.env` file,
        StateFileError for an unreadable file.
        """
        own = own_environment(caller, self.root)
        refuse_linked_environment(self.root)
        ports_file.refuse_link_to_another_file(self.root)
        derived = self._derived(project, own, ports_file.read(self.root))
        render(derived.environment)
        given = {}
        for service in (project.services[name] for name in coming):
            whole, beside = self._environments.whole(project, derived, service, own)
            check_commands(service, whole)
            given[service.name] = beside
        return given

    def read_code(self, project: Project) -> None:
        """Read again which environment variables the code of a project's services expects. Blocking."""
        self._environments.read_code(project)

    def try_to_publish(self, project: Project, caller: dict[str, str]) -> None:
        """Raise the errors that `publish` would raise once the ports decided ahead are taken; change nothing.

        So no service is stopped for a start whose files cannot be written: StateFileError.
        """
        ports_file.refuse_link_to_another_file(self.root)
        own = own_environment(caller, self.root)
        derived = self._derived(project, own, ports_file.read(self.root), self.ports.ahead())
        self.ports.try_to_lease()
        self.ports.try_to_remember()
        try_to_publish(self.root, derived.environment, claimed_writer(self.private))

    def configure_for_adoption(self, project: Project, recorded: Project, caller: dict[str, str]) -> None:
        """Apply a configuration, or only the record of the running services.

        A template or `.ports.json` that is broken now must not keep a supervisor from looking after them.
        """
        try:
            self.configure(project, caller)
        except DevinitError as error:
            log.warning("%s; using the recorded services", error.message)
            self._current = self._derived(recorded, caller, {})
            self.environment = self._current.environment
            self.project, self.caller = recorded, caller

    def derive(self) -> None:
        """Compute endpoints and the runtime environment from the configuration and the ports."""
        self._current = self._derived(self.project, self.caller, ports_file.read(self.root))
        self.environment = self._current.environment

    def environment_with(self, ports: dict[str, int]) -> dict[str, str]:
        """Return the runtime environment that would result if services without a port had these."""
        return self._derived(self.project, self.caller, {**ports_file.read(self.root), **ports}).environment

    def _derived(
        self,
        project: Project,
        caller: dict[str, str],
        remembered: Mapping[str, int],
        ahead: Mapping[str, int] = MappingProxyType({}),
    ) -> Derived:
        def port_of(request: PortRequest) -> int:
            granted = ahead.get(request.service) or self.ports.port_of(request.service)
            return granted if granted is not None else request.expected(remembered.get(request.service))

        endpoints = endpoints_of(project, port_of, self._schemes.settled, self.naming)
        return self._environments.derived(project, endpoints, caller)

    def publish(self) -> bool:
        """Write `.ports.json` and `.env.runtime`; return whether the environment has changed."""
        self.ports.remember()
        self.derive()
        writer = claimed_writer(self.private)
        is_taken = is_of_another(self.root, writer)
        changed, kept = publish_environment(self.root, self.environment, writer)
        if is_taken:
            self.note(f"{runs_elsewhere(self.root)}{TAKEN}")
        if kept is not None:
            self.note(
                f".env.runtime was not written by devinit: its former text is kept as {Path(kept).name}"
            )
        for text in self._environments.news(self._current):
            self.note(text)
        self._note_secrets()
        path = str(self.root / ENVIRONMENT_FILE)
        self.broadcaster.tell({"type": "environment", "at": time.time(), "path": path, "changed": changed})
        return changed

    def speaks(self, name: str, scheme: Scheme) -> None:
        """Record the scheme that a service, or one of its further ports, was found to speak; publish its URL."""
        self._schemes.remember(name, scheme)
        self.publish()

    def provider(self, service: Service) -> Provider:
        """Return the provider for this kind of service."""
        return PROVIDERS[service.provider]

    def probe(self, service: Service) -> Probe:
        """Return the probe for readiness and health of a service."""
        if self.is_job(service):
            return EndProbe()
        return self.provider(service).probe(service, self.endpoint(service.name), self.place())

    def extra_probes(self, service: Service) -> dict[str, TcpProbe | HttpProbe]:
        """Return the probes of further ports before a service is ready, by their names."""
        return extra_probes(service, self._current.endpoints)

    def is_job(self, service: Service) -> bool:
        """Return whether a service only has to end."""
        return service.name in self.project.services and self.project.is_job(service.name)

    def success_of(self, service: Service) -> Success:
        """Return when an end of a service with code 0 is no failure."""
        return success_of(service, is_job=self.is_job(service))

    def time_limit(self, service: Service) -> float | None:
        """Return how many seconds a service may take to become ready; None for a job, which ends by itself."""
        return None if self.is_job(service) else service.ready.timeout_seconds

    def require_folder(self, service: Service) -> None:
        """Raise ServiceError when the folders that a restart of a service needs are gone.

        A database that silently starts empty would be worse than one that is down.
        """
        if not self.root.is_dir():
            raise ServiceError(
                f"{self.root} does not exist any more", hint="`devinit status --all` shows more"
            )
        if kind_of(service).keeps_data and not self.private.is_dir():
            raise ServiceError(
                f"{self.private} was deleted while {service.name} ran",
                hint=f"`devinit start {service.name}` begins with empty data",
            )

    def place(self) -> Place:
        """Return the environment for bringing up services."""
        return Place(
            project=self.project.name,
            root=self.root,
            data=self.private / "data",
            environment=self.caller,
            color=wants_color(self.caller),
        )

    def place_of(self, service: Service) -> Place:
        """Return the place of one service; for a container, with the ports that its program may call."""
        is_called = kind_of(service).in_container
        called = called_by(self.project, service, self._current.endpoints) if is_called else {}
        return msgspec.structs.replace(self.place(), called=frozenset(called.values()))

    def endpoint(self, name: str) -> Endpoint:
        """Return the endpoint at which a service answers."""
        return self._current.endpoints[name]

    def check(self, service: Service) -> None:
        """Raise ConfigError for an unusable `.env` file or template before the service is started."""
        check_commands(service, self.environment_of(service))

    def addresses(self) -> Mapping[str, str]:
        """Return the present or future addresses of all services, as other services are given them."""
        return self._current.addresses

    def environment_of(self, service: Service) -> dict[str, str]:
        """Return the whole environment of a service's process."""
        values, beside = self._environments.whole(self.project, self._current, service, self.caller)
        self.given.remember(service.name, beside)
        return {**values, RUN_VARIABLE: self.marker(service.name)}

    def environment_beside(self, service: Service, caller: dict[str, str]) -> dict[str, str]:
        """Return the environment for a command that runs like a service without being one of its processes."""
        values, _ = self._environments.whole(self.project, self._current, service, caller)
        endpoint = self._current.endpoints.get(service.name)
        # A client in the environment of a server connects to that server: `devinit exec postgres -- psql`.
        return values if endpoint is None else values | client_names(service, endpoint)

    def misleading_names(self) -> frozenset[str]:
        """Return the variables of the caller that a command beside the services must not get."""
        return misleading_names(self.project, self._current.endpoints)

    def origins_of(self, service: Service) -> dict[str, Origin]:
        """Return the origins of a service's variables; none when a file is unusable."""
        with contextlib.suppress(ConfigError):
            return self._environments.origins(self.project, self._current, service, self.caller)
        return {}

    def notes_about(self, service: str) -> list[str]:
        """Return the notes about the project's own values that a service is given."""
        return notes_of({service: self.decisions_about(service)})

    def decisions_about(self, service: str) -> dict[str, Decision]:
        """Return the decisions about values that the project itself sets for a service, by name."""
        return self._current.decided.get(service, {})

    def obstacle_to(self, command: str, service: Service) -> str | None:
        """Return why a command in `before_start` of a service must not run; None when it may."""
        return self._environments.obstacle_to(command, self.project, self._current, service, self.caller)

    def _note_secrets(self) -> None:
        """Write the secret values that services are given for programs that show logs."""
        for name in self.given.missing(self.project.services):
            with contextlib.suppress(DevinitError):
                self.environment_of(self.project.services[name])
        if self.given.note_secrets():
            self._masked = None

    def process_spec(self, service: Service) -> ProcessSpec | None:
        """Return the process to start for a service; None for a server that devinit does not run."""
        provider, values = self.provider(service), self.environment_of(service)
        if isinstance(provider, ContainerProvider):
            values |= self._inside(service, provider.from_inside(service, self.place()))
        self._note_secrets()
        if service.command is not None:
            expanded = expand_command(service.command, values, key=f"services.{service.name}.command")
            service = msgspec.structs.replace(service, command=expanded)
        return provider.process(service, self.endpoint(service.name), self.place(), values)

    def _inside(self, service: Service, seen: FromInside) -> dict[str, str]:
        """Return the environment of a container, with the addresses at which it reaches other services."""
        endpoints = endpoints_inside(self.project, service, self._current.endpoints, seen)
        derived = self._environments.derived(self.project, endpoints, self.caller)
        return self._environments.whole(self.project, derived, service, self.caller)[0]

    def command_spec(
        self, service: Service, command: str, key: str, hidden: tuple[str, ...] = ()
    ) -> ProcessSpec:
        """Return how to run another command line of a service: of its set-up, its one-shots, its probe.

        `hidden`: virtual environments in its folder that the command must not find.
        """
        values = self.environment_of(service)
        expanded = expand_command(command, values, key=f"services.{service.name}.{key}")
        return command_spec(expanded, service, self.place(), values, key=key, hidden=hidden)

    def stop_policy(self, service: Service) -> StopPolicy:
        """Return how to ask a service to end."""
        return self.provider(service).stop(service)

    def marker(self, name: str) -> str:
        """Return the mark that a service's processes carry in their environment."""
        before, behind = self._around_service
        return f"{before}{name}{behind}"

    def note(self, message: str, service: str | None = None) -> None:
        """Send a note for the developer."""
        self.broadcaster.note(self.mask(message), service)

    def _folder_of(self, service: str) -> Path:
        found = self.project.services.get(service)
        return found.directory if found is not None else self.root

    def _tell_last_error(self, service: str, error: LastError | None, gone_by: Gone | None) -> None:
        told: LastError | None = {**error, "text": self.mask(error["text"])} if error is not None else None
        self.broadcaster.tell(
            {"type": "last_error", "at": time.time(), "service": service, "error": told, "gone_by": gone_by}
        )

    @property
    def mask(self) -> Mask:
        """The mask that hides the project's secrets in texts for clients. Only `environment` contains them."""
        if self._masked is not self.environment:
            # Most starts print no text that could contain one.
            from devinit.logs.mask import Mask
            from devinit.logs.secrets import read

            own = read(self.private / SECRETS_FILE)
            self._mask, self._masked = Mask(self.environment, own), self.environment
        return self._mask
