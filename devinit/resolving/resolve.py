"""Resolve a project to one value for exporters: configuration, ports, addresses, environment.

No supervisor is needed. Files are read, and nothing in the repository is run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from msgspec.structs import replace

from devinit.config.env_files import candidates, given_env_files
from devinit.config.secrets import secrets_of
from devinit.errors import ConfigError, DevinitError, StateFileError
from devinit.exporters.marking import is_as_written
from devinit.kinds import kind_of
from devinit.kinds.command import arguments, arguments_of_parts, needs_shell
from devinit.kinds.docker.serving import has_login
from devinit.kinds.providers import PROVIDERS, Place
from devinit.model.names import CONFIGURATION_FILE, DETECTION, port_variable, variable_prefix
from devinit.model.port import PortRequest
from devinit.model.resolved import (
    Command,
    Dependency,
    EnvFile,
    Reader,
    Resolved,
    ResolvedPort,
    ResolvedService,
    ResolvedTask,
    Role,
    Value,
)
from devinit.model.service import DatabaseSettings, Endpoint, Project, Scheme, Service
from devinit.resolving.at_rest import AtRest
from devinit.resolving.containers import EVERYWHERE, Places, command_inside, from_inside, is_for_browsers
from devinit.resolving.endpoints import endpoints_of
from devinit.resolving.environments import Derived, Environments
from devinit.resolving.images import container_of, image_of
from devinit.resolving.placeholders import given, placeholder, referred_to, value_of
from devinit.resolving.tools import tools_of
from devinit.runtime.dotenv import Stated, stated_in
from devinit.runtime.roles import backend_of, frontends_of
from devinit.runtime.templates import expand_command
from devinit.sources.commands.languages import language_of
from devinit.system.files import LARGEST_SETTINGS, read_text
from devinit.system.state_folders import state_folder

MANIFESTS = (
    *("requirements.txt", "pyproject.toml", "uv.lock", "poetry.lock", "Pipfile"),
    *("package.json", "package-lock.json", "pnpm-lock.yaml", "yarn.lock", "go.mod", "Gemfile"),
)


class Present(NamedTuple):
    """The current state of running services, where it differs from the files."""

    ports: Mapping[str, int] = MappingProxyType({})
    """Keyed by the name of the port."""
    schemes: Mapping[str, Scheme] = MappingProxyType({})
    """Schemes that services were found to use, keyed by service."""


NOTHING_RUNS = Present()


def resolve(rest: AtRest, reader: Reader, present: Present = NOTHING_RUNS) -> Resolved:
    """Return the resolved project. Raise ConfigError for an unusable template or `.env` file.

    On this machine, it has the current ports, else those of its last start. In containers, it has the preferred
    ports, which are the same for every reader of the file.
    """
    return _Resolving(rest, reader, present).resolved()


class QuietEnvFiles:
    """The `.env` files of services, without named pipes, whose writers wait for a start."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.hidden: set[str] = set()
        """Variables whose values are replaced by placeholders."""

    def env_files_of(self, service: Service) -> tuple[Path, ...]:
        """Return the files of a service; later ones have priority."""
        return tuple(each for each in given_env_files(self._root, service) if each.is_file())

    def files_of(self, service: Service, caller: dict[str, str]) -> dict[str, Stated]:
        """Return the values in these files. Raise ConfigError for an unusable one."""
        stated = stated_in(self.env_files_of(service), caller=caller)
        hidden = stated.keys() & self.hidden
        return stated | {name: stated[name]._replace(value=placeholder(name)) for name in hidden}


