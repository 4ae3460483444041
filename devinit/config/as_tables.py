"""Conversion of a project to the tables of devinit.toml; `load` reads them back to the same project. Pure.

`devinit init` writes them, and the configuration file is layered over the tables of the
detected project (`layers`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from msgspec import Struct, structs

from devinit.config.discovery import usual_discovery_files
from devinit.kinds import USUAL, kind_of
from devinit.model.defaults import DISCOVERY_REFRESH_SECONDS, LOCAL_HOST, port_range
from devinit.model.names import within_service
from devinit.model.port import Exhausted
from devinit.model.project_keys import PlainProjectKeys
from devinit.model.service import (
    ExtraEndpoint,
    Health,
    LogLimits,
    PlainServiceKeys,
    Project,
    Readiness,
    RestartPolicy,
    Service,
)
from devinit.model.task import Task

Value: TypeAlias = "str | int | float | bool | list[Value] | dict[str, Value]"


def project_keys(project: Project) -> dict[str, Value]:
    """Return the keys of `[project]`."""
    keys: dict[str, Value] = {"name": project.name}
    if project.discovery_refresh_seconds != DISCOVERY_REFRESH_SECONDS:
        keys["discovery_refresh"] = project.discovery_refresh_seconds
    return keys | dict(_plain_keys(project, PlainProjectKeys))


def discovery_keys(project: Project) -> dict[str, Value]:
    """Return the keys of `[discovery]` that differ from the default."""
    usual = usual_discovery_files(project.services)
    keys: dict[str, Value] = {name: False for name in usual if name not in project.discovery}
    return keys | {name: file for name, file in project.discovery.items() if usual.get(name) != file}


def service_keys(service: Service, project: Project) -> Iterator[tuple[str, Value]]:
    """Yield the keys of a service that differ from its defaults."""
    if service.provider != USUAL.name:
        yield "provider", service.provider
    if service.command is not None:
        yield "command", service.command
    if service.directory != project.root:
        yield "directory", _relative(service.directory, project.root)
    if service.host != LOCAL_HOST:
        yield "host", service.host
    if service.scheme is not None:
        yield "scheme", service.scheme.value
    yield from _port_keys(service)
    yield from _own_keys(service, project)
    if service.oauth_redirect_ports:
        yield "oauth_redirect_ports", list(service.oauth_redirect_ports)
    if service.conditions:
        yield "depends_on", {name: service.condition_of(name).value for name in service.depends_on}
    elif service.depends_on:
        yield "depends_on", list(service.depends_on)
    for key in (
        "setup",
        "setup_inputs",
        "before_start",
        "port_env",
        "watch",
    ):
        if values := getattr(service, key):
            yield key, list(values)
    if service.env_file:
        yield "env_file", [_relative(path, project.root) for path in service.env_file]
    if service.env:
        yield "env", with_left_out(service.env, service.left_out)
    yield from _policy_keys(service)
    yield from _plain_keys(service, PlainServiceKeys)
    for key in ("once", "warm", "url_path", "docs_path"):
        if value := getattr(service, key):
            yield key, value
    if service.external_url is not None:
        yield "url", service.external_url


def task_keys(task: Task, root: Path) -> Iterator[tuple[str, Value]]:
    """Yield the keys of a task that differ from its defaults."""
    if task.description is not None:
        yield "description", task.description
    if task.label is not None:
        yield "label", task.label
    if task.confirm is not None:
        yield "confirm", task.confirm or True
    if task.key is not None:
        yield "key", task.key
    if len(task.commands) == 1:
        yield "command", task.commands[0]
    elif task.commands:
        yield "command", list(task.commands)
    if task.service is not None:
        yield "service", task.service
    elif task.directory != root:
        yield "directory", _relative(task.directory, root)
    if task.depends_on:
        yield "depends_on", list(task.depends_on)


def with_left_out(values: Mapping[str, str], left_out: Collection[str]) -> dict[str, Value]:
    """Return variables in the notation of devinit.toml: those that are left out become `false`."""
    return {name: False if name in left_out else value for name, value in values.items()}


def _plain_keys(value: Struct, declared: type[Struct]) -> Iterator[tuple[str, Value]]:
    for field in structs.fields(declared):
        if (stated := getattr(value, field.name)) != field.default:
            yield field.name, stated


def _port_keys(service: Service) -> Iterator[tuple[str, Value]]:
    requests = service.port_requests
    if service.port is not None:
        request = service.port
        yield "port", request.preferred
        if (request.first, request.last) != port_range(request.preferred, strict=request.strict):
            yield "range", f"{request.first}-{request.last}"
        if request.strict:
            yield "strict_port", True
    if service.extra_ports:
        extra: dict[str, Value] = {
            within_service(request.service): _extra_port(
                request.preferred, service.extra_endpoints.get(request.service)
            )
            for request in service.extra_ports
        }
        yield "extra_ports", extra
    policy = next((request.policy for request in requests if request.policy is not None), None)
    if policy is not None:
        yield "on_conflict", policy.value
    if any(request.exhausted is Exhausted.ANY for request in requests):
        yield "exhausted", Exhausted.ANY.value


def _extra_port(port: int, endpoint: ExtraEndpoint | None) -> Value:
    if endpoint is None:
        return port
    keys: dict[str, Value] = {"port": port}
    if endpoint.url_path:
        keys["url_path"] = endpoint.url_path
    if endpoint.scheme is not None:
        keys["scheme"] = endpoint.scheme.value
    if endpoint.ready:
        keys["ready"] = endpoint.http or True
    return keys


def _own_keys(service: Service, project: Project) -> Iterator[tuple[str, Value]]:
    """Yield the keys that the service's kind declares."""
    if service.settings is not None:
        keys = kind_of(service).own.stating(service.settings, project.name, project.root)
        yield from ((key, value) for key, value in structs.asdict(keys).items() if value is not None)


def _policy_keys(service: Service) -> Iterator[tuple[str, Value]]:
    tables: tuple[tuple[str, Struct, Struct], ...] = (
        ("ready", service.ready, Readiness()),
        ("restart", service.restart, RestartPolicy()),
        ("logs", service.logs, LogLimits()),
    )
    for key, value, usual in tables:
        if keys := _different(value, usual):
            yield key, keys
    # Even empty tables have a meaning: a ready service is checked regularly, and the process's own way of stopping
    # replaces that of its provider.
    if service.health is not None:
        yield "health", _different(service.health, Health())
    if service.stop is not None:
        yield "stop", _different(service.stop, None)


def _different(value: Struct, usual: Struct | None) -> dict[str, Value]:
    """Return the keys of a table whose values differ from the defaults; all keys if there are no defaults."""
    keys: dict[str, Value] = {}
    for field in structs.fields(value):
        mine = getattr(value, field.name)
        if mine is not None and (usual is None or mine != getattr(usual, field.name)):
            keys[_key_of(field.name)] = _written(field.name, mine)
    return keys


def _written(name: str, value: Any) -> Any:  # a field of a table, of any type
    """Return a value in the notation of its table: consecutive status codes become a range."""
    if not isinstance(value, tuple):
        return value
    if name == "status" and len(value) > 1 and value == tuple(range(value[0], value[-1] + 1)):
        return f"{value[0]}-{value[-1]}"
    return list(value)


def _key_of(field: str) -> str:
    """Return the key of devinit.toml for a field of the model, whose name contains the unit."""
    return field.removesuffix("_seconds").removesuffix("_bytes")


def _relative(path: Path, root: Path) -> str:
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)
