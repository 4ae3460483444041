"""One service of a compose file as values: parsed once, then frozen."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from msgspec import Struct

from devinit.model.port import HIGHEST_PORT, LOWEST_PORT
from devinit.sources.compose.layers import normal
from devinit.sources.compose.project_files import ComposeProject
from devinit.sources.compose.variable import Variable
from devinit.sources.interpolation import Unreadable, expanded, missing, pieces_of
from devinit.sources.yaml_nodes import (
    Mapping,
    Node,
    Place,
    Scalar,
    Sequence,
    listed,
    mapping_of,
    text_of,
)

MOST_VARIABLES = 300
MOST_PORTS = 50
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PORT = re.compile(
    r"(?:(?P<address>\[[0-9a-fA-F:]{2,45}\]|[\w.-]{1,100}):)?(?:(?P<host>\d{0,5})(?:-\d{1,5})?:)?"
    r"(?P<container>\d{1,5})(?:-\d{1,5})?(?:/(?P<protocol>tcp|udp))?"
)


class Published(Struct, frozen=True):
    """A port of a container, and its port on the host."""

    container: int
    host: int | None
    """None if compose chooses one at each start."""
    at: Place


class Build(Struct, frozen=True, kw_only=True):
    """The build settings of a service's image."""

    context: Path
    dockerfile: Path
    target: str
    args: tuple[Variable, ...]
    at: Place


class Dependency(Struct, frozen=True):
    """A dependency on another service."""

    name: str
    condition: str
    """`service_started`, `service_healthy` or `service_completed_successfully`; empty if not stated."""
    required: bool
    at: Place


class Definition(Struct, frozen=True, kw_only=True):
    """A service as defined in its compose file."""

    name: str
    at: Place
    image: str
    image_at: Place
    build: Build | None
    command: tuple[str, ...] | None
    command_at: Place
    entrypoint: tuple[str, ...] | None
    environment: tuple[Variable, ...]
    problems: tuple[str, ...]
    """Notes about variables without a readable value."""
    env_files: tuple[tuple[Path, Place], ...]
    ports: tuple[Published, ...]
    exposed: tuple[int, ...]
    depends_on: tuple[Dependency, ...]
    health_test: tuple[str, ...]
    health_at: Place
    mounts: tuple[tuple[Path, PurePosixPath], ...]
    """Folders of the repository, with their mount points in the container."""
    volumes: tuple[PurePosixPath, ...]
    """The mount points of the container's own volumes."""
    working_dir: str
    profiles: tuple[str, ...]
    restart: str
    aliases: tuple[str, ...]
    """Other host names of the service for containers."""


def definition(name: str, at: Place, node: Mapping, project: ComposeProject) -> Definition:
    """Return the definition of a service in a compose file."""
    items = {key: normal(value, key) for key, value in node.items.items()}
    environment, problems = _variables(items.get("environment"), project)
    health = mapping_of(items.get("healthcheck")) or _EMPTY
    mounts, volumes = _volumes(items.get("volumes"), project)
    return Definition(
        name=name,
        at=at,
        image=project.plain(items.get("image")).strip(),
        image_at=node.keys.get("image", at),
        build=_build(items.get("build"), project),
        command=_words(items.get("command"), project),
        command_at=node.keys.get("command", at),
        entrypoint=_words(items.get("entrypoint"), project),
        environment=environment,
        problems=problems,
        env_files=tuple(_env_files(items.get("env_file"), project)),
        ports=tuple(_ports(items.get("ports"), project))[:MOST_PORTS],
        exposed=tuple(_exposed(items.get("expose"), project))[:MOST_PORTS],
        depends_on=tuple(_dependencies(items.get("depends_on"), project)),
        health_test=_words(health.items.get("test"), project) or (),
        health_at=health.keys.get("test", at),
        mounts=mounts,
        volumes=volumes,
        working_dir=project.plain(items.get("working_dir")),
        profiles=tuple(project.plain(each) for each in listed(items.get("profiles"))),
        restart=text_of(items.get("restart")),
        aliases=tuple(_aliases(items, project)),
    )


def _variables(node: Node | None, project: ComposeProject) -> tuple[tuple[Variable, ...], tuple[str, ...]]:
    """Return variables, and notes about those without a value."""
    found: list[Variable] = []
    problems: list[str] = []
    for name, value in [*(mapping_of(node) or _EMPTY).items.items()][:MOST_VARIABLES]:
        # A name alone passes on the environment's value, which a native process inherits anyway.
        if not isinstance(value, Scalar) or value.text is None or not _VARIABLE.fullmatch(name):
            continue
        try:
            pieces = pieces_of(value.text)
            if (required := missing(pieces, project.names)) is not None:
                problems.append(
                    f"{value.at}: {name} is left out: it needs {required}, which .env does not give"
                )
                continue
            found.append(Variable(name, pieces, expanded(pieces, project.names), value.at))
        except Unreadable as error:
            problems.append(f"{value.at}: {name} is left out: {error}")
    return tuple(found), tuple(problems)


