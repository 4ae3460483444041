"""The project as it is configured now, on the ports that it has now: what runners ask while they work."""

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
    from collections.abc import Mapping

    from devinit.logs.mask import Mask
    from devinit.model.status import LastError
    from devinit.runtime.forms.statement import Decision
    from devinit.runtime.origins import Origin
    from devinit.supervisor.diagnosis.build_errors import Gone

log = logging.getLogger(__name__)


class ProjectState:
    """The current configuration, ports and runtime environment of one project."""

    def __init__(self, root: Path, broadcaster: Broadcaster, private: Path | None = None) -> None:
        """Describe a checkout. `private`: its state folder, if it has been claimed already."""
        self.root = root
        self.private = private if private is not None else Path(claim(root))
        """The folder of the checkout's logs, data and records, in the user's state directory."""
        self.broadcaster = broadcaster
        self._around_service = around_service(root)
        """Of marks. Computed once: it is asked for at each step of each service, and stays while they run."""
        self.project = Project(name=root.name, root=root, services={})
        self.caller: dict[str, str] = dict(os.environ)
        """The environment that services inherit: of the command that started them last."""
        self.ports = ProjectPorts(root)
        self.environment: dict[str, str] = {}
        """The runtime environment, as it was published last."""
        self.given = Given(root, self.private)
        """What each service is given beside that."""
        self._environments = Environments(root, self.given)
        self._masked: dict[str, str] | None = None
        self._mask: Mask
        self.process_scan = ProcessScan()
        self._schemes = Schemes(self.private)
        self.last_errors = LastErrors(self.private, root, self._folder_of, self._tell_last_error)
        self.logs = LogKeeper(self.private, self.note, self._written)
        self.on_written: Callable[[str], None] = lambda _service: None
        """Called after a service has printed something, once a second at most."""
        self._current = NOTHING

    def _written(self, service: str) -> None:
        self.last_errors.look(service)
        self.on_written(service)

    def configure(
        self,
        project: Project,
        caller: dict[str, str],
        given: Mapping[str, Mapping[str, str]] = MappingProxyType({}),
    ) -> None:
        """Take over a configuration and the environment of the command that asked.

        `given`: what `check_project` has found that services are given.
        """
        own = own_environment(caller, self.root)
        # Computed before anything is replaced: a template that cannot be expanded leaves all as it was.
        derived = self._derived(project, own, ports_file.read(self.root))
        self.project, self.caller = project, own
        self._current, self.environment = derived, derived.environment
        for name, values in given.items():
            self.given.remember(name, values)

    def replace_service(self, service: Service) -> None:
        """Let one service be another one from here on, until the configuration is taken over again."""
        services = {**self.project.services, service.name: service}
        self.project = msgspec.structs.replace(self.project, services=services)

    def with_services(self, services: Mapping[str, Service]) -> ProjectState:
        """Return a stage for questions about these services as well, which are not among those of the project."""
        beside = copy.copy(self)
        beside.project = msgspec.structs.replace(self.project, services={**self.project.services, **services})
        beside.given = self.given.for_a_question()
        beside.derive()
        return beside

    def check_project(
        self, project: Project, caller: dict[str, str], coming: Iterable[str] = ()
    ) -> dict[str, dict[str, str]]:
        """Raise what `configure`, `publish` and the start of the `coming` services would raise; change nothing.

        Return what each of these is given by `.env` files and its own `env`. So nothing is stopped and no port is
        taken for a start that cannot go on: ConfigError for a template or a `.env` file that cannot be used,
        StateFileError for a file that cannot be read.
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
        """Read again what the code of a project's services expects of their environment. Blocking."""
        self._environments.read_code(project)

    def try_to_publish(self, project: Project, caller: dict[str, str]) -> None:
        """Raise what `publish` would raise once the ports are taken that were decided ahead; change nothing.

        So nothing is stopped for a start whose files cannot be written: StateFileError.
        """
        ports_file.refuse_link_to_another_file(self.root)
        own = own_environment(caller, self.root)
        derived = self._derived(project, own, ports_file.read(self.root), self.ports.ahead())
        self.ports.try_to_lease()
        self.ports.try_to_remember()
        try_to_publish(self.root, derived.environment, claimed_writer(self.private))

    def configure_for_adoption(self, project: Project, recorded: Project, caller: dict[str, str]) -> None:
        """Take over a configuration, or only what is on record of what runs.

        Neither a template nor a `.ports.json` that is broken now may keep a supervisor from looking after it.
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
        """Return what the runtime environment would be if services that have no port yet had these."""
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

        endpoints = endpoints_of(project, port_of, self._schemes.settled)
        return self._environments.derived(project, endpoints, caller)

    def publish(self) -> bool:
        """Write `.ports.json` and `.env.runtime`; return whether the environment changed."""
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
        """Remember what a service, or a further port of one, was found to speak, and publish its URL."""
        self._schemes.remember(name, scheme)
        self.publish()

    def provider(self, service: Service) -> Provider:
        """Return how this kind of service is run."""
        return PROVIDERS[service.provider]

    def probe(self, service: Service) -> Probe:
        """Return how a service is asked whether it is ready, or well."""
        if self.is_job(service):
            return EndProbe()
        return self.provider(service).probe(service, self.endpoint(service.name), self.place())

    def extra_probes(self, service: Service) -> dict[str, TcpProbe | HttpProbe]:
        """Return how a service is asked at further ports before it is ready, by their names."""
        return extra_probes(service, self._current.endpoints)

    def is_job(self, service: Service) -> bool:
        """Whether nothing else is expected of a service than that it ends."""
        return service.name in self.project.services and self.project.is_job(service.name)

    def success_of(self, service: Service) -> Success:
        """Return when it is no failure that a service ends with code 0."""
        return success_of(service, is_job=self.is_job(service))

    def time_limit(self, service: Service) -> float | None:
        """Return how many seconds a service may take to become ready; None for a job, which ends by itself."""
        return None if self.is_job(service) else service.ready.timeout_seconds

    def require_folder(self, service: Service) -> None:
        """Raise ServiceError when there is nothing left that a service could be started again on.

        A database that starts empty without a word would be worse than one that is down.
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
        """Return where services are brought up."""
        return Place(
            project=self.project.name,
            root=self.root,
            data=self.private / "data",
            environment=self.caller,
            color=wants_color(self.caller),
        )

    def place_of(self, service: Service) -> Place:
        """Return where one service is brought up; of a container, with the ports that its program may call."""
        is_called = kind_of(service).in_container
        called = called_by(self.project, service, self._current.endpoints) if is_called else {}
        return msgspec.structs.replace(self.place(), called=frozenset(called.values()))

    def endpoint(self, name: str) -> Endpoint:
        """Return where a service answers."""
        return self._current.endpoints[name]

    def check(self, service: Service) -> None:
        """Raise ConfigError for a `.env` file or a template that cannot be used, before anything is started."""
        check_commands(service, self.environment_of(service))

    def addresses(self) -> Mapping[str, str]:
        """Return where each service answers, or would: what the others are given about it."""
        return self._current.addresses

    def environment_of(self, service: Service) -> dict[str, str]:
        """Return the whole environment of a service's process."""
        values, beside = self._environments.whole(self.project, self._current, service, self.caller)
        self.given.remember(service.name, beside)
        return {**values, RUN_VARIABLE: self.marker(service.name)}

    def environment_beside(self, service: Service, caller: dict[str, str]) -> dict[str, str]:
        """Return the environment of a command that is run as a service is, without being one of its processes."""
        values, _ = self._environments.whole(self.project, self._current, service, caller)
        endpoint = self._current.endpoints.get(service.name)
        # A client that is run in the world of a server looks for that one: `devinit exec postgres -- psql`.
        return values if endpoint is None else values | client_names(service, endpoint)

    def misleading_names(self) -> frozenset[str]:
        """Return the variables of the caller that a command beside the services must not get."""
        return misleading_names(self.project, self._current.endpoints)

    def origins_of(self, service: Service) -> dict[str, Origin]:
        """Return where the variables of a service come from; nothing where a file cannot be used."""
        with contextlib.suppress(ConfigError):
            return self._environments.origins(self.project, self._current, service, self.caller)
        return {}

    def notes_about(self, service: str) -> list[str]:
        """Return what there is to say about values of the project's own that a service is given."""
        return notes_of({service: self.decisions_about(service)})

    def decisions_about(self, service: str) -> dict[str, Decision]:
        """Return what becomes of the values that the project itself gives for a service, by name."""
        return self._current.decided.get(service, {})

    def obstacle_to(self, command: str, service: Service) -> str | None:
        """Return why a command in `before_start` of a service is not run; None when it is."""
        return self._environments.obstacle_to(command, self.project, self._current, service, self.caller)

    def _note_secrets(self) -> None:
        """Leave for programs that show logs what services are given that must not be shown."""
        for name in self.given.missing(self.project.services):
            with contextlib.suppress(DevinitError):
                self.environment_of(self.project.services[name])
        if self.given.note_secrets():
            self._masked = None

    def process_spec(self, service: Service) -> ProcessSpec | None:
        """Return what to start for a service, or None for a server that devinit does not run."""
        provider, values = self.provider(service), self.environment_of(service)
        if isinstance(provider, ContainerProvider):
            values |= self._inside(service, provider.from_inside(service, self.place()))
        self._note_secrets()
        if service.command is not None:
            expanded = expand_command(service.command, values, key=f"services.{service.name}.command")
            service = msgspec.structs.replace(service, command=expanded)
        return provider.process(service, self.endpoint(service.name), self.place(), values)

    def _inside(self, service: Service, seen: FromInside) -> dict[str, str]:
        """Return the environment of a container, with the addresses at which it reaches the others."""
        endpoints = endpoints_inside(self.project, service, self._current.endpoints, seen)
        derived = self._environments.derived(self.project, endpoints, self.caller)
        return self._environments.whole(self.project, derived, service, self.caller)[0]

    def command_spec(
        self, service: Service, command: str, key: str, hidden: tuple[str, ...] = ()
    ) -> ProcessSpec:
        """Return how another command line of a service is run: of its set-up, its one-shots, its probe.

        `hidden`: virtual environments in its folder that the command is not to find.
        """
        values = self.environment_of(service)
        expanded = expand_command(command, values, key=f"services.{service.name}.{key}")
        return command_spec(expanded, service, self.place(), values, key=key, hidden=hidden)

    def stop_policy(self, service: Service) -> StopPolicy:
        """Return how a service is asked to end."""
        return self.provider(service).stop(service)

    def marker(self, name: str) -> str:
        """Return what a service's processes carry in their environment."""
        before, behind = self._around_service
        return f"{before}{name}{behind}"

    def note(self, message: str, service: str | None = None) -> None:
        """Tell something that the developer should know."""
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
        """Hides the project's secrets in texts for clients. Only `environment` contains them."""
        if self._masked is not self.environment:
            # Most starts tell nothing that could contain one.
            from devinit.logs.mask import Mask
            from devinit.logs.secrets import read

            own = read(self.private / SECRETS_FILE)
            self._mask, self._masked = Mask(self.environment, own), self.environment
        return self._mask
