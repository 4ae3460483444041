"""The variables of a compose service, adapted to a native process."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from shlex import quote

from msgspec import Struct, field

from devinit.model.evidence import Evidence
from devinit.sources.addresses import Network, added_ports, rewritten
from devinit.sources.compose.definition import Definition
from devinit.sources.compose.env_file import LONGEST_SUM, MOST_LINES, statements
from devinit.sources.compose.project_files import ComposeProject
from devinit.sources.compose.variable import Variable
from devinit.sources.files import read
from devinit.sources.interpolation import Unreadable, expanded, literal, pieces_of, template
from devinit.sources.yaml_nodes import Place
from devinit.system.bounds import ENV_FILE, Bounds

_PRODUCTION = re.compile(r"(?:[A-Z_]*_)?(?:ENV|ENVIRONMENT|MODE)=(?:production|prod)")
_PUBLIC = re.compile(r"(?:VITE|NEXT_PUBLIC|REACT_APP|PUBLIC|NUXT_PUBLIC|VUE_APP|EXPO_PUBLIC)_")
"""Prefixes of variables that a frontend's build reads; natively, its dev server reads them."""
_OF_A_SERVER = re.compile(r"API|BACKEND|SERVER|GRAPHQL")
"""Parts of the names of frontend variables for the address of the backend."""
_DEPLOYED = re.compile(r"(?:https|wss)://(?!localhost\b|127\.)[\w-]+(?:\.[\w-]+)+(?:[:/].*)?")
_FOLDERS = ("/app", "/code", "/usr/src", "/workspace")
"""The usual folders for code in containers."""
_FILE = re.compile(r"(?:sqlite(?:\+\w{1,20})?:///|file:(?://)?)?(/[^\s:?#]{1,400})")
"""An absolute path, also in a file URL: `sqlite:////app/shop.db`."""
_OWN = frozenset({"PORT", "HOST", "HOSTNAME", "PATH", "HOME", "USER", "VIRTUAL_ENV", "TZ"}) | {
    "CHOKIDAR_USEPOLLING",
    "WATCHPACK_POLLING",
}
"""Variables that devinit or the machine sets, or that only the mounts of a container need."""


class Given(Struct):
    """The environment of a native service, as derived so far."""

    env: dict[str, str] = field(default_factory=dict)
    files: list[Path] = field(default_factory=list)
    evidence: list[Evidence] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    folders: tuple[str, ...] = ()
    """The container's folders; a path in one of them does not exist on this machine."""
    missing: dict[str, list[str]] = field(default_factory=dict)
    """Servers that devinit does not run → the variables that refer to them."""
    reached: set[str] = field(default_factory=set)
    """The variable prefixes of all servers that it connects to."""
    is_certain: bool = True
    """Whether no variable with an address was left out."""


def environment_of(
    definition: Definition, network: Network, project: ComposeProject, directory: Path
) -> Given:
    """Return the environment of a service from its compose file, with addresses that are valid natively."""
    given = Given(
        notes=[*definition.problems],
        is_certain=not definition.problems,
        folders=container_folders(definition),
    )
    stated = {each.name: each for each in definition.environment}
    if definition.build is not None:
        for each in definition.build.args:
            if _PUBLIC.match(each.name):
                stated.setdefault(each.name, each)
    bounds = project.bounds
    own = dict.fromkeys((bounds.root / ENV_FILE, directory / ENV_FILE))
    read_anyway = {each.name: each for path in own for each in _variables_in(path, project)}
    from_files = {each.name: each for each in variables_of_files(definition, project)}
    _name_files(definition, bounds, directory, given)
    given_to_it = from_files | stated
    everything = read_anyway | given_to_it
    values = {name: each.value for name, each in everything.items()}
    for name, variable in everything.items():
        _give(variable, values, network, project.names, given, is_said=name in given_to_it)
    for name, port, value in added_ports(values, network):
        given.env[port] = value
        given.evidence.append(everything[name].at.evidence("env"))
    given.reached = {found for value in given.env.values() for found in prefixes_in(value, network)}
    return given


def variables_of_files(definition: Definition, project: ComposeProject) -> Iterator[Variable]:
    """Yield the variables of the `env_file` files; later files come later, and take precedence."""
    for path, _ in definition.env_files:
        yield from _variables_in(path, project)


def _variables_in(path: Path, project: ComposeProject) -> tuple[Variable, ...]:
    """Return the variables of a file if it lies in the project; it is read once for all services."""
    if path not in project.variables:
        is_inside = path.is_relative_to(project.bounds.root) and project.bounds.holds(path)
        project.variables[path] = tuple(_read_variables(path, project)) if is_inside else ()
    return project.variables[path]