class _Resolving:
    """Resolves one project for one reader."""

    def __init__(self, rest: AtRest, reader: Reader, present: Present) -> None:
        self._rest, self._reader, self._present = rest, reader, present
        self._project = project = self._settled(rest.project)
        self._callers = referred_to(templates_of(project))
        self._base = {name: placeholder(name) for name in self._callers}
        self._files = QuietEnvFiles(project.root)
        self._secrets = secrets_beside(project, self._files, self._base)
        self._files.hidden = self._callers.intersection(self._secrets.values())
        self._endpoints = self._endpoints_of(project)
        self._environments = Environments(project.root, self._files)
        self._derived: Derived = self._environments.derived(project, self._endpoints, self._base)
        self._frontends = [variable_prefix(each.name) for each in frontends_of(project)]

    def resolved(self) -> Resolved:
        """Return the whole project."""
        project = self._project
        environment = self._rewritten(self._derived.environment)
        return Resolved(
            project=project.name,
            root=project.root,
            source=CONFIGURATION_FILE if project.source is not None else DETECTION,
            reader=self._reader,
            services=tuple(self._service(each) for each in project.services.values()),
            environment=_exported(environment, self._callers, self._secrets),
            tasks=tuple(
                ResolvedTask(name=each.name, description=each.description) for each in project.tasks.values()
            ),
        )

    def _settled(self, project: Project) -> Project:
        """Return the project with the names in its existing data, and with placeholders for passwords."""
        place = Place(
            project=project.name,
            root=project.root,
            data=Path(state_folder(project.root), "data"),
            environment={},
        )
        services = {
            name: with_placeholder(self._named(each, place)) for name, each in project.services.items()
        }
        return replace(project, services=services)

    def _named(self, service: Service, place: Place) -> Service:
        scheme = service.scheme or self._present.schemes.get(service.name)
        service = replace(service, scheme=scheme)
        if self._reader is Reader.CONTAINER:
            return service
        try:
            return PROVIDERS[service.provider].with_kept_names(service, place)
        except DevinitError:
            return service  # the start reports data that cannot be read

    @property
    def _is_inside(self) -> bool:
        return self._reader is Reader.CONTAINER

    def _endpoints_of(self, project: Project) -> dict[str, Endpoint]:
        def as_seen(service: Service) -> Service:
            # For other containers, its name is its address; the URL of its pages stays the one for browsers.
            is_here = self._is_inside and service.external_url is None
            return replace(service, host=service.name) if is_here else service

        found = endpoints_of(project, self._port_of, as_seen)
        if not self._is_inside:
            return found
        return {name: for_browsers(each, project.services.get(name)) for name, each in found.items()}

    def _port_of(self, request: PortRequest) -> int:
        if not self._is_inside:
            return self._present.ports.get(request.service) or self._rest.port_of(request)
        service = self._project.services.get(request.service)
        container = container_of(service) if service is not None else None
        return request.preferred if container is None else container.port

    def _places(self) -> Places:
        """Return the service and the container port for each port of this machine."""
        found: dict[int, tuple[str, int]] = {}
        for service in self._project.services.values():
            for request in service.port_requests if service.external_url is None else ():
                found.setdefault(request.preferred, (service.name, self._port_of(request)))
        return found

    def _rewritten(self, values: Mapping[str, str]) -> dict[str, str]:
        if not self._is_inside:
            return dict(values)
        places = self._places()
        return {
            name: text if is_for_browsers(name, self._frontends) else from_inside(text, places)
            for name, text in values.items()
        }

    def _environment(self, service: Service) -> tuple[dict[str, Value], dict[str, str]]:
        """Return the environment of a service as exported, and as its commands are expanded with it."""
        kind = kind_of(service)
        if not (kind.takes_environment or kind.in_container) or service.external_url is not None:
            return {}, self._base
        values, _ = self._environments.whole(self._project, self._derived, service, self._base)
        if kind.in_container:
            own = {name: values[name] for name in service.env if name in values}
            return _exported(self._rewritten(own), self._callers - {*own}, self._secrets), values
        stated = self._files.files_of(service, self._base)
        of_files = {
            name
            for name, each in stated.items()
            if values.get(name) == each.value
            and name not in service.env
            and name not in self._derived.standard
        }
        ours = self._rewritten({name: text for name, text in values.items() if name not in of_files})
        if self._is_inside and "HOST" in ours:
            ours["HOST"] = EVERYWHERE
        stated_here = {*service.env, *self._project.environment}
        return _exported(ours, self._callers - stated_here, self._secrets), {**values, **ours}

    def _service(self, service: Service) -> ResolvedService:
        root = self._project.root
        environment, known = self._environment(service)
        tools = tools_of(service, root)
        endpoint = self._endpoints[service.name]
        stop = PROVIDERS[service.provider].stop(service)
        container = None if service.external_url is not None else container_of(service)
        runs_here = service.external_url is None and not kind_of(service).in_container
        return ResolvedService(
            name=service.name,
            kind=service.provider,
            role=self._role(service),
            language=_language(service),
            folder=_shown(service.directory, root),
            command=self._command(service, service.command, known) if runs_here else None,
            tools=tuple(_shown(each, root) for each in tools),
            setup=tuple(filter(None, (self._command(service, each, known) for each in service.setup))),
            before_start=tuple(
                filter(None, (self._command(service, each, known) for each in service.before_start))
            ),
            host=service.host,
            port=self._resolved_port(service.port, endpoint),
            extra_ports=tuple(
                port
                for each in service.extra_ports
                if (port := self._resolved_port(each, self._endpoints[each.service])) is not None
            ),
            depends_on=tuple(Dependency(each, service.condition_of(each)) for each in service.depends_on),
            ready=service.ready,
            health=service.health,
            restart=service.restart,
            stop_signal=stop.signal,
            grace_seconds=stop.grace_seconds,
            environment=environment,
            env_files=_env_files(service, root),
            autostart=service.autostart,
            once=service.once,
            image=None if container is None else image_of(container, environment),
            dockerfile=_dockerfile(service, root, is_exported=False),
            exported_dockerfile=_dockerfile(service, root, is_exported=True),
            manifests=tuple(each for each in MANIFESTS if (service.directory / each).is_file()),
        )

    def _resolved_port(self, request: PortRequest | None, endpoint: Endpoint) -> ResolvedPort | None:
        if request is None or endpoint.port is None:
            return None
        url = endpoint.url if endpoint.origins else None
        return ResolvedPort(
            name=request.service,
            number=endpoint.port,
            preferred=request.preferred,
            variable=port_variable(request.service),
            url=url,
        )

    def _command(self, service: Service, line: str | None, known: Mapping[str, str]) -> Command | None:
        if line is None:
            return None
        key = f"services.{service.name}.command"
        expanded = expand_command(line, known, key=key).strip()
        if self._is_inside:
            own = service.port.preferred if service.port is not None else None
            expanded = command_inside(expanded, own, self._places())
        words = arguments(expanded, key=key)
        return Command(
            line=value_of(expanded, self._secrets),
            words=tuple(value_of(each, self._secrets) for each in words),
            needs_shell=needs_shell(expanded, words[0]) if words[0] != "sh" else words[:2] == ("sh", "-c"),
        )

    def _role(self, service: Service) -> Role:
        backend = backend_of(self._project)
        if service.external_url is not None:
            return Role.ELSEWHERE
        if not kind_of(service).takes_environment and kind_of(service).keeps_data:
            return Role.DATA
        if service.port is not None and backend is not None and service.name == backend.name:
            return Role.BACKEND
        if service.name in {each.name for each in frontends_of(self._project)}:
            return Role.FRONTEND
        if self._project.is_job(service.name):
            return Role.JOB
        return Role.SERVER if service.port is not None else Role.WORKER


