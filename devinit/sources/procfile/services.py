"""The services of a Procfile: which of its processes can be started, where, and on which port."""

from __future__ import annotations

import os.path
import re
import shlex
from pathlib import Path

from msgspec import Struct, structs

from devinit.kinds import KINDS
from devinit.model.defaults import preferring
from devinit.model.evidence import Evidence
from devinit.model.port import PortRequest
from devinit.model.service import Service
from devinit.sources.files import LONGEST_WORDS, read, table
from devinit.sources.packages import PORT_FLAGS, SEVERAL, line_of_script, read_package, tool_of
from devinit.sources.procfile import FILES, programs
from devinit.sources.procfile.commands import Command, port_in, understood
from devinit.sources.procfile.lines import LONGEST_COMMAND, Process, processes
from devinit.sources.procfile.numbering import first_port, numbered
from devinit.sources.servers import server
from devinit.sources.source import Found, Weight
from devinit.sources.unreadable import problem_of_text
from devinit.system.bounds import Bounds, not_read

_FOR_DEVELOPMENT = "Procfile.dev"
_PRODUCTION = re.compile(r"(?<![A-Za-z0-9_])[A-Z_]*ENV=[\"']?production\b")
_SERVING_SCRIPT = re.compile(r"(?:dev|start|serve)(?![a-z])")
_PORT_OPTION = re.compile(r"(?<!\S)(?:--port|-p)(?:=|[ \t]+)(\d{1,5})(?!\S)")


class Reading(Struct):
    """What is read of one file, as far as it has been read."""

    origin: str
    bounds: Bounds
    first: int
    first_said: Evidence | None
    services: dict[str, Service] = {}
    evidence: dict[str, tuple[Evidence, ...]] = {}
    clients: set[str] = set()
    notes: list[str] = []

    def note(self, line: int, text: str) -> None:
        """Say something about a line."""
        self.notes.append(f"{self.origin}, line {line}: {text}")


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
    several: str = ""
    """The script, when it starts several programs."""


def found_in(bounds: Bounds) -> Found:
    """Return the processes that the project's Procfile lists."""
    origin = next((name for name in FILES if os.path.lexists(bounds.root / name)), None)
    if origin is None:
        return Found()
    path = bounds.root / origin
    if target := bounds.target_beyond(path):
        return Found(origin=origin, notes=(not_read(path, bounds.root, target),))
    if problem := problem_of_text(path, bounds):
        return Found(origin=origin, notes=(f"{origin} cannot be read: {problem}",))
    reading = Reading(origin, bounds, *first_port(bounds))
    for each in processes(read(path, bounds)):
        match each:
            case Process():
                _add(each, reading)
            case (line, problem):
                reading.note(line, problem)
    if not reading.services and not reading.notes:
        reading.notes.append(f"{origin} names no process")
    return Found(
        origin=origin,
        weight=Weight.PROCESSES if origin == _FOR_DEVELOPMENT else Weight.PRODUCTION,
        services=reading.services,
        evidence=reading.evidence,
        clients=frozenset(reading.clients),
        notes=tuple(reading.notes),
    )


def _add(process: Process, reading: Reading) -> None:
    """Add the service of a line, or a note that says why there is none."""
    command = understood(process.command)
    if programs.only_works(process.name, list(command.program)) and not (command.serves or command.uses_port):
        command = structs.replace(command, text=command.written, port=None, takes_port=False)
    if reason := _why_not(process, command, reading):
        reading.note(process.line, f"{process.name} is {reason}")
    elif kind := programs.DATABASES.get(command.program[0] if command.program else ""):
        _add_database(process, kind, reading)
    else:
        _add_process(process, command, reading)


def _why_not(process: Process, command: Command, reading: Reading) -> str:
    """Say why a process is not started; nothing when it is."""
    program = command.program[0] if command.program else ""
    if process.name.lower() == "release":
        return (
            "not started: it is a step of a deployment; `before_start` of a service in devinit.toml runs a "
            "command before each start"
        )
    if programs.ENDS_OTHERS.search(process.command):
        return "left out: it ends processes by their name or port, and they may be another project's"
    if any(word.rpartition("/")[2] in programs.CONTAINERS for word in shlex.split(process.command)):
        return "left out: it starts containers"
    if program in programs.MANAGERS:
        return f"left out: {program} starts processes itself"
    if process.name.lower() in programs.CONSOLES or _is_console(command.program):
        return "left out: a person works in it, and a service has no terminal"
    if reading.origin != _FOR_DEVELOPMENT and _PRODUCTION.search(process.command):
        return "left out: it runs what was built for production"
    if process.service in reading.services:
        return "left out: a database has its name, which a line above starts"
    folder = reading.bounds.root / command.folder
    # Path.is_dir() raises for a path that is too long.
    if not (os.path.isdir(folder) and reading.bounds.holds(folder)):  # noqa: PTH112
        return f"left out: {command.folder} is no folder of the repository"
    return ""


def _is_console(program: tuple[str, ...]) -> bool:
    """Tell whether a program waits for what a person types."""
    if not program:
        return False
    if program[0] in programs.SHELLS:
        return "-c" not in program and all(word.startswith("-") for word in program[1:])
    return program[:2] in (("rails", "console"), ("rails", "c"), ("manage.py", "shell"))


