"""Export a complete compose file, which runs the project on a machine without devinit.

Data services run published images; programs are built from their folders. Commands before a start become
services that end. The file uses no keys that docker-compose 1.29 does not know.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from devinit.exporters.compose.images import DOCKERIGNORE, dockerfile_of, health_of
from devinit.exporters.exporter import Export, Exporter, File
from devinit.exporters.yaml import Anchored, Merged, Node, rendered
from devinit.model.resolved import (
    ContainerImage,
    Dependency,
    Reader,
    Resolved,
    ResolvedPort,
    ResolvedService,
    Role,
    Value,
)
from devinit.model.service import Condition, RestartMode

PATH = "compose.yaml"
SHARED = "environment"
_CONDITIONS = {
    Condition.STARTED: "service_started",
    Condition.READY: "service_healthy",
    Condition.COMPLETED: "service_completed_successfully",
}
_LOCAL = re.compile(r"(?:(?<=localhost:)|(?<=127\.0\.0\.1:))\d{1,5}(?!\d)")


def render(resolved: Resolved) -> Export:
    """Return the compose file, and a Dockerfile for each program without one."""
    stack = _Stack(resolved)
    document = _document(stack)
    if volumes := volumes_of(resolved):
        document["volumes"] = {each: {} for each in volumes}
    head = "".join(f"# {line}\n" for line in stack.head())
    text = head + rendered(document)
    return Export(
        files=(File(path=PATH, text=text),),
        beside=tuple(stack.beside()),
        without_beside=tuple(stack.without_beside()),
        notes=tuple(stack.notes()),
    )


def document_of(resolved: Resolved) -> dict[str, Node]:
    """Return the content of the file without its volumes, for exporters that derive another form from it."""
    return _document(_Stack(resolved))


def volumes_of(resolved: Resolved) -> list[str]:
    """Return the names of the file's volumes."""
    return [each for service in resolved.services if service.image for each in _volumes(service)]


def _document(stack: _Stack) -> dict[str, Node]:
    document: dict[str, Node] = {}
    if stack.shared:
        document[f"x-{SHARED}"] = Anchored(SHARED, stack.environment(stack.shared))
    return document | {"services": dict(stack.services())}