def _read_variables(path: Path, project: ComposeProject) -> Iterator[Variable]:
    text = read(path, project.bounds)
    file = str(path.relative_to(project.bounds.root))
    lines = text.split("\n")[:MOST_LINES]
    length = 0
    for number, name, written in statements(text):
        try:
            pieces = pieces_of(written)
            value = expanded(pieces, project.names)
        except Unreadable:
            continue
        length += len(value)
        if length > LONGEST_SUM:
            return
        yield Variable(name, pieces, value, Place(file, number, lines[number - 1]), is_of_a_file=True)


def _name_files(definition: Definition, bounds: Bounds, directory: Path, given: Given) -> None:
    """Add the files that the process must be given; it reads the `.env` in its folder anyway."""
    for path, at in definition.env_files:
        if not path.is_relative_to(bounds.root) or not bounds.holds(path):
            given.notes.append(f"{at}: {path.name} lies outside of the project, and is not read")
        elif path in (bounds.root / ENV_FILE, directory / ENV_FILE):
            continue
        elif os.path.isfile(path):  # noqa: PTH113 - too long a path raises
            given.files.append(path)
        elif (example := _example_of(path)) is not None:
            source, target = (quote(str(each.relative_to(bounds.root))) for each in (example, path))
            given.notes.append(
                f"{at}: {path.relative_to(bounds.root)} is missing; `cp {source} {target}` makes it"
            )


def _example_of(path: Path) -> Path | None:
    """Return the file beside a missing file of variables that shows what belongs into it."""
    names = (f"{path.name}.{ending}" for ending in ("example", "sample", "template", "dist"))
    return next((found for name in names if os.path.isfile(found := path.with_name(name))), None)  # noqa: PTH113 - as above


def _give(
    variable: Variable,
    values: dict[str, str],
    network: Network,
    names: dict[str, str],
    given: Given,
    *,
    is_said: bool,
) -> None:
    """Add a variable; one from a file that the process reads anyway is added only if its value changes.

    `is_said`: whether the compose file gives it to the service, so that its omission needs a note.
    """
    name, value = variable.name, variable.value
    if name in _OWN:
        return
    if _PRODUCTION.fullmatch(f"{name}={value}") and is_said:
        given.notes.append(f"{variable.at}: {name}={value} is left out: it is for what was built before")
        return
    is_deployed = _PUBLIC.match(name) and _OF_A_SERVER.search(name) and _DEPLOYED.fullmatch(value)
    if (
        is_deployed
        and is_said
        and any(not each.is_data and each != network.own for each in network.hosts.values())
    ):
        given.notes.append(
            f"{variable.at}: {name} is left out: {value} is what was deployed, and not the server here; `env` "
            "of the service in devinit.toml says it"
        )
        return
    result = rewritten(name, value, values, network)
    for server in result.missing if is_said else ():
        given.missing.setdefault(server.name, []).append(name)
    for problem in result.problems if is_said else ():
        given.notes.append(f"{variable.at}: {name} is left out: {problem}")
    if result.missing or result.problems:
        given.is_certain = given.is_certain and not (
            result.problems or any(each.is_data for each in result.missing)
        )
        return
    if not result.changed and (inside := container_path(value, given.folders)) is not None:
        if is_said:
            given.notes.append(f"{variable.at}: {name} is left out: {inside} is a path in the container")
        return
    if not result.changed and variable.is_of_a_file:
        return
    text = result.template if result.changed else template(variable.pieces, names)
    if text in (f"${{{name}}}", f"${{{name}:-}}"):
        return
    given.env[name] = text
    given.evidence.append(variable.at.evidence("env"))


def container_path(value: str, folders: Iterable[str]) -> str | None:
    """Return the path in a value if it lies in one of the container's folders, which do not exist natively."""
    path = found[1] if (found := _FILE.match(value)) else ""
    return path if any(path == each or path.startswith(f"{each}/") for each in folders) else None


def container_folders(definition: Definition) -> tuple[str, ...]:
    """Return the folders that exist in a container, but usually not on this machine."""
    folders = (definition.working_dir, *(target for _, target in definition.mounts), *definition.volumes)
    return (*_FOLDERS, *(str(each).rstrip("/") for each in folders if str(each).strip("/")))


def prefixes_in(value: str, network: Network) -> Iterator[str]:
    """Yield the variable prefixes of the servers in a template."""
    for server in network.hosts.values():
        if server.prefix is not None and f"${{{server.prefix}_" in value:
            yield server.prefix


def native_folder(folder: Path, root: Path) -> str:
    """Return the template for a folder of the project."""
    relative = folder.relative_to(root).as_posix()
    return "${DEVINIT_PROJECT}" if relative == "." else f"${{DEVINIT_PROJECT}}/{literal(relative)}"
