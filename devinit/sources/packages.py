"""Read package.json: its package manager, its scripts, and how the server of a script gets its port."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from devinit.model.evidence import Evidence
from devinit.model.port import HIGHEST_PORT
from devinit.sources.commands.programs import SERVERS, program_of, server_of, words_of
from devinit.sources.files import content_of, read, seen
from devinit.system.bounds import Bounds
from devinit.toolchains.node.managers import LOCKED_BY, MANAGERS

# Vite listens on the first address of `localhost`, which may be ::1 alone, so it gets the address as an option.
# Next listens on every address; its HMR accepts localhost only while no host is given.
PORT_FLAGS = {"next": "--port ${PORT}", "nuxt": "--port ${PORT}"} | {
    name: SERVERS[name].given
    for name in (
        "vite", "astro", "ng", "vue-cli-service", "react-router", "remix", "gatsby", "webpack", "parcel", "ember",
        "webpack-dev-server", "wrangler", "storybook", "rsbuild", "vinxi", "vitepress", "docusaurus", "sanity",
        "http-server", "json-server",
    )
}  # fmt: skip
"""Development server → the flags that set its port. Every other server has to read PORT."""

LAST_WINS = frozenset({"vite", "next"})
"""Programs that use the last of several port flags. Every other program takes a single one."""
_PORT_OPTIONS = frozenset({"--port", "-p", "-P"})

CONFIGURATIONS = tuple(
    f"{tool}.config.{ending}"
    for tool in ("vite", "astro", "nuxt", "vue", "webpack", "rsbuild", "rspack")
    for ending in ("ts", "js", "mjs", "mts", "cjs")
)
"""Configuration files of development servers that may set a port."""
_CONFIGURED = re.compile(
    r"\b(?:server|devServer)\s{0,20}:\s{0,20}\{[^{}]{0,2000}?\bport\s{0,20}"
    r"(?::\s{0,20}(?:(?:[\w.()]{1,60}\s{0,9}(?:\?\?|\|\|)\s{0,9}[\"']?)?(?P<port>\d{2,5})"
    r"|(?P<name>[A-Za-z_$][\w$]{0,60}))\b|[,}])"
)
"""Matches the port in one of them: a number or a constant; the shorthand `port` names a constant, too."""

SEVERAL = re.compile(r"(?<![\w-])(concurrently|npm-run-all|run-p|turbo|nx|lerna)\b|(?<![&>])&(?![&>])")
"""Matches scripts that start several programs: flags would reach the wrong one."""
_OF_A_LIBRARY = ("exports", "types", "typings", "files", "publishConfig", "bin")
"""Keys of packages that others import or install."""
_ESCAPED_HALF = r"\ud"
"""Begins a JSON escape of a surrogate: half of a character beyond the first 65,536, which may stand alone."""


def read_package(folder: Path, bounds: Bounds) -> dict[str, Any] | None:
    """Return package.json; None when it is missing or malformed (Any: its contents are unchecked)."""
    import json  # only repositories with Node in them need it

    path = folder / "package.json"
    try:
        # npm reads it as UTF-8, with or without a byte order mark.
        content = content_of(path) if bounds.holds(path) else b""
        text = content.decode("utf-8-sig", errors="replace")
        package = json.loads(text)
        if _ESCAPED_HALF in text.lower():
            # A lone surrogate cannot be printed, sent or written: it becomes a question mark.
            plain = json.dumps(package, ensure_ascii=False).encode(errors="replace")
            package = json.loads(plain)
    except (ValueError, RecursionError):
        return None
    return package if isinstance(package, dict) else None


def is_library(package: dict[str, Any]) -> bool:
    """Return whether other packages or users import or install this package."""
    return package.get("private") is not True and any(key in package for key in _OF_A_LIBRARY)


def package_manager(bounds: Bounds, folder: Path, package: dict[str, Any]) -> str:
    """Return the manager in package.json, else that of the lock file; the folder counts before the root."""
    root = bounds.root
    for place, described in ((folder, package), (root, read_package(root, bounds) or {})):
        named = str(described.get("packageManager", "")).partition("@")[0]
        if named in MANAGERS:
            return named
        for lock_file, manager in LOCKED_BY.items():
            if (place / lock_file).is_file():
                return manager
    return "npm"


def tool_of(script: str) -> str | None:
    """Return the last program of a script if flags after the script can set its port; else None."""
    if SEVERAL.search(script):
        return None
    program = program_of(words_of(re.split(r"&&|\|\||;", script)[-1]))
    if not program or program[0] not in PORT_FLAGS or server_of(program) is None:
        return None
    names_one = any(word.partition("=")[0] in _PORT_OPTIONS for word in program)
    return None if names_one and program[0] not in LAST_WINS else program[0]


def command_of(manager: str, script: str, words: str) -> str:
    """Return the command that runs a script, with a port for its server if that takes one."""
    flags = PORT_FLAGS.get(tool_of(words) or "")
    command = f"{manager} run {script}"
    if flags is None:
        return command
    # npm keeps flags for itself unless they follow --; pnpm would pass the -- on.
    return f"{command} -- {flags}" if manager == "npm" else f"{command} {flags}"


def line_of_script(folder: Path, script: str, bounds: Bounds) -> tuple[Evidence, ...]:
    """Return the line of package.json that defines a script; empty when the text does not show it."""
    path = folder / "package.json"
    text = content_of(path).decode("utf-8-sig", errors="replace")
    found = re.compile(rf'"{re.escape(script)}"\s{{0,100}}:').search(text, max(text.find('"scripts"'), 0))
    return (seen("command", path, bounds, text, found.start()),) if found else ()


def line_of_configured_port(
    folder: Path, tool: str, bounds: Bounds, given: str = ""
) -> tuple[int, Evidence] | None:
    """Return the port in the configuration of a development server, and its line; None without one.

    `given` is the configuration file that the script names, relative to the folder.
    """
    usual = (each for each in CONFIGURATIONS if each.startswith(f"{tool.partition('-')[0]}."))
    for name in (given,) if given else usual:
        text = read(folder / name, bounds) if bounds.holds(folder / name) else ""
        if text and (found := configured_port(text)):
            return found[0], seen("port", folder / name, bounds, text, found[1])
    return None


def configured_port(text: str) -> tuple[int, int] | None:
    """Return the port in the text of a configuration, and its position; None without one."""
    found = _CONFIGURED.search(text)
    if found is None:
        return None
    number, position = found["port"], found.start("port")
    if number is None:
        name = re.escape(found["name"] or "port")
        stated = re.search(
            rf"\b(?:const|let|var)\s{{1,9}}{name}\s{{0,9}}=\s{{0,9}}"
            r"(?:[\w.]{0,20}\(?process\.env\.\w{1,60}\s{0,9}(?:\|\||\?\?)\s{0,9}[\"']?)?(?P<port>\d{2,5})\b",
            text,
        )
        number, position = (stated["port"], stated.start("port")) if stated else (None, 0)
    return (int(number), position) if number and 0 < int(number) <= HIGHEST_PORT else None


def configuration_given(words: Sequence[str]) -> str:
    """Return the configuration file that a command passes to its development server; "" without one."""
    for word, value in pairwise((*words, "")):
        name, is_joined, joined = word.partition("=")
        if name in ("--config", "-c"):
            given = joined if is_joined else value
            return (
                "" if given.startswith(("/", "-")) or ".." in given.split("/") else given.removeprefix("./")
            )
    return ""
