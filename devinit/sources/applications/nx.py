"""Recognise the applications of an Nx workspace: projects with a target that starts a server.

A project is described by its `project.json`, by `nx.targets` in its package.json, or in the `projects` of a
workspace.json or angular.json. Packages with their own scripts are recognised by those scripts, not here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from devinit.model.defaults import LOCAL_HOST
from devinit.model.evidence import Evidence
from devinit.model.service import Readiness
from devinit.sources.applications import javascript
from devinit.sources.applications.node_ports import is_port
from devinit.sources.applications.package import Package
from devinit.sources.applications.tree import Tree, joined
from devinit.sources.applications.unit import PAGE, Finding, Role, Unit
from devinit.sources.applications.workspaces import manager_of
from devinit.sources.commands.migrations import RUN
from devinit.sources.files import table
from devinit.sources.jsonc import parse_jsonc
from devinit.sources.packages import CONFIGURATIONS, configured_port
from devinit.sources.shell import word

FILE = "nx.json"
_LISTS = ("workspace.json", "angular.json")
"""Files that describe all projects of a workspace."""
_TARGETS = ("serve", "dev", "start")
"""Targets that start a development server, the likeliest first."""
_PORT = "--port ${PORT}"
_HOST_AND_PORT = f"--host {LOCAL_HOST} {_PORT}"
_NAME = re.compile(r"@?[a-z][\w.:@/-]{0,100}")
_PAGES = {
    "vite:dev-server": ("Vite", 4200, _HOST_AND_PORT),
    "webpack:dev-server": ("webpack", 4200, _HOST_AND_PORT),
    "web:dev-server": ("webpack", 4200, _HOST_AND_PORT),
    "rspack:dev-server": ("Rspack", 4200, _HOST_AND_PORT),
    "build-angular:dev-server": ("Angular", 4200, _HOST_AND_PORT),
    "build:dev-server": ("Angular", 4200, _HOST_AND_PORT),
    "angular:dev-server": ("Angular", 4200, _HOST_AND_PORT),
    "angular:webpack-dev-server": ("Angular", 4200, _HOST_AND_PORT),
    "next:server": ("Next.js", 4200, _PORT),
    "next:dev-server": ("Next.js", 4200, _PORT),
    "nuxt:server": ("Nuxt", 3000, _PORT),
    "remix:serve": ("Remix", 3000, _PORT),
}
"""Executor without its scope → name of the server, its default port, and the options that set another port.

Source: the schemas of the executors in the packages of Nx and of Angular.
"""
_PROGRAMS = frozenset({"js:node", "node:node", "node:execute"})
"""Executors that run a build of the project's own program, which may read PORT."""
_DEVICES = re.compile(r"expo|react-native|storybook|cypress|playwright|electron|capacitor|detox")
_BY_CONFIGURATION = ("vite.config", "next.config")
"""Files for which the plugins of Nx infer a target: `serve` or `dev`."""
_USUAL_PORT = 3000


class _Project(Struct, frozen=True):
    """A project of the workspace."""

    name: str
    folder: str
    """Folder of its sources."""
    described: dict[str, Any]
    file: str
    """The file that describes it."""

    @property
    def targets(self) -> dict[str, Any]:
        """Its targets, keyed by name."""
        return table(self.described, "targets") or table(self.described, "architect")


def found_in(tree: Tree) -> Finding:
    """Return the applications of each Nx workspace, named as in the workspace."""
    units: list[Unit] = []
    notes: list[str] = []
    for top in (each for each in tree.folders if tree.has(each, FILE)):
        package = Package(tree, top, tree.package(top) or {}, manager_of(tree, top))
        migrate = package.migrations()
        for project in _projects(tree, top):
            made = _application(package, project)
            if isinstance(made, str):
                notes.append(made)
            elif made is not None:
                is_first = made.role is Role.BACKEND and all(
                    unit.role is not Role.BACKEND for unit in units if unit.folder == top
                )
                units.append(_migrating(made, *migrate) if is_first else made)
    return Finding(tuple(units), tuple(notes))