def _add_database(process: Process, kind: str, reading: Reading) -> None:
    """Add the server that devinit runs in the place of a database that a line starts."""
    name = process.service if kind in reading.services else kind
    service = structs.replace(server(KINDS[kind], reading.bounds.root), name=name)
    found = _PORT_OPTION.search(process.command)
    port = int(found[1]) if found else service.port and service.port.preferred
    request = port and preferring(name, port, browser=False)
    reading.services[name] = structs.replace(service, port=request or None)
    about = ("provider", "port") if found else ("provider",)
    reading.evidence[name] = tuple(_line(key, process, reading) for key in about)
    reading.note(
        process.line, f"{process.name} is run as {kind} by devinit itself, with data of this checkout"
    )


def _add_process(process: Process, command: Command, reading: Reading) -> None:
    """Add a process as a service."""
    name, directory = process.service, reading.bounds.root / command.folder
    script = _script(command, directory, reading.bounds)
    evidence = [_line("command", process, reading)]
    if command.folder:
        evidence.append(_line("directory", process, reading))
    port: PortRequest | None = None
    if _serves(process, command, script):
        preferred, said = _preferred(process, command, script, reading)
        port = _request(name, preferred, strict=bool(script and script.strict))
        evidence += said
    elif not programs.only_works(process.name, list(command.program)):
        reading.note(
            process.line,
            f"{process.name} gets no port, because nothing shows whether it answers requests; `port` of "
            f"[services.{name}] in devinit.toml gives it one",
        )
    reading.services[name] = Service(
        name=name,
        command=script.command if script else command.text,
        directory=directory,
        port=port,
        port_env=_aliases(command, reading) if port else (),
    )
    reading.evidence[name] = tuple(evidence)
    tool = script.tool if script else next(iter(command.program), "")
    is_builder = port is None and programs.BUILDERS.search(process.name.lower())
    if not is_builder and tool not in programs.BROWSER_SERVERS:
        reading.clients.add(name)
    if name != process.name:
        reading.note(process.line, f"{process.name} is called {name} here")
    if script and script.several:
        reading.note(
            process.line,
            f"{process.name} runs a script that starts several programs ({script.several}); one line for each is "
            "better",
        )


def _aliases(command: Command, reading: Reading) -> tuple[str, ...]:
    """Return the variable that a command reads its port from; one that an earlier line reads is that one's."""
    taken = {name for each in reading.services.values() for name in each.port_env}
    return (command.variable,) if command.variable and command.variable not in taken else ()


def _serves(process: Process, command: Command, script: Script | None) -> bool:
    """Tell whether a process answers requests."""
    if command.takes_port or command.serves or (script and (script.said or script.strict)):
        return True
    if programs.only_works(process.name, list(command.program)):
        return False
    return process.name.lower() in programs.SERVING_NAMES or (script is not None and script.port is not None)


def _preferred(
    process: Process, command: Command, script: Script | None, reading: Reading
) -> tuple[int, tuple[Evidence, ...]]:
    """Return the port that a process prefers, and the line that names it, if one does."""
    if command.port is not None:
        return command.port, (_line("port", process, reading),)
    if script is not None and script.said and script.port is not None:
        return script.port, script.said
    reads_it = command.uses_port or command.serves is None or not command.serves.given
    if reads_it and reading.first_said is not None:
        return numbered(reading.first, process.index), (reading.first_said,)
    known = command.serves.port if command.serves else script and script.port
    return known or numbered(reading.first, process.index), ()


def _request(name: str, preferred: int, *, strict: bool) -> PortRequest:
    request = preferring(name, preferred, browser=True)
    return structs.replace(request, last=preferred, strict=True) if strict else request


def _script(command: Command, directory: Path, bounds: Bounds) -> Script | None:
    """Return what the script of package.json is that a command runs; None when it runs none."""
    words = command.script and table(read_package(directory, bounds), "scripts").get(command.script)
    if command.script is None or not isinstance(words, str) or len(words) > LONGEST_COMMAND:
        return None
    tool = tool_of(words)
    named = port_in(words)
    said = _port_line(line_of_script(directory, command.script, bounds)) if named else ()
    if tool is not None:
        separator = " -- " if command.program[0] == "npm" else " "
        text = f"{command.text}{separator}{PORT_FLAGS[tool]}"
        return Script(text, named or programs.SERVERS[tool].port, said, tool=tool)
    inner = understood(words)
    if SEVERAL.search(words):
        return Script(command.text, several=words[:LONGEST_WORDS])
    program = next(iter(inner.program), "")
    if named:
        return Script(command.text, named, said, strict=True, tool=program)
    if inner.serves:
        return Script(command.text, inner.serves.port, tool=program)
    return Script(command.text, 3000 if _SERVING_SCRIPT.match(command.script) else None)


def _port_line(lines: tuple[Evidence, ...]) -> tuple[Evidence, ...]:
    return tuple(structs.replace(each, about="port") for each in lines)


def _line(about: str, process: Process, reading: Reading) -> Evidence:
    says = f"{process.name}: {process.command}"[:LONGEST_WORDS]
    return Evidence(about=about, file=reading.origin, line=process.line, says=says)
