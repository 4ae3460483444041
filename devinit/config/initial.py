"""Write the devinit.toml to begin with: what was detected, with the keys that come next shown as comments."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

from msgspec import Struct, structs

from devinit.config.discovery import usual_discovery_files
from devinit.config.problems import dotted
from devinit.kinds import USUAL, kind_of
from devinit.model.defaults import (
    DISCOVERY_REFRESH_SECONDS,
    LOCAL_HOST,
    port_range,
)
from devinit.model.port import Exhausted
from devinit.model.service import ExtraEndpoint, Health, LogLimits, Project, Readiness, RestartPolicy, Service
from devinit.text import one_line

_MOST_PLACES = 4
"""Named above a service: the first ones say what it is."""
Value: TypeAlias = "str | int | float | bool | list[Value] | dict[str, Value]"

_HEADER = """\
# How devinit starts this project: `devinit start all`. Unknown keys are refused, so a slip is found at once.
# Editors complete and check this file with the schema that `devinit schema` prints.
"""

_DATABASE = """\
# [services.postgres]
# provider = "postgres"                 # built in: nothing to install but devinit[embedded]
#
"""

_APPLICATIONS = """\
# [services.backend]
# command = "uvicorn app.main:app --host 127.0.0.1 --port ${PORT} --reload"
# directory = "backend"
# port = 8000
# depends_on = ["postgres"]
#
# [services.frontend]
# command = "npm run dev -- --port ${PORT}"
# directory = "frontend"
# port = 3000
# depends_on = ["backend"]
"""

_FURTHER = """
# More for a service:
#   range = "8000-8010"                 # ports it may move to (default: 100 from `port` on)
#   strict_port = true                  # never moved: the port is fixed elsewhere
#   setup = ["npm install"]             # runs when lock files have changed since it last succeeded
#   before_start = ["…"]                # runs before each start, after dependencies are ready
#   ready = { http = "/health" }        # or tcp = true, log = "regex", exec = "command", after = 2 (seconds)
#   env = { DEBUG = "1" }               # only for this service
#   env_file = ".env"                   # relative to this file
#   optional = true                     # its failure does not fail the start
#   autostart = false                   # started only by its name, or for a service that depends on it
"""

_ENVIRONMENT = """
# Variables for every service, in .env.runtime beside BACKEND_URL, CORS_ORIGINS, DATABASE_URL and the like:
# [environment]
# API_V1 = "${BACKEND_URL}/api/v1"
"""

_PROFILES = """
# Overrides, chosen with `--profile ci` or DEVINIT_PROFILE=ci:
# [profiles.ci]
# services.backend.range = "8000-8010"
"""


_COMMENTS = {
    "name": "the folder's name unless said otherwise",
    "port": "preferred: when it is taken, the service moves to the next free one",
    "depends_on": "started when these are ready",
    "before_start": "before each start, after dependencies are ready",
}
"""What is said beside a key where it is met first."""


def initial_toml(project: Project) -> str:
    """Return the text of a devinit.toml that load() reads back to the same project."""
    comments = dict(_COMMENTS)
    for service in project.services.values():
        comments |= kind_of(service).own.comments
    parts = [_HEADER, _table("project", _project_keys(project), comments)]
    for service in project.services.values():
        keys = dict(_service_keys(service, project))
        parts.append(_table(dotted(("services", service.name)), keys, comments, _origin(service, project)))
    parts.append(_examples(project))
    parts.append(_FURTHER)
    parts.append(_table("environment", {**project.environment}, comments) or _ENVIRONMENT)
    parts.append(_table("discovery", _discovery_keys(project), comments))
    parts.append(_PROFILES)
    return "".join(parts)


def _examples(project: Project) -> str:
    """Return examples of what was not found."""
    if not project.services:
        return f"\n# Nothing was detected here. Some services to begin with:\n#\n{_DATABASE}{_APPLICATIONS}"
    if project.source is None and all(not kind_of(each).runs_a_command for each in project.services.values()):
        databases = (name for name, each in project.services.items() if kind_of(each).has_databases)
        needs = next(databases, next(iter(project.services)))
        example = _APPLICATIONS.replace('"postgres"', f'"{needs}"')
        return f"\n# No application was detected here, only what it needs. To begin with:\n#\n{example}"
    return ""


def _origin(service: Service, project: Project) -> str:
    """Return the lines that a service was read from, without their words: they may hold a secret."""
    places = dict.fromkeys(each.place for each in project.evidence.get(service.name, ()))
    # One line, whatever a file is called: what follows a line break would be no comment.
    return one_line("; ".join([*places][:_MOST_PLACES]))


def _table(name: str, keys: dict[str, Value], comments: dict[str, str], origin: str = "") -> str:
    if not keys:
        return ""
    lines = [*([f"# from {origin}"] if origin else []), f"[{name}]"]
    for key, value in keys.items():
        comment = comments.pop(key, None)
        line = f"{dotted((key,))} = {_toml(value)}"
        lines.append(f"{line:<39} # {comment}" if comment else line)
    return "\n" + "\n".join(lines) + "\n"


def _toml(value: Value) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            # JSON's texts are TOML's, but for DEL, which TOML wants escaped.
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        case list():
            return "[" + ", ".join(_toml(each) for each in value) + "]"
        case dict():
            return "{ " + ", ".join(f"{dotted((key,))} = {_toml(each)}" for key, each in value.items()) + " }"
    return repr(value)


def _project_keys(project: Project) -> dict[str, Value]:
    keys: dict[str, Value] = {"name": project.name}
    if project.discovery_refresh_seconds != DISCOVERY_REFRESH_SECONDS:
        keys["discovery_refresh"] = project.discovery_refresh_seconds
    if project.discovery_per_process:
        keys["discovery_per_process"] = True
    if project.keep_ports:
        keys["keep_ports"] = True
    return keys


def _discovery_keys(project: Project) -> dict[str, Value]:
    usual = usual_discovery_files(project.services)
    keys: dict[str, Value] = {name: False for name in usual if name not in project.discovery}
    return keys | {name: file for name, file in project.discovery.items() if usual.get(name) != file}


def _service_keys(service: Service, project: Project) -> Iterator[tuple[str, Value]]:
    """Yield the keys that say what a service does not have by default."""
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
        yield "env", {**service.env}
    yield from _policy_keys(service)
    if not service.autostart:
        yield "autostart", False
    for key in ("optional", "warm", "url_path", "docs_path"):
        if value := getattr(service, key):
            yield key, value
    if service.external_url is not None:
        yield "url", service.external_url


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
            request.service.removeprefix(f"{service.name}."): _extra_port(
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
    # Even empty tables say something: that the service is asked while it is ready, and that it ends in the
    # process's way instead of its provider's.
    if service.health is not None:
        yield "health", _different(service.health, Health())
    if service.stop is not None:
        yield "stop", _different(service.stop, None)


def _different(value: Struct, usual: Struct | None) -> dict[str, Value]:
    """Return the keys of a table in which a value differs from the usual one; all of them without one."""
    keys: dict[str, Value] = {}
    for field in structs.fields(value):
        mine = getattr(value, field.name)
        if mine is not None and (usual is None or mine != getattr(usual, field.name)):
            keys[_key_of(field.name)] = list(mine) if isinstance(mine, tuple) else mine
    return keys


def _key_of(field: str) -> str:
    """Return the key of devinit.toml for a field of the model, whose name has the unit in it."""
    return field.removesuffix("_seconds").removesuffix("_bytes")


def _relative(path: Path, root: Path) -> str:
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)