def _migrating(unit: Unit, commands: tuple[str, ...], said: tuple[Evidence, ...]) -> Unit:
    return replace(unit, before_start=commands, evidence=(*unit.evidence, *said))


def _projects(tree: Tree, top: str) -> Iterator[_Project]:
    """Yield the projects of a workspace without scripts of their own, each once."""
    seen: set[str] = set()
    for name in _LISTS:
        file = joined(top, name)
        for key, described in table(parse_jsonc(tree.text(file)), "projects").items():
            root = described.get("root") if isinstance(described, dict) else None
            if isinstance(root, str) and isinstance(described, dict) and ".." not in root.split("/"):
                seen.add(joined(top, root.strip("/")))
                yield _Project(key, joined(top, root.strip("/")), described, file)
    for folder in tree.below(top):
        if folder in seen or (folder != top and tree.has(folder, FILE)):
            continue
        package = tree.package(folder) or {}
        if any(isinstance(table(package, "scripts").get(each), str) for each in _TARGETS):
            continue
        file = joined(folder, "project.json")
        described = parse_jsonc(tree.text(file)) if tree.has(folder, "project.json") else None
        if not isinstance(described, dict):
            described, file = table(package, "nx"), joined(folder, "package.json")
        if described:
            stated = described.get("name") or package.get("name")
            name = stated if isinstance(stated, str) and stated else folder.rpartition("/")[2]
            yield _Project(name, folder, described, file)


def _application(package: Package, project: _Project) -> Unit | str | None:
    """Return the server of a project; a note when its executor is unknown; None without a server."""
    tree = package.tree
    is_library = project.described.get("projectType") == "library"
    if is_library or project.name.endswith("-e2e") or not _NAME.fullmatch(project.name.lower()):
        return None
    target = next((each for each in _TARGETS if isinstance(project.targets.get(each), dict)), None)
    if target is None:
        return _by_its_configuration(package, project)
    described: dict[str, Any] = project.targets[target]
    executor = str(described.get("executor") or described.get("builder") or "")
    options = table(described, "options")
    said = tree.seen("command", project.file, _position(tree.text(project.file), project, target, executor))
    command = f"{RUN[package.manager]} nx run {word(f'{project.name}:{target}')}"
    kind = executor.partition("/")[2] or executor
    if kind in _PAGES:
        title, usual, given = _PAGES[kind]
        stated = options.get("port")
        port, line = _configured(tree, project.folder) or (usual, None)
        if isinstance(stated, int) and is_port(str(stated)):
            text = tree.text(project.file)
            position = max(text.find(f'"port": {stated}', text.find(executor)), 0)
            port, line = stated, tree.seen("port", project.file, position)
        page = _page(package, project, title, f"{command} {given}")
        return replace(page, port=port, evidence=(said, *([line] if line else ())))
    if kind in _PROGRAMS:
        return _program(package, project, command, said)
    if _DEVICES.search(executor) or not executor:
        return None
    if executor == "nx:run-commands" or executor.endswith(":run-commands"):
        return _program(package, project, command, said) if _listening(tree, project) else None
    return (
        f"{said.place}: {project.name} is not started, because `{target}` runs {executor}, which devinit does not "
        f"know; a [services.{_name(project)}] with `{command}` in devinit.toml starts it"
    )


def _position(text: str, project: _Project, target: str, executor: str) -> int:
    """Return the position at which a file describes the target of a project."""
    start = max(text.find(f'"{project.name}"'), 0) if project.file.endswith(_LISTS) else 0
    begins = max(text.find(f'"{target}"', start), 0)
    return max(text.find(executor, begins), begins) if executor else begins