class _Stack:
    """The services of one project in the form of a compose file."""

    def __init__(self, resolved: Resolved) -> None:
        self._resolved = resolved
        self._by_name = {each.name: each for each in resolved.services if each.role is not Role.ELSEWHERE}
        self._programs = [each for each in self._by_name.values() if each.command is not None]
        self._ports = {
            port.preferred: port
            for each in self._by_name.values()
            for port in (*((each.port,) if each.port is not None else ()), *each.extra_ports)
        }
        self._passwords = {
            name
            for each in self._by_name.values()
            if each.image is not None
            for value in each.image.environment.values()
            for name in value.variables
        }
        self.shared = self._shared()

    def head(self) -> Iterator[str]:
        """Yield the comment lines at the head of the file."""
        yield "Start it with: docker compose up --build"
        if self._passwords:
            names = ", ".join(sorted(self._passwords))
            yield f"Passwords are not written here: put {names} into a .env file beside it,"
            yield "of letters, digits, - and _ alone: they become part of URLs."
        yield "A published port is another one where its variable says so: BACKEND_PORT=8001 docker compose up"

    def notes(self) -> Iterator[str]:
        """Yield the notes that the export prints."""
        if self._passwords:
            names = ", ".join(sorted(self._passwords))
            yield f"{names} not written: `docker compose --env-file .env.runtime up` or a .env file gives it"
        if others := [each.name for each in self._lacking() if dockerfile_of(each) is None]:
            yield f"no Dockerfile, and none that devinit could write: {', '.join(others)}"
        unbuilt = [
            each.name for each in self._by_name.values() if each.command is None and each.image is None
        ]
        if unbuilt:
            yield f"left out, having no image: {', '.join(unbuilt)}"
        if elsewhere := [each.name for each in self._resolved.services if each.role is Role.ELSEWHERE]:
            yield f"runs elsewhere, and is no service of the file: {', '.join(elsewhere)}"
        files = dict.fromkeys(
            file.path
            for each in self._programs
            for file in each.env_files
            if file.is_there and not file.is_stated
        )
        if files:
            yield f"not given to containers, because other machines lack them: {', '.join(files)}"

    def without_beside(self) -> Iterator[str]:
        """Yield the notes for an export that writes no Dockerfiles."""
        if written := [each.name for each in self._lacking() if dockerfile_of(each) is not None]:
            yield f"no Dockerfile: {', '.join(written)}; with --dockerfiles devinit writes one beside each"

    def _lacking(self) -> list[ResolvedService]:
        return [
            each for each in self._programs if each.dockerfile is None and each.exported_dockerfile is None
        ]

    def beside(self) -> Iterator[File]:
        """Yield a Dockerfile and a .dockerignore for each folder of a program without a Dockerfile."""
        folders: set[str] = set()
        for each in self._programs:
            is_first = each.folder not in folders and each.dockerfile is None
            if is_first and (text := dockerfile_of(each)) is not None:
                folders.add(each.folder)
                folder = "" if each.folder == "." else f"{each.folder}/"
                yield File(path=f"{folder}Dockerfile", text=text)
                yield File(path=f"{folder}.dockerignore", text=DOCKERIGNORE)

    def services(self) -> Iterator[tuple[str, Node]]:
        """Yield every service with its name, and the one-shot services for provisioning and `before_start`."""
        for each in self._by_name.values():
            if each.image is not None:
                yield each.name, self._server(each, each.image)
                if each.image.provision:
                    yield _provision(each), self._provision(each, each.image)
            elif each.command is not None:
                if each.before_start:
                    yield _before(each), self._before(each)
                yield each.name, self._program(each)

    def environment(self, values: Mapping[str, Value]) -> dict[str, Node]:
        """Return variables in the syntax of the file."""
        return {name: self._written(value) for name, value in values.items()}

    def _shared(self) -> dict[str, Value]:
        if len(self._programs) < 2:  # noqa: PLR2004 - one has nothing to share
            return {}
        first, *others = self._programs
        return {
            name: value
            for name, value in first.environment.items()
            if all(each.environment.get(name) == value for each in others)
        }

    def _server(self, service: ResolvedService, image: ContainerImage) -> dict[str, Node]:
        found: dict[str, Node] = {"image": image.name}
        if image.entrypoint:
            found["entrypoint"] = list(map(_escaped, image.entrypoint))
        if image.command:
            found["command"] = [self._written(each) for each in image.command]
        if image.environment:
            found["environment"] = self.environment(image.environment)
        if image.port:
            found |= self._published(service, image.port)
        own = [f"{_volume(service)}:{image.data}"] if image.data else []
        if volumes := [*own, *map(_escaped, image.mounts)]:
            found["volumes"] = volumes
        if waited := list(self._waited_for(service.depends_on)):
            found["depends_on"] = {name: {"condition": condition} for name, condition in waited}
        if image.health:
            found["healthcheck"] = _healthcheck(_escaped(image.health), 60)
        return found | {"restart": "unless-stopped"} | _profile(service)

    def _provision(self, service: ResolvedService, image: ContainerImage) -> dict[str, Node]:
        line = " && ".join(f"({self._written(each)})" for each in image.provision)
        found: dict[str, Node] = {
            "image": image.name,
            "command": ["sh", "-c", line],
            "environment": self.environment(image.provision_environment),
            "depends_on": {service.name: {"condition": "service_healthy"}},
            "restart": "no",
        }
        return found | _profile(service)

    def _program(self, service: ResolvedService) -> dict[str, Node]:
        found: dict[str, Node] = self._built(service)
        if service.dockerfile is None and service.command is not None:
            found["command"] = [self._written(each) for each in service.command.words]
        found |= self._given(service)
        if service.port is not None:
            found |= self._published(service, service.port.number)
        waited = list(self._waited_for(service.depends_on))
        if service.before_start:
            waited.append((_before(service), "service_completed_successfully"))
        if waited:
            found["depends_on"] = {name: {"condition": condition} for name, condition in waited}
        if health := health_of(service):
            found["healthcheck"] = _healthcheck(_escaped(health), service.ready.timeout_seconds)
        if service.stop_signal not in (None, "TERM"):
            found["stop_signal"] = f"SIG{service.stop_signal}"
        if service.grace_seconds is not None:
            found["stop_grace_period"] = f"{service.grace_seconds:g}s"
        return found | {"restart": _restart(service)} | _profile(service)

    def _before(self, service: ResolvedService) -> dict[str, Node]:
        line = " && ".join(self._written(each.line) for each in service.before_start)
        found = self._built(service) | {"command": ["sh", "-c", line]} | self._given(service)
        if waited := list(self._waited_for(service.depends_on)):
            found["depends_on"] = {name: {"condition": condition} for name, condition in waited}
        return found | {"restart": "no"} | _profile(service)

    def _built(self, service: ResolvedService) -> dict[str, Node]:
        context = service.folder if service.folder.startswith("/") else f"./{service.folder}".rstrip(".")
        return {"build": {"context": context.removesuffix("/") if context != "./" else "."}}

    def _given(self, service: ResolvedService) -> dict[str, Node]:
        found: dict[str, Node] = {}
        if files := [each.path for each in service.env_files if each.is_stated]:
            found["env_file"] = files
        own = {name: value for name, value in service.environment.items() if name not in self.shared}
        values = self.environment(own)
        found["environment"] = Merged(SHARED, values) if self.shared else values
        return found

    def _published(self, service: ResolvedService, number: int) -> dict[str, Node]:
        ports = [(service.port, number), *((each, each.number) for each in service.extra_ports)]
        return {
            "ports": [f"127.0.0.1:{_variable(port)}:{inside}" for port, inside in ports if port is not None]
        }

    def _waited_for(self, dependencies: Iterable[Dependency]) -> Iterator[tuple[str, str]]:
        for each in dependencies:
            service = self._by_name.get(each.service)
            if service is None or (service.command is None and service.image is None):
                continue
            if service.image is not None and service.image.provision and each.condition is Condition.READY:
                yield _provision(service), "service_completed_successfully"
            is_proven = service.image.health if service.image is not None else health_of(service)
            condition = (
                Condition.STARTED if each.condition is Condition.READY and not is_proven else each.condition
            )
            yield each.service, _CONDITIONS[condition]

    def _written(self, value: Value) -> str:
        def reference(name: str) -> str:
            return f"${{{name}:?is not set}}" if name in self._passwords else f"${{{name}}}"

        def literal(text: str) -> str:
            return _LOCAL.sub(self._as_published, _escaped(text))

        return value.written(reference, literal)

    def _as_published(self, found: re.Match[str]) -> str:
        """Replace the port in a localhost address by a variable, as it may be published on another port."""
        port = self._ports.get(int(found[0]))
        return found[0] if port is None else _variable(port)


