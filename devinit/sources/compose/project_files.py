"""The files of a compose project and the services in them: base, override, `include` and `extends`."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import TypeAlias

from msgspec import Struct, field, structs

from devinit.sources.compose.env_file import names_in
from devinit.sources.compose.layers import overlaid
from devinit.sources.compose.variable import Variable
from devinit.sources.files import read
from devinit.sources.interpolation import Unreadable, expanded, pieces_of
from devinit.sources.unreadable import problem_of_text
from devinit.sources.yaml_nodes import Mapping, Node, Place, listed, mapping_of, parsed, text_of
from devinit.system.bounds import Bounds, not_read

MOST_FILES = 20
MOST_SERVICES = 100
DEEPEST = 10
"""The maximum depth of services that extend services, and of files that include files."""
MOST_NOTES = 60
_ENV_FILE = ".env"
_FILES_VARIABLE, _PROFILES_VARIABLE, _SEPARATOR = "COMPOSE_FILE", "COMPOSE_PROFILES", "COMPOSE_PATH_SEPARATOR"


FileNames: TypeAlias = tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]
"""Names of bases, of overrides, and of files for development; the first existing one of each is read."""


class ComposeProject(Struct):
    """The contents of a compose project's files, as read so far."""

    bounds: Bounds
    names: dict[str, str] = field(default_factory=dict)
    """The values of `.env` for `${NAME}`."""
    of_included: dict[str, str | None] = field(default_factory=dict)
    """Those of them from beside included files; None for one that two of these files state differently."""
    origin: str = ""
    """The base file, relative to the project's folder."""
    services: dict[str, Mapping] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    variables: dict[Path, tuple[Variable, ...]] = field(default_factory=dict)
    """The contents of files of variables, as read so far."""
    documents: dict[str, Mapping | None] = field(default_factory=dict)
    """By file, relative to the project's folder; None for an unreadable one."""

    @property
    def profiles(self) -> frozenset[str]:
        """The profiles that `.env` activates."""
        return frozenset(self.names.get(_PROFILES_VARIABLE, "").replace(",", " ").split())

    def note(self, text: str) -> None:
        """Add a note once, up to a limit: a file of nonsense has a note for each line."""
        if len(self.notes) < MOST_NOTES and text not in self.notes:
            self.notes.append(text)

    def plain(self, node: Node | None) -> str:
        """Return a text with its variables substituted; "" if it is empty or unreadable."""
        text = text_of(node)
        if "$" not in text:
            return text
        try:
            return expanded(pieces_of(text), self.names)
        except Unreadable as error:
            at = node.at if node is not None else self.origin
            self.note(f"{at}: the value cannot be read: {error}")
            return ""


def compose_project(bounds: Bounds, files: FileNames, nested: Sequence[str] = ()) -> ComposeProject:
    """Return the project with the compose files in its folder, else with the first one nested in it."""
    project = ComposeProject(bounds)
    project.names = names_in(read(bounds.root / _ENV_FILE, bounds))
    base, *overrides = [*_chosen(bounds.root, project.names, files), ""]
    if not base and nested:
        base = nested[0]
        beside = names_in(read((bounds.root / base).parent / _ENV_FILE, bounds))
        project.names = project.names | beside
        for each in nested[1:]:
            project.note(
                f"{each} is not read, because {base} is; `{_FILES_VARIABLE}={each}` in .env chooses it"
            )
    project.origin = base
    services = _services_of(base, project, 0)
    for file in filter(None, overrides):
        for name, service in _services_of(file, project, 0).items():
            known = services.get(name)
            services[name] = _laid(known, service, known.at) if known else service
    for name in [*services][:MOST_SERVICES]:
        project.services[name] = _extended(name, services, project, ())
    if len(services) > MOST_SERVICES:
        project.note(f"{base}: only the first {MOST_SERVICES} of its services are looked at")
    for name in files[2] if base in files[0] else ():
        if name in overrides or not os.path.lexists(bounds.root / name):
            continue
        project.note(
            f"{name} is not read, because {base} is there; `{_FILES_VARIABLE}={base}:{name}` in .env adds it"
        )
    return project


def _chosen(root: Path, names: dict[str, str], files: FileNames) -> Iterator[str]:
    """Yield the files that compose would read, the base first."""
    stated = names.get(_FILES_VARIABLE, "").split(names.get(_SEPARATOR) or ":")
    if wanted := [os.path.normpath(each) for each in stated if each.strip()]:
        yield from wanted[:MOST_FILES]
        return
    bases, over, development = files
    base = next((name for name in (*bases, *development) if os.path.lexists(root / name)), None)
    if base is not None:
        yield base
        if base in bases:
            yield from [name for name in over if os.path.lexists(root / name)][:1]


