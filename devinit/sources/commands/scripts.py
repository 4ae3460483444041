"""Parse the script of package.json that a process runs."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from msgspec import Struct, structs

from devinit.model.evidence import Evidence
from devinit.sources.commands import programs
from devinit.sources.commands.command import Command, port_in, understood
from devinit.sources.files import LONGEST_WORDS, table
from devinit.sources.packages import (
    LAST_WINS,
    PORT_FLAGS,
    SEVERAL,
    configuration_given,
    is_library,
    line_of_configured_port,
    line_of_script,
    read_package,
    tool_of,
)
from devinit.system.bounds import Bounds

_SERVING = re.compile(r"(?:dev|start|serve)(?![a-z])")
"""Matches names of scripts that start a server."""
_RUNNERS = re.compile(
    r"(?<![\w.-])(?:npm|pnpm|yarn|bun|run-s|run-p|npm-run-all|concurrently|turbo|nx|lerna)(?![\w.-])"
)
"""Matches programs that run scripts of package.json."""
_WORDS = re.compile(r"[\w:.@/-]+")
_USUAL_PORT = 3000
"""Port of an unknown server for Node."""


class Script(Struct, frozen=True):
    """The script of package.json that a process runs."""

    command: str
    port: int | None = None
    """Port of its server by default."""
    said: tuple[Evidence, ...] = ()
    """The line that names this port."""
    strict: bool = False
    """Whether the port is part of the script and cannot change."""
    tool: str = ""
    """Its program, if that is a known server."""
    only_works: bool = False
    """Whether it answers no requests, because it builds files that others serve."""
    program: tuple[str, ...] = ()
    """Its program with arguments; empty when unclear."""
    several: str = ""
    """The script, when it starts several programs."""


def script_of(command: Command, directory: Path, bounds: Bounds) -> Script | None:
    """Return the script of package.json that a command runs; None when it runs none."""
    words = words_of_script(command, directory, bounds)
    if words is None or command.script is None:
        return None
    tool = tool_of(words)
    inner = understood(words)
    named = port_in(words)
    said = _port_line(line_of_script(directory, command.script, bounds)) if named else ()
    if tool is not None:
        flags = PORT_FLAGS[tool]
        if tool not in LAST_WINS and "--host" in words:
            flags = flags.replace("--host 127.0.0.1 ", "")
        text = command.text + flags_behind(command, flags)
        given = configuration_given(inner.program)
        if named is None and (configured := line_of_configured_port(directory, tool, bounds, given)):
            named, said = configured[0], (configured[1],)
        return Script(text, named or programs.SERVERS[tool].port, said, tool=tool)
    if SEVERAL.search(words):
        return Script(command.text, several=words[:LONGEST_WORDS])
    program = next(iter(inner.program), "")
    if named:
        return Script(command.text, named, said, strict=True, tool=program)
    if inner.serves:
        # The usual port cannot change, unless the server reads PORT.
        return Script(command.text, inner.serves.port, strict=bool(inner.serves.given), tool=program)
    if programs.only_works("", list(inner.program)) or program in PORT_FLAGS:
        return Script(command.text, only_works=True)
    serves = _SERVING.match(command.script) and not is_library(read_package(directory, bounds) or {})
    return Script(command.text, _USUAL_PORT if serves else None, program=inner.program)


def flags_behind(command: Command, flags: str) -> str:
    """Return the words that pass flags to the script of a command, in the form of its package manager."""
    given = command.runs.arguments if command.runs else ()
    if command.takes_port:
        flags = flags.replace("--port ${PORT}", "").replace("  ", " ").strip()
    if "--host" in given:
        flags = flags.replace("--host 127.0.0.1 ", "")
    if not flags:
        return ""
    # npm keeps flags for itself unless they follow --; pnpm would pass the -- on.
    return f" -- {flags}" if command.program[0] == "npm" and not given else f" {flags}"


def words_of_script(command: Command, directory: Path, bounds: Bounds) -> str | None:
    """Return the text of a script in package.json; None when it is missing or too long."""
    if command.script is None:
        return None
    words = table(read_package(directory, bounds), "scripts").get(command.script)
    if isinstance(words, str) and words.rstrip().endswith(" --") and command.runs is not None:
        # Such a script wraps its arguments: `with-env next dev` is `dotenv -e ../.env -- next dev`.
        words = f"{words.rstrip()} {shlex.join(command.runs.arguments)}"
    return words if isinstance(words, str) and len(words) <= programs.LONGEST_COMMAND else None


def scripts_reached(command: str, directory: Path, bounds: Bounds) -> dict[str, str]:
    """Return the scripts of package.json that a command may run, directly or through others, with their hooks.

    Names alone decide: a script too many is better than one too few.
    """
    if not _RUNNERS.search(command):
        return {}
    scripts = {
        name: words
        for name, words in table(read_package(directory, bounds), "scripts").items()
        if isinstance(words, str)
    }
    reached: dict[str, str] = {}
    waiting = [command]
    while waiting:
        text = waiting.pop()
        if not _RUNNERS.search(text):
            continue
        names = scripts.keys() if "*" in text else {_name_of(word) for word in _WORDS.findall(text)}
        for name in [hook + each for each in names for hook in ("", "pre", "post")]:
            if name in scripts and name not in reached:
                reached[name] = scripts[name]
                waiting.append(scripts[name])
    return reached


def _name_of(word: str) -> str:
    """Return the script in a word of `concurrently`: `css` for `npm:css`."""
    manager, _, name = word.partition(":")
    return name if manager in ("npm", "pnpm", "yarn", "bun") and name else word


def _port_line(lines: tuple[Evidence, ...]) -> tuple[Evidence, ...]:
    return tuple(structs.replace(each, about="port") for each in lines)