def _exported(values: Mapping[str, str], callers: set[str], secrets: Mapping[str, str]) -> dict[str, Value]:
    """Return variables in exported form, without those that the caller's shell sets anyway."""
    kept = {name: text for name, text in values.items() if name != "DEVINIT_PROJECT"}
    return given(kept, callers, secrets)


def secrets_beside(project: Project, files: QuietEnvFiles, caller: dict[str, str]) -> dict[str, str]:
    """Return the secrets in the `.env` files of a project, each with its variable.

    Templates (`${API_TOKEN}`) or a compose file have copied them into values and commands.
    """
    stated: dict[str, str] = {}
    for service in project.services.values():
        with suppress(ConfigError):  # the start of the service with this file reports the error
            stated |= {name: each.value for name, each in files.files_of(service, caller).items()}
    return {secret: name for secret, name in secrets_of(stated).items() if name}


def for_browsers(endpoint: Endpoint, service: Service | None) -> Endpoint:
    """Return the endpoint of pages with the URL for browsers: at the port of the machine, not of the container."""
    if service is None or service.port is None or endpoint.port in (None, service.port.preferred):
        return endpoint
    before, after = f"localhost:{endpoint.port}", f"localhost:{service.port.preferred}"
    if not endpoint.origins or endpoint.url is None:
        return endpoint
    return replace(
        endpoint,
        url=endpoint.url.replace(before, after, 1),
        origins=tuple(
            each.replace(f":{endpoint.port}", f":{service.port.preferred}") for each in endpoint.origins
        ),
    )


def with_placeholder(service: Service) -> Service:
    """Return a service with a placeholder in place of its password."""
    settings = service.settings
    if settings is None or "password" not in settings.__struct_fields__:
        return service
    has_one = isinstance(settings, DatabaseSettings) or getattr(settings, "password", None) is not None
    if not (has_one or (kind_of(service).in_container and has_login(service))):
        return service
    text = placeholder(f"{variable_prefix(service.name)}_PASSWORD")
    return replace(service, settings=replace(settings, password=text))  # type: ignore[type-var]  # it is a Struct


def templates_of(project: Project) -> Iterator[tuple[str, str]]:
    """Yield every text of a project that may refer to variables, with its key."""
    for name, text in project.environment.items():
        yield f"environment.{name}", text
    for service in project.services.values():
        place = f"services.{service.name}"
        for name, text in service.env.items():
            yield f"{place}.env.{name}", text
        if service.command:
            yield f"{place}.command", service.command
        for key, commands in (("setup", service.setup), ("before_start", service.before_start)):
            for command in commands:
                yield f"{place}.{key}", command


def _language(service: Service) -> str:
    parts = arguments_of_parts(service.command or "")
    return next((found for words in parts for each in words[:2] if (found := language_of(each))), "")


def _env_files(service: Service, root: Path) -> tuple[EnvFile, ...]:
    if not kind_of(service).takes_environment:
        return ()
    usual = [(each, False) for each in candidates(root, service)]
    stated = [(each, True) for each in service.env_file]
    return tuple(
        EnvFile(_shown(path, root), is_stated=is_stated, is_there=path.is_file())
        for path, is_stated in (*usual, *stated)
    )


def _dockerfile(service: Service, root: Path, *, is_exported: bool) -> str | None:
    """Return the Dockerfile of a service: the project's own, or with `is_exported` one from an earlier export."""
    path = service.directory / "Dockerfile"
    if not (kind_of(service).runs_a_command and path.is_file() and path.is_relative_to(root)):
        return None
    text = ""
    with suppress(StateFileError):  # a link out of the project, or not a text: a person's file
        text = read_text(path, inside=root, most=LARGEST_SETTINGS) or ""
    return _shown(path, root) if is_as_written(text) is is_exported else None


def _shown(path: Path, root: Path) -> str:
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)