def _variable(port: ResolvedPort) -> str:
    return f"${{{port.variable}:-{port.preferred}}}"


def _healthcheck(line: str, seconds: float) -> dict[str, Node]:
    return {
        "test": ["CMD-SHELL", line],
        "interval": "2s",
        "timeout": "5s",
        "retries": max(3, round(seconds / 2)),
    }


def _restart(service: ResolvedService) -> str:
    if service.role is Role.JOB or service.restart.mode is RestartMode.NEVER:
        return "no"
    if service.restart.mode is RestartMode.ALWAYS:
        return "unless-stopped"
    return f"on-failure:{service.restart.failures}"


def _profile(service: ResolvedService) -> dict[str, Node]:
    return {} if service.autostart else {"profiles": [service.name]}


def _volume(service: ResolvedService) -> str:
    return f"{service.name}-data"


def _volumes(service: ResolvedService) -> Iterator[str]:
    """Yield the volumes of a service with a published image."""
    assert service.image is not None  # noqa: S101 - only called for services with an image
    if service.image.data:
        yield _volume(service)
    yield from (each.partition(":")[0] for each in service.image.mounts if not each.startswith("."))


def _before(service: ResolvedService) -> str:
    return f"{service.name}-before-start"


def _provision(service: ResolvedService) -> str:
    return f"{service.name}-databases"


def _escaped(text: str) -> str:
    return text.replace("$", "$$")


EXPORTER = Exporter(name="compose", reader=Reader.CONTAINER, path=PATH, render=render)
