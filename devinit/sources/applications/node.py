"""Recognise the programs of a Node package by its scripts, its dependencies and its source files."""

from __future__ import annotations

import re

from msgspec.structs import replace

from devinit.model.evidence import Evidence
from devinit.model.service import Readiness
from devinit.sources.applications import javascript
from devinit.sources.applications.node_ports import entry_of, port_of_a_program, port_of_a_tool, sources_of
from devinit.sources.applications.package import Package
from devinit.sources.applications.scriptless import server_of
from devinit.sources.applications.scripts import Run, harm_in, run_of, starts_several
from devinit.sources.applications.servers_of_node import (
    BUILDERS,
    DEVICES,
    DOCUMENTATION,
    PAGE_PACKAGES,
    RELOADERS,
    RUNNERS,
    SERVER_PACKAGES,
    TOOLS,
    Tool,
)
from devinit.sources.applications.tree import Tree, joined, parent
from devinit.sources.applications.unit import (
    NAMED_AS_BACKEND,
    NAMED_AS_FRONTEND,
    PAGE,
    Finding,
    Role,
    Unit,
    at,
)
from devinit.sources.applications.workspaces import manager_of, workspace_of
from devinit.sources.files import table

SCRIPTS = ("dev", "start:dev", "develop", "serve", "start")
"""Scripts that may start a development server, the likeliest first."""
_FILE = "package.json: "
_SECOND_SCRIPTS = (
    "server", "dev:server", "server:dev", "start:server", "api", "dev:api", "start:api", "backend", "dev:backend",
)  # fmt: skip
"""Scripts of a frontend package that start a backend beside it."""
_LIBRARIES = frozenset({"packages", "libs", "lib", "tooling", "plugins", "shared", "internal"})
_LIBRARY_BUILD = re.compile(r"\blib\s{0,20}:\s{0,20}\{\s{0,50}(?:entry|name|formats|fileName)\b")
_STDIO = re.compile(r"\bnew\s{1,9}StdioServerTransport\b")
"""Matches a server that communicates on standard input."""
_CONTEXT = re.compile(r"\bcreateApplicationContext\(")
"""Matches a program of NestJS without a server."""
_PLACEHOLDER = re.compile(r"\{\{|<%")
_BUILT = ("dist/", "build/", "out/", "lib/", ".output/")
_PORTS = {Role.BACKEND: 8000, Role.FRONTEND: 3000}
"""Default ports of servers whose code names none."""


def found_in(tree: Tree, folder: str) -> Finding:
    """Return the programs of the package in a folder; empty without a package."""
    described = tree.package(folder)
    if described is None:
        return Finding()
    file = joined(folder, "package.json")
    if placeholder := _PLACEHOLDER.search(tree.text(file)):
        place = tree.seen("command", file, placeholder.start()).place
        return Finding(
            notes=(f"{place}: a template that has to be filled in first; nothing of it is started",)
        )
    package = Package(tree, folder, described, manager_of(tree, folder))
    scripts = [each for each in SCRIPTS if isinstance(package.scripts.get(each), str)]
    script = next((each for each in scripts if not _only_builds(package, each)), None)
    script = script and (_page_among_several(package, script) or _reloading(package, script) or script)
    if script and (harm := harm_in(script, package.scripts)):
        return Finding(notes=(f"{at(folder, _FILE)}its `{script}` is left out: {harm}",))
    if script is None:
        server = server_of(package)
        return _told_of_its_database(package, Finding((server,) if server is not None else ()))
    finding = _told_of_its_database(package, _program(package, script))
    if not finding.units or finding.units[0].role is Role.BACKEND:
        return finding
    second = (
        _program(package, each).units
        for each in _SECOND_SCRIPTS
        if isinstance(package.scripts.get(each), str)
    )
    beside = next((units for units in second if units and units[0].role is Role.BACKEND), ())
    return Finding((*beside, *finding.units), finding.notes)


def _page_among_several(package: Package, script: str) -> str:
    """Return the script of the only page among several programs that a script starts; "" without one."""
    text = str(package.scripts[script])
    if not starts_several(text):
        return ""
    words = {each.removeprefix("npm:") for each in re.findall(r"[\w:*.-]+", text)}
    pages = [
        name
        for name in package.scripts
        if name != script
        and (name in words or any(each.endswith("*") and name.startswith(each[:-1]) for each in words))
        and (units := _program(package, name).units)
        and units[0].role is Role.FRONTEND
    ]
    return pages[0] if len(pages) == 1 else ""