def _build(node: Node | None, project: ComposeProject) -> Build | None:
    build = mapping_of(node)
    if build is None:
        return None
    context_node = build.items.get("context")
    context = project.plain(context_node) or "."
    if "://" in context or context.startswith("git@") or "\0" in context:
        return None
    folder = _path(context, context_node or build, project)
    file = project.plain(build.items.get("dockerfile")) or "Dockerfile"
    arguments = build.items.get("args")
    return Build(
        context=folder,
        dockerfile=Path(os.path.normpath(folder / file.replace("\0", ""))),
        target=project.plain(build.items.get("target")),
        args=_variables(normal(arguments, "args"), project)[0] if arguments else (),
        at=build.items["context"].at if "context" in build.items else build.at,
    )


def _path(text: str, node: Node, project: ComposeProject) -> Path:
    """Return a path in a node, resolved relative to the node's file."""
    return Path(os.path.normpath((project.bounds.root / node.at.file).parent / text))


def _words(node: Node | None, project: ComposeProject) -> tuple[str, ...] | None:
    """Return the words of a command; None if there is none."""
    match node:
        case Scalar(text=str()):
            try:
                return tuple(shlex.split(project.plain(node)))
            except ValueError:
                return (project.plain(node),)
        case Sequence():
            return tuple(project.plain(each) for each in listed(node))
    return None


def _env_files(node: Node | None, project: ComposeProject) -> Iterator[tuple[Path, Place]]:
    for each in node.items if isinstance(node, Sequence) else ():
        entry = mapping_of(each)
        path = entry.items.get("path") if entry else each
        text = project.plain(path)
        if path is not None and text and "\0" not in text:
            yield _path(text, path, project), path.at


def _ports(node: Node | None, project: ComposeProject) -> Iterator[Published]:
    for each in node.items if isinstance(node, Sequence) else ():
        if (entry := mapping_of(each)) is not None:
            container = _number(project.plain(entry.items.get("target")))
            if container is not None and project.plain(entry.items.get("protocol")) != "udp":
                yield Published(container, _number(project.plain(entry.items.get("published"))), each.at)
            continue
        found = _PORT.fullmatch(project.plain(each).strip())
        if found is None or found["protocol"] == "udp":
            continue
        # `8000:80` has no address; the pattern's `address` is the host port then.
        host = found["host"] if found["host"] is not None else found["address"]
        container = _number(found["container"])
        if container is not None:
            yield Published(container, _number((host or "").partition("-")[0]), each.at)


def _exposed(node: Node | None, project: ComposeProject) -> Iterator[int]:
    for each in listed(node):
        port = _number(project.plain(each).partition("/")[0])
        if port is not None:
            yield port


def _number(text: str) -> int | None:
    if not (text.isascii() and text.isdigit()) or len(text) > len(str(HIGHEST_PORT)):
        return None
    return int(text) if LOWEST_PORT <= int(text) <= HIGHEST_PORT else None


def _dependencies(node: Node | None, project: ComposeProject) -> Iterator[Dependency]:
    dependencies = mapping_of(node) or _EMPTY
    for name, value in dependencies.items.items():
        described = mapping_of(value) or _EMPTY
        condition = project.plain(described.items.get("condition"))
        is_required = project.plain(described.items.get("required")) != "false"
        yield Dependency(name, condition, is_required, dependencies.keys[name])


def _volumes(
    node: Node | None, project: ComposeProject
) -> tuple[tuple[tuple[Path, PurePosixPath], ...], tuple[PurePosixPath, ...]]:
    """Return the mounted folders of the repository, and the container's own volumes."""
    mounts: dict[PurePosixPath, Path] = {}
    volumes: list[PurePosixPath] = []
    for each in node.items if isinstance(node, Sequence) else ():
        entry = mapping_of(each)
        if entry is not None:
            source, target = (project.plain(entry.items.get(key)) for key in ("source", "target"))
        else:
            parts = project.plain(each).split(":")
            source, target = (parts[0], parts[1]) if len(parts) > 1 else ("", parts[0])
        if not target.startswith("/") or "\0" in source + target:
            continue
        if source.startswith((".", "/", "~")):
            mounts[PurePosixPath(target)] = _path(source, each, project)
        else:
            volumes.append(PurePosixPath(target))
    return tuple((source, target) for target, source in mounts.items()), tuple(volumes)


def _aliases(items: dict[str, Node], project: ComposeProject) -> Iterator[str]:
    for key in ("container_name", "hostname"):
        if name := project.plain(items.get(key)):
            yield name
    for network in (mapping_of(items.get("networks")) or _EMPTY).items.values():
        aliases = (mapping_of(network) or _EMPTY).items.get("aliases")
        yield from (project.plain(each) for each in listed(aliases))


_EMPTY = Mapping({}, {}, Place("", 0))
