"""The first devinit.toml of a project: the detected services, with further keys shown as comments."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from types import MappingProxyType

from msgspec import structs

from devinit.config.as_tables import (
    Value,
    discovery_keys,
    project_keys,
    service_keys,
    task_keys,
    with_left_out,
)
from devinit.config.problems import dotted
from devinit.config.secrets import without_secrets
from devinit.kinds import kind_of
from devinit.model.service import Project, Service
from devinit.text import one_line

_MOST_PLACES = 4
"""Named above a service; the first places identify it."""

_HEADER = """\
# How devinit starts this project: `devinit start all`. Unknown keys are refused, so a slip is found at once.
# Editors complete and check this file with the schema that `devinit schema` prints.
"""

_OVER_DETECTED = """\
#
# It lies over what devinit finds in this repository: a key here replaces one that was found. What was found stands
# in comments. `devinit init --explain` shows it as it is now, `services.NAME = false` leaves a service out, and
# `devinit init --full` writes a file that is all that counts.
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

_TASKS = """
# Commands that `devinit run NAME` runs, with the services that they need:
# [tasks.test]
# command = "pytest"
# service = "backend"                   # its folder, environment and tools
# depends_on = ["postgres"]
"""

_PROFILES = """
# Overrides, chosen with `--profile ci` or DEVINIT_PROFILE=ci:
# [profiles.ci]
# services.backend.range = "8000-8010"
"""


_COMMENTS = {
    "name": "the folder's name unless said otherwise",
    "detect": "this file is all that counts",
    "port": "preferred: when it is taken, the service moves to the next free one",
    "depends_on": "started when these are ready",
    "before_start": "before each start, after dependencies are ready",
}
"""The comments next to keys, each shown only at the first use of its key."""


def initial_toml(
    project: Project,
    found: Project | None = None,
    secrets: Mapping[str, str] = MappingProxyType({}),
    left_out: Collection[str] = (),
) -> str:
    """Return the text of a devinit.toml that load() reads back to the same project.

    Without `found`, the file is the whole configuration. With the detected project as `found`, the file is
    layered over it: equal values become comments. `secrets` of `.env` files are replaced by their
    variables (config.secrets). Services that are `left_out` are omitted, and a file over a detected
    project sets them to `false`.
    """
    comments = dict(_COMMENTS)
    for service in project.services.values():
        comments |= kind_of(service).own.comments
    keys = project_keys(project) | ({"detect": False} if found is None else {})
    parts = [_HEADER, _OVER_DETECTED if found else "", _table("project", keys, comments)]
    for service in project.services.values():
        if service.name in left_out:
            continue
        keys = dict(service_keys(service if found else _without(service, left_out), project))
        same = _keys_found(service, found)
        origin = _origin(service, project)
        keys, private = without_secrets(keys, secrets)
        same, _ = without_secrets(same, secrets)
        parts.append(_table(dotted(("services", service.name)), keys, comments, origin, same))
        parts.append(
            "".join(f"# {key} is not written: it holds a secret of a .env file\n" for key in private)
        )
    if left_out and found is not None:
        parts.append(_table("services", dict.fromkeys(left_out, False), {}))
    parts.append(_examples(project))
    parts.append(_FURTHER)
    if not project.tasks:
        parts.append(_TASKS)
    parts.extend(
        _table(dotted(("tasks", task.name)), dict(task_keys(task, project.root)), {})
        for task in project.tasks.values()
    )
    environment = _environment(project, secrets)
    same = {} if found is None else _environment(found, secrets)
    parts.append(_table("environment", environment, comments, same=same) or _ENVIRONMENT)
    parts.append(_table("discovery", discovery_keys(project), comments))
    parts.append(_PROFILES)
    return "".join(parts)


def _without(service: Service, left_out: Collection[str]) -> Service:
    """Return a service that does not wait for any of the services that are left out."""
    names = tuple(each for each in service.depends_on if each not in left_out)
    conditions = {name: each for name, each in service.conditions.items() if name in names}
    return structs.replace(service, depends_on=names, conditions=conditions)


def _environment(project: Project, secrets: Mapping[str, str]) -> dict[str, Value]:
    """Return `[environment]` without secrets."""
    kept, _ = without_secrets({"env": with_left_out(project.environment, project.left_out)}, secrets)
    values = kept.get("env", {})
    return values if isinstance(values, dict) else {}


def _keys_found(service: Service, found: Project | None) -> dict[str, Value]:
    """Return the keys of a service according to detection."""
    if found is None or service.name not in found.services:
        return {}
    return dict(service_keys(found.services[service.name], found))


def _examples(project: Project) -> str:
    """Return examples of services that were not found."""
    if not project.services:
        return f"\n# Nothing was detected here. Some services to begin with:\n#\n{_DATABASE}{_APPLICATIONS}"
    if project.source is None and all(not kind_of(each).runs_a_command for each in project.services.values()):
        databases = (name for name, each in project.services.items() if kind_of(each).has_databases)
        needs = next(databases, next(iter(project.services)))
        example = _APPLICATIONS.replace('"postgres"', f'"{needs}"')
        return f"\n# No application was detected here, only what it needs. To begin with:\n#\n{example}"
    return ""


def _origin(service: Service, project: Project) -> str:
    """Return the places from which a service was read, without their text, which may contain a secret."""
    places = dict.fromkeys(each.place for each in project.evidence.get(service.name, ()))
    # One line, whatever the name of a file: a line break would end the comment.
    return one_line("; ".join([*places][:_MOST_PLACES]))


def _table(
    name: str,
    keys: dict[str, Value],
    comments: dict[str, str],
    origin: str = "",
    same: Mapping[str, Value] = MappingProxyType({}),
) -> str:
    """Return a table in which values that are the `same` in the detected project are comments.

    A table that contains nothing else becomes a comment as a whole.
    """
    if not keys:
        return ""
    silent = {key for key, value in keys.items() if key in same and same[key] == value}
    lines = [*([f"# from {origin}"] if origin else []), f"{'# ' if silent == {*keys} else ''}[{name}]"]
    for key, value in keys.items():
        comment = comments.pop(key, None)
        line = f"{'# ' if key in silent else ''}{dotted((key,))} = {_toml(value)}"
        lines.append(f"{line:<39} # {comment}" if comment else line)
    return "\n" + "\n".join(lines) + "\n"


def _toml(value: Value) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            # JSON strings are valid in TOML, except for DEL, which TOML requires to be escaped.
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        case list():
            return "[" + ", ".join(_toml(each) for each in value) + "]"
        case dict():
            return "{ " + ", ".join(f"{dotted((key,))} = {_toml(each)}" for key, each in value.items()) + " }"
    return repr(value)