def _reloading(package: Package, script: str) -> str:
    """Return the script that runs the same file and reloads it on changes; "" without one."""
    run = run_of(script, package.scripts)
    entry = entry_of(package, run) if run.words[:1] == ("node",) and "--watch" not in run.words else None
    if entry is None:
        return ""
    for name in package.scripts:
        other = run_of(name, package.scripts)
        reloads = bool(other.words) and (other.words[0] in RELOADERS or "--watch" in other.words)
        if reloads and entry_of(package, other) == entry:
            return name
    return ""


def _told_of_its_database(package: Package, finding: Finding) -> Finding:
    """Return the finding with a note if no command migrates the database of its server."""
    servers = [each for each in finding.units if each.uses_databases and each.port is not None]
    is_migrated = any(line.about == "before_start" for unit in servers for line in unit.evidence)
    note = "" if is_migrated or not servers else package.unmigrated()
    return replace(finding, notes=(*finding.notes, note)) if note else finding


def _only_builds(package: Package, script: str) -> bool:
    """Return whether a script builds and serves nothing."""
    run = run_of(script, package.scripts)
    if not run.words:
        return False
    tool = TOOLS.get(run.words[0])
    return run.words[0] in BUILDERS or (
        tool is not None and not _serves(tool, run) and "start" not in run.words
    )


def _program(package: Package, script: str) -> Finding:
    """Return the program that a script starts."""
    run = run_of(script, package.scripts)
    if run.inner and not run.takes_flags:
        # npm passes flags to the script that it runs, and no further.
        script, run = run.inner, run_of(run.inner, package.scripts)
    if not run.words:
        return _by_its_folder(package, script, run)
    program = run.words[0]
    tool = TOOLS.get(program)
    if program == "nest" and _answers_nothing(package):
        return Finding((_worker(package, script),))
    if tool is not None and _serves(tool, run):
        return Finding() if _is_library(package, tool) else Finding((_of_a_tool(package, script, run, tool),))
    if (tool := DOCUMENTATION.get(program)) is not None:
        unit = _of_a_tool(package, script, run, tool)
        return Finding((replace(unit, is_documentation=True),) if _serves(tool, run) else ())
    if name := DEVICES.get(program):
        return Finding(notes=(f"{at(package.folder)}{name} is not started by itself: it is no web server",))
    if program in RUNNERS:
        return _of_a_runner(package, script, run)
    return Finding() if program in BUILDERS or tool is not None else _by_its_folder(package, script, run)


def _answers_nothing(package: Package) -> bool:
    """Return whether a NestJS program only has an application context: it processes a queue and never listens."""
    texts = [javascript.plain(package.tree.text(file)) for file in sources_of(package)]
    return any(_CONTEXT.search(text) for text in texts) and not any(
        javascript.listens(text) is not None for text in texts
    )


def _serves(tool: Tool, run: Run) -> bool:
    if not tool.commands:
        return True
    first, *rest = (*run.words[1:], "")
    if first.startswith("-"):
        # A further word may be the value of an option: `vite --mode ssr`.
        return "build" not in rest and ("" in tool.commands or not tool.commands.isdisjoint(run.words))
    # The first word may also be a path: `vite ./web`.
    return first in tool.commands or ("" in tool.commands and not re.fullmatch(r"[a-z:-]+", first))


def _of_a_tool(package: Package, script: str, run: Run, tool: Tool) -> Unit:
    """Return the server that a known program starts."""
    is_backend = tool.role is Role.BACKEND
    reads_port = is_backend and not tool.given
    port = (
        port_of_a_program(package, script, run, tool.port)
        if reads_port
        else port_of_a_tool(package, script, run, tool)
    )
    has_assets = {"laravel-vite-plugin", "vite-plugin-ruby", "vite-plugin-rails"}.intersection(
        package.packages
    )
    uses_databases = tool.is_server or is_backend or "@sveltejs/kit" in package.packages
    before_start, migrations = package.migrations() if uses_databases else ((), ())
    return Unit(
        folder=package.folder,
        role=Role.ASSETS if has_assets else tool.role,
        kind="SvelteKit" if "@sveltejs/kit" in package.packages else tool.kind,
        language="node",
        command=package.running(script, "" if port.strict else tool.given),
        port=port.number,
        strict=port.strict,
        port_env=port.variable,
        before_start=before_start,
        ready=Readiness() if is_backend or has_assets else PAGE,
        env=dict(tool.env),
        # Next compiles its first page on the first request, which would take 10 to 20 s.
        warm="/" if tool.kind == "Next.js" else None,
        uses_databases=uses_databases,
        evidence=(*package.script_line(script), *port.said, *migrations),
    )


