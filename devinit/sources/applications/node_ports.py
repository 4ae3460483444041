"""Find the port of a Node program in its script, its configuration or its source files."""

from __future__ import annotations

import re

from msgspec import Struct

from devinit.model.evidence import Evidence
from devinit.model.port import HIGHEST_PORT, LOWEST_PORT
from devinit.sources.applications import javascript
from devinit.sources.applications.package import Package
from devinit.sources.applications.scripts import Run, option
from devinit.sources.applications.servers_of_node import Tool
from devinit.sources.applications.tree import joined, parent
from devinit.sources.files import read
from devinit.sources.packages import CONFIGURATIONS, configuration_given, configured_port

_OF_ANGULAR = re.compile(r"\"port\"\s{0,20}:\s{0,20}(?P<port>\d{2,5})\b")
_ENV_FILES = (".env", ".env.local", ".env.development", ".env.example", ".env.sample", ".env.template")
_STATED = re.compile(r"^PORT[ \t]{0,20}=[ \t]{0,20}['\"]?(?P<port>\d{2,5})['\"]?[ \t\r]{0,20}$", re.MULTILINE)


class Port(Struct, frozen=True):
    """The default port of a program."""

    number: int
    strict: bool = False
    """Whether the port cannot change."""
    variable: tuple[str, ...] = ()
    """Further variables that hold it."""
    said: tuple[Evidence, ...] = ()


def port_of_a_tool(package: Package, script: str, run: Run, tool: Tool) -> Port:
    """Return the port of a known development server, which flags after the script can change."""
    is_told = bool(tool.given) and run.takes_flags
    written = option(run.words, tool.options)
    if is_port(written):
        return Port(int(written), not (is_told and tool.last_wins), (), package.script_line(script, "port"))
    stated = run.env.get("PORT", "")
    if is_port(stated):
        return Port(int(stated), not is_told, (), package.script_line(script, "port"))
    configured = _configured(package, run)
    number = configured[0] if configured else tool.port
    # A program that reads PORT needs no flags.
    return Port(number, bool(tool.given) and not run.takes_flags, (), configured[1] if configured else ())


def port_of_a_program(package: Package, script: str, run: Run, usual: int) -> Port:
    """Return the port of the project's own program, from its script, its source files or its env files."""
    stated = run.env.get("PORT", "")
    if is_port(stated):
        return Port(int(stated), strict=True, said=package.script_line(script, "port"))
    without: javascript.PortUse | None = None
    for file in _likely_sources(package, run):
        text = javascript.plain(package.tree.text(file))
        use = javascript.port_of(text)
        if use is not None and use.usual is not None:
            said = (package.tree.seen("port", file, use.position),)
            return Port(use.usual, use.variable is None, _aliases(use), said)
        without = without or use
    for name in _ENV_FILES:
        file = joined(package.folder, name)
        found = _STATED.search(package.tree.text(file))
        if found and is_port(found["port"]):
            return Port(
                int(found["port"]),
                variable=_aliases(without),
                said=(package.tree.seen("port", file, found.start()),),
            )
    return Port(usual, variable=_aliases(without))


def entry_of(package: Package, run: Run) -> str | None:
    """Return the source file that a script runs; None when it is unclear or missing."""
    for word in run.words[1:]:
        name = word.removeprefix("./")
        if not word.startswith("-") and ".." not in name.split("/") and not name.startswith("/"):
            for ending in ("", *javascript.SUFFIXES, "/index.ts", "/index.js"):
                file = joined(package.folder, f"{name}{ending}")
                is_there = package.tree.has(parent(file), file.rpartition("/")[2])
                if is_there and (file.endswith(javascript.SUFFIXES) or _is_run_by_node(package, file)):
                    return file
    return None


def _is_run_by_node(package: Package, file: str) -> bool:
    """Return whether a file without an extension is a Node script: `bin/www` of Express."""
    first = package.tree.text(file).partition("\n")[0] if "." not in file.rpartition("/")[2] else ""
    return first.startswith("#!") and "node" in first


def sources_of(package: Package) -> list[str]:
    """Return the source files of a package, without those of nested packages."""
    tree = package.tree
    inner = [
        each
        for each in tree.below(package.folder)
        if each != package.folder and tree.has(each, "package.json")
    ]
    return [
        file
        for file in tree.sources(package.folder, javascript.SUFFIXES)
        if not any(file.startswith(f"{each}/") for each in inner) and not _is_a_test(file)
    ]


def _likely_sources(package: Package, run: Run) -> list[str]:
    """Return the files that may name the port: the entry file, files that listen, and settings."""
    entry = entry_of(package, run)
    sources = sources_of(package)
    listening = [
        file for file in sources if javascript.listens(javascript.plain(package.tree.text(file))) is not None
    ]
    settings = [
        file
        for file in sources
        if re.search(r"env|config|settings|constants", file.rpartition("/")[2].lower())
    ]
    return [*dict.fromkeys((*([entry] if entry else ()), *listening, *settings))]


def _is_a_test(file: str) -> bool:
    return (
        ".test." in file
        or ".spec." in file
        or file.endswith((".d.ts", ".config.ts", ".config.js", ".config.mjs"))
    )


def _aliases(use: javascript.PortUse | None) -> tuple[str, ...]:
    return (use.variable,) if use is not None and use.variable and use.variable != "PORT" else ()


def _configured(package: Package, run: Run) -> tuple[int, tuple[Evidence, ...]] | None:
    """Return the port in the configuration of a development server, with the line that names it."""
    tree = package.tree
    given = joined(package.folder, configuration_given(run.words)) if configuration_given(run.words) else ""
    usual = (joined(package.folder, name) for name in (*CONFIGURATIONS, "angular.json"))
    for file in (given,) if given else usual:
        text = tree.text(file) or (read(tree.path(file), tree.bounds) if file == given else "")
        found = (
            _of_angular(text) if file.endswith("angular.json") else configured_port(javascript.plain(text))
        )
        if found and is_port(str(found[0])):
            return found[0], (tree.seen("port", file, found[1], text),)
    return None


def _of_angular(text: str) -> tuple[int, int] | None:
    found = _OF_ANGULAR.search(text)
    return (int(found["port"]), found.start("port")) if found else None


def is_port(digits: str) -> bool:
    """Return whether a text is a valid port."""
    return digits.isdecimal() and len(digits) <= 5 and LOWEST_PORT <= int(digits) <= HIGHEST_PORT  # noqa: PLR2004 - 65535