def _services_of(file: str, project: ComposeProject, depth: int) -> dict[str, Mapping]:
    """Return the services of a file and of the files that it includes."""
    document = _document(file, project)
    if document is None:
        return {}
    services: dict[str, Mapping] = {}
    described = mapping_of(document.items.get("services")) or _NOTHING
    for name, node in described.items.items():
        service = mapping_of(node)
        if service is None:
            project.note(f"{node.at}: {name} is passed over, because it describes no service")
        else:
            services[name] = structs.replace(service, at=described.keys[name])
    for included in _included(document, project):
        if depth == DEEPEST:
            project.note(f"{file}: files that include files are followed {DEEPEST} levels deep")
            break
        _take_names(included, project)
        for name, service in _services_of(included, project, depth + 1).items():
            services.setdefault(name, service)
    return services


def _take_names(file: str, project: ComposeProject) -> None:
    """Take over what the `.env` beside an included file gives to variables, as far as the project's has no value.

    Compose keeps the names of each included file apart: a name that two of them state differently has no value.
    """
    folder = PurePosixPath(file).parent
    if "\0" in file or folder.is_absolute() or ".." in folder.parts or not folder.parts:
        return
    for name, value in names_in(read(project.bounds.root / folder / _ENV_FILE, project.bounds)).items():
        if name not in project.names and name not in project.of_included:
            project.names[name] = project.of_included[name] = value
        elif project.of_included.get(name, value) != value:
            project.of_included[name] = None
            project.names.pop(name, None)


def _included(document: Mapping, project: ComposeProject) -> Iterator[str]:
    node = document.items.get("include")
    for each in getattr(node, "items", ()) if not isinstance(node, Mapping) else ():
        entry = mapping_of(each)
        if entry is not None and "project_directory" in entry.items:
            project.note(f"{each.at}: not included, because it has a folder of its own (project_directory)")
            continue
        for path in listed(entry.items.get("path") if entry else each):
            yield _beside(path.at.file, project.plain(path))


def _beside(file: str, path: str) -> str:
    """Return a path in a file, relative to the project's folder."""
    return os.path.normpath(PurePosixPath(file).parent / path)


def _document(file: str, project: ComposeProject) -> Mapping | None:
    """Return the contents of a file; None, with a note, if it cannot be read."""
    if file not in project.documents:
        project.documents[file] = _read(file, project) if len(project.documents) < MOST_FILES else None
    return project.documents[file]


def _read(file: str, project: ComposeProject) -> Mapping | None:
    path, bounds = project.bounds.root / file, project.bounds
    if "\0" in file or not file:
        return None
    if target := bounds.target_beyond(path):
        is_link = path.is_relative_to(bounds.root) and ".." not in path.parts
        said = not_read(path, bounds.root, target) if is_link else f"{file} lies outside of the project"
        project.note(said if is_link else f"{said}, and is not read")
        return None
    if problem := problem_of_text(path, bounds):
        project.note(f"{file} cannot be read: {problem}")
        return None
    text = read(path, bounds)
    document = parsed(text, file)
    for each in document.problems:
        project.note(each)
    if document.root is None:
        if not document.problems:
            project.note(f"{file} is empty, or not there")
        return None
    if (root := mapping_of(document.root)) is None:
        project.note(f"{file} is no compose file")
    return root


def _extended(
    name: str, services: dict[str, Mapping], project: ComposeProject, seen: tuple[str, ...]
) -> Mapping:
    """Return a service merged over the one that it extends."""
    service = services[name]
    node = service.items.get("extends")
    if node is None:
        return service
    wanted = mapping_of(node)
    base = project.plain(wanted.items.get("service") if wanted else node)
    file = project.plain(wanted.items.get("file")) if wanted else ""
    others, place = services, service.at.file
    if file:
        place = _beside(node.at.file, file)
        others = _services_of(place, project, DEEPEST)
    key = f"{place}:{base}"
    if base not in others or key in seen or len(seen) == DEEPEST:
        project.note(f"{node.at}: {name} extends {base or 'nothing'}, which cannot be found")
        return service
    under = _extended(base, others, project, (*seen, key))
    return _laid(under, service, service.at)


def _laid(base: Mapping, over: Mapping, at: Place) -> Mapping:
    node = overlaid(base, over)
    return structs.replace(node, at=at) if isinstance(node, Mapping) else over


_NOTHING = Mapping({}, {}, Place("", 0))