def _of_a_runner(package: Package, script: str, run: Run) -> Finding:
    """Return the program in the file that a script runs: a server or a queue worker."""
    entry = entry_of(package, run)
    if entry and _STDIO.search(package.tree.text(entry)):
        return Finding(notes=(f"{at(package.folder, _FILE)}an MCP server is started by those who use it",))
    texts = {file: javascript.plain(package.tree.text(file)) for file in sources_of(package)}
    listening = next(
        (file for file in (entry, *texts) if file and javascript.listens(texts.get(file, "")) is not None),
        None,
    )
    kind = next((name for each, name in SERVER_PACKAGES.items() if each in package.packages), "")
    if entry and javascript.works(texts.get(entry, "")) and listening != entry:
        return Finding((_worker(package, script),))
    if listening is None and not kind:
        return _by_its_folder(package, script, run)
    if listening is None and entry is None and package.folder.split("/")[0] in _LIBRARIES:
        return Finding()
    said: tuple[Evidence, ...] = ()
    if listening is not None:
        said = (package.tree.seen("command", listening, javascript.listens(texts[listening]) or 0),)
    unit = _server(package, script, run, kind or "Node")
    return Finding((replace(unit, evidence=(*unit.evidence, *said)),))


def _server(package: Package, script: str, run: Run, kind: str) -> Unit:
    """Return the project's own server."""
    # A script that runs beside the server of a page serves no pages.
    is_page = script not in _SECOND_SCRIPTS and _serves_pages(package)
    role = Role.FRONTEND if is_page else Role.BACKEND
    port = port_of_a_program(package, script, run, _PORTS[role])
    built = any(word.removeprefix("./").startswith(_BUILT) for word in run.words[1:])
    has_build = built and isinstance(package.scripts.get("build"), str)
    migrate, migrations = package.migrations()
    return Unit(
        folder=package.folder,
        role=role,
        kind=kind,
        language="node",
        command=package.running(script),
        port=port.number,
        strict=port.strict,
        port_env=port.variable,
        before_start=(*((package.running("build"),) if has_build else ()), *migrate),
        ready=PAGE if role is Role.FRONTEND else Readiness(),
        evidence=(*package.script_line(script), *port.said, *migrations),
    )


def _worker(package: Package, script: str) -> Unit:
    return Unit(
        folder=package.folder,
        role=Role.WORKER,
        kind="a worker",
        language="node",
        suffix="worker",
        command=package.running(script),
        evidence=package.script_line(script),
    )


def _serves_pages(package: Package) -> bool:
    """Return whether such a server also serves the pages of an application."""
    if not PAGE_PACKAGES.intersection(package.packages):
        return False
    has_page = any(
        package.tree.has(each, "index.html") for each in (package.folder, joined(package.folder, "client"))
    )
    return has_page or not {"vite"}.issuperset(PAGE_PACKAGES.intersection(package.packages))


def _by_its_folder(package: Package, script: str, run: Run) -> Finding:
    """Return an unknown program of a script if the name of its folder marks it as a server."""
    last = package.folder.rpartition("/")[2]
    if last not in NAMED_AS_BACKEND | NAMED_AS_FRONTEND:
        return Finding()
    role = Role.BACKEND if last in NAMED_AS_BACKEND else Role.FRONTEND
    words = str(package.scripts[script])
    notes: tuple[str, ...] = ()
    if starts_several(words) and _has_members(package):
        return Finding()  # each of them is detected by itself
    if starts_several(words):
        better = "one service for each is better"
        notes = (f"{at(package.folder, _FILE)}its script starts several programs ({words}); {better}",)
    port = port_of_a_program(package, script, run, _PORTS[role])
    migrate, migrations = package.migrations()
    unit = Unit(
        folder=package.folder,
        role=role,
        kind="Node",
        language="node",
        command=package.running(script),
        port=port.number,
        strict=port.strict,
        port_env=port.variable,
        before_start=migrate,
        evidence=(*package.script_line(script), *port.said, *migrations),
    )
    return Finding((unit,), notes)


def _has_members(package: Package) -> bool:
    """Return whether a package is the root of a workspace whose packages can be started."""
    tree, top = package.tree, package.folder
    return any(
        workspace_of(tree, folder) == top
        and any(name in table(tree.package(folder), "scripts") for name in SCRIPTS)
        for folder in tree.below(top)
        if folder != top and tree.has(folder, "package.json")
    )


def _is_library(package: Package, tool: Tool) -> bool:
    """Return whether a package is a library, whose development server only shows it to its authors."""
    if tool.kind != "Vite" or "@sveltejs/kit" in package.packages:
        return False
    names = [f"vite.config.{ending}" for ending in ("ts", "js", "mjs", "mts")]
    if any(_LIBRARY_BUILD.search(package.tree.text(joined(package.folder, name))) for name in names):
        return True
    described = package.described
    exports = "exports" in described or "publishConfig" in described or {"main", "types"} <= described.keys()
    is_inside = parent(package.folder).rpartition("/")[2] in _LIBRARIES
    return bool(exports) and (is_inside or not package.tree.has(package.folder, "index.html"))
