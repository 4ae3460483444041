"""What a script of package.json is, when a process runs one."""

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
"""Names of scripts that start a server."""
_RUNNERS = re.compile(
    r"(?<![\w.-])(?:npm|pnpm|yarn|bun|run-s|run-p|npm-run-all|concurrently|turbo|nx|lerna)(?![\w.-])"
)
"""Programs that run scripts of package.json."""
_WORDS = re.compile(r"[\w:.@/-]+")
_USUAL_PORT = 3000
"""Of a server for Node that is not known."""


class Script(Struct, frozen=True):
    """What a script of package.json is, when a process runs one."""

    command: str
    port: int | None = None
    """Where its server listens when nothing else is said."""
    said: tuple[Evidence, ...] = ()
    """The line that names this port."""
    strict: bool = False
    """Whether the script itself names the port, and takes no other."""
    tool: str = ""
    """The program that it runs, when that is known to serve."""
    only_works: bool = False
    """Whether it is known to answer no requests: it builds what others serve."""
    program: tuple[str, ...] = ()
    """The program that it runs, with the words after it; none when that is not plain."""
    several: str = ""
    """The script, when it starts several programs."""


def script_of(command: Command, directory: Path, bounds: Bounds) -> Script | None:
    """Return what the script of package.json is that a command runs; None when it runs none."""
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
        # Nothing tells it another port than its usual one, unless it reads PORT.
        return Script(command.text, inner.serves.port, strict=bool(inner.serves.given), tool=program)
    if programs.only_works("", list(inner.program)) or program in PORT_FLAGS:
        return Script(command.text, only_works=True)
    serves = _SERVING.match(command.script) and not is_library(read_package(directory, bounds) or {})
    return Script(command.text, _USUAL_PORT if serves else None, program=inner.program)


def flags_behind(command: Command, flags: str) -> str:
    """Return what hands flags to the script that a command runs, as its package manager wants them."""
    given = command.runs.arguments if command.runs else ()
    if command.takes_port:
        flags = flags.replace("--port ${PORT}", "").replace("  ", " ").strip()
    if "--host" in given:
        flags = flags.replace("--host 127.0.0.1 ", "")
    if not flags:
        return ""
    # npm keeps flags for itself unless they stand after --; pnpm would pass the -- on.
    return f" -- {flags}" if command.program[0] == "npm" and not given else f" {flags}"


def words_of_script(command: Command, directory: Path, bounds: Bounds) -> str | None:
    """Return a script of package.json; None when it is missing or too long."""
    if command.script is None:
        return None
    words = table(read_package(directory, bounds), "scripts").get(command.script)
    if isinstance(words, str) and words.rstrip().endswith(" --") and command.runs is not None:
        # A script that stands before others: `with-env next dev` is `dotenv -e ../.env -- next dev`.
        words = f"{words.rstrip()} {shlex.join(command.runs.arguments)}"
    return words if isinstance(words, str) and len(words) <= programs.LONGEST_COMMAND else None


def scripts_reached(command: str, directory: Path, bounds: Bounds) -> dict[str, str]:
    """Return the scripts of package.json that a command may run, and those that these may run, with their hooks.

    Their names alone decide: one too many is looked at rather than one too few.
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
    """Return the name of a script from a word of `concurrently`: `npm:css` is `css`."""
    manager, _, name = word.partition(":")
    return name if manager in ("npm", "pnpm", "yarn", "bun") and name else word


def _port_line(lines: tuple[Evidence, ...]) -> tuple[Evidence, ...]:
    return tuple(structs.replace(each, about="port") for each in lines)