def _by_its_configuration(package: Package, project: _Project) -> Unit | None:
    """Return the server of a target that a plugin of Nx infers from a configuration file."""
    tree = package.tree
    names = tree.files.get(project.folder, ())
    name = next((each for each in names if each.startswith(_BY_CONFIGURATION)), None)
    is_next = name is not None and name.startswith("next.")
    if name is None or not (is_next or tree.has(project.folder, "index.html")):
        return None
    plugin = "@nx/next/plugin" if is_next else "@nx/vite/plugin"
    target = _target_of(tree, package.folder, plugin, "dev" if is_next else "serve")
    if target is None:
        return None
    command = f"{RUN[package.manager]} nx run {word(f'{project.name}:{target}')}"
    given = _PORT if is_next else _HOST_AND_PORT
    port, line = _configured(tree, project.folder) or (3000 if is_next else 5173, None)
    said = tree.seen("command", joined(project.folder, name), 0)
    title = "Next.js" if is_next else "Vite"
    page = _page(package, project, title, f"{command} {given}")
    return replace(page, port=port, evidence=(said, *([line] if line else ())))


def _target_of(tree: Tree, top: str, plugin: str, usual: str) -> str | None:
    """Return the name of the target that a plugin infers; None when the workspace does not use the plugin."""
    described = parse_jsonc(tree.text(joined(top, FILE)))
    plugins = described.get("plugins") if isinstance(described, dict) else None
    for each in plugins if isinstance(plugins, list) else []:
        if each == plugin:
            return usual
        if isinstance(each, dict) and each.get("plugin") == plugin:
            options = table(each, "options")
            stated = options.get("devTargetName") or options.get("serveTargetName")
            return stated if isinstance(stated, str) and stated else usual
    return None


def _page(package: Package, project: _Project, kind: str, command: str) -> Unit:
    return Unit(
        folder=package.folder,
        name=_name(project),
        role=Role.FRONTEND,
        kind=kind,
        language="node",
        command=command,
        ready=PAGE,
        env={"NG_CLI_ANALYTICS": "false"} if kind == "Angular" else {},
        warm="/" if kind == "Next.js" else None,
        uses_databases=kind in ("Next.js", "Nuxt", "Remix"),
    )


def _program(package: Package, project: _Project, command: str, said: Evidence) -> Unit:
    """Return the project's own program: a server if its code listens, else a worker."""
    tree = package.tree
    file = _listening(tree, project)
    use = javascript.port_of(javascript.plain(tree.text(file))) if file else None
    line = (tree.seen("port", file, use.position),) if file and use and use.usual else ()
    listens = (tree.seen("command", file, javascript.listens(tree.text(file)) or 0),) if file else ()
    return Unit(
        folder=package.folder,
        name=_name(project),
        role=Role.BACKEND if file else Role.WORKER,
        kind="Node",
        language="node",
        suffix="" if file else "worker",
        command=command,
        port=((use and use.usual) or _USUAL_PORT) if file else None,
        strict=use is not None and use.variable is None,
        port_env=(use.variable,) if use and use.variable and use.variable != "PORT" else (),
        ready=Readiness(),
        evidence=(said, *line, *listens),
    )


def _listening(tree: Tree, project: _Project) -> str | None:
    """Return the source file of a project that listens."""
    files = tree.sources(joined(project.folder, "src"), javascript.SUFFIXES)
    return next(
        (file for file in files if javascript.listens(javascript.plain(tree.text(file))) is not None), None
    )


def _configured(tree: Tree, folder: str) -> tuple[int, Evidence] | None:
    for name in CONFIGURATIONS:
        file = joined(folder, name)
        found = configured_port(javascript.plain(tree.text(file)))
        if found and is_port(str(found[0])):
            return found[0], tree.seen("port", file, found[1])
    return None


def _name(project: _Project) -> str:
    """Return a project's name as a service name: `api` for `@shop/api`."""
    return re.sub(r"[^a-z0-9-]+", "-", project.name.lower().rpartition("/")[2]).strip("-")
