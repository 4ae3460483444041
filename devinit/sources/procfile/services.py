"""The services of a Procfile: which of its processes can be started, where, and on which port."""

from __future__ import annotations

import os.path
import re

from msgspec import Struct, structs

from devinit.kinds import KINDS
from devinit.model.defaults import preferring
from devinit.model.evidence import Evidence
from devinit.model.port import PortRequest
from devinit.model.service import Service
from devinit.sources.files import LONGEST_WORDS, read
from devinit.sources.procfile import programs
from devinit.sources.procfile.commands import Command, is_port, understood
from devinit.sources.procfile.left_out import why_not
from devinit.sources.procfile.lines import Process, processes
from devinit.sources.procfile.numbering import first_port, numbered
from devinit.sources.procfile.scripts import Script, script_of
from devinit.sources.servers import server as server_of_kind
from devinit.sources.source import Found, Weight
from devinit.sources.unreadable import problem_of_text
from devinit.system.bounds import Bounds, not_read

_PORT_OPTION = re.compile(r"(?<!\S)(?:--port|-p)(?:=|[ \t]+)(\d{1,5})(?!\S)")


MOST_NOTES = 50
"""A file of nonsense has one for each line."""


class Reading(Struct):
    """What is read of one file, as far as it has been read."""

    origin: str
    weight: Weight
    bounds: Bounds
    first: int
    first_said: Evidence | None
    services: dict[str, Service] = {}
    evidence: dict[str, tuple[Evidence, ...]] = {}
    clients: set[str] = set()
    notes: list[str] = []

    def note(self, line: int, text: str) -> None:
        """Say something about a line; of the notes beyond MOST_NOTES only that there are more."""
        if len(self.notes) < MOST_NOTES:
            self.notes.append(f"{self.origin}, line {line}: {text}")
        elif len(self.notes) == MOST_NOTES:
            self.notes.append(f"{self.origin}, line {line}, and below: more of the same kind")


def found_in(bounds: Bounds, for_development: str, for_deployment: str) -> Found:
    """Return the processes that the project's Procfile lists, whose names these are; the first one wins."""
    names = (for_development, for_deployment)
    origin = next((name for name in names if os.path.lexists(bounds.root / name)), None)
    if origin is None:
        return Found()
    path = bounds.root / origin
    if target := bounds.target_beyond(path):
        return Found(origin=origin, notes=(not_read(path, bounds.root, target),))
    if problem := problem_of_text(path, bounds):
        return Found(origin=origin, notes=(f"{origin} cannot be read: {problem}",))
    weight = Weight.PROCESSES if origin == for_development else Weight.PRODUCTION
    reading = Reading(origin, weight, bounds, *first_port(bounds))
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
        weight=weight,
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
    if reason := why_not(process, command, reading.weight, reading.bounds):
        reading.note(process.line, f"{process.name} is {reason}")
    elif process.service in reading.services:
        reading.note(
            process.line, f"{process.name} is left out: a database has its name, which a line above starts"
        )
    elif kind := programs.DATABASES.get(command.program[0] if command.program else ""):
        _add_database(process, kind, reading)
    else:
        _add_process(process, command, reading)


def _add_database(process: Process, kind: str, reading: Reading) -> None:
    """Add the server that devinit runs in the place of a database that a line starts."""
    name = process.service if kind in reading.services else kind
    service = structs.replace(server_of_kind(KINDS[kind], reading.bounds.root), name=name)
    found = _PORT_OPTION.search(process.command)
    about = ["provider"]
    if found and is_port(found[1]):
        service = structs.replace(service, port=preferring(name, int(found[1]), browser=False))
        about.append("port")
    elif service.port is not None:
        service = structs.replace(service, port=structs.replace(service.port, service=name))
    reading.services[name] = service
    reading.evidence[name] = tuple(_line(key, process, reading) for key in about)
    reading.note(
        process.line, f"{process.name} is run as {kind} by devinit itself, with data of this checkout"
    )


def _add_process(process: Process, command: Command, reading: Reading) -> None:
    """Add a process as a service."""
    name, directory = process.service, reading.bounds.root / command.folder
    script = script_of(command, directory, reading.bounds)
    evidence = [_line("command", process, reading)]
    if command.folder:
        evidence.append(_line("directory", process, reading))
    port: PortRequest | None = None
    if _serves(process, command, script):
        preferred, said = _preferred(process, command, script, reading)
        port = _request(name, preferred, strict=bool(script and script.strict))
        evidence += said
    elif not (programs.only_works(process.name, list(command.program)) or (script and script.only_works)):
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
    if command.takes_port or command.serves or (script and (script.tool or script.said or script.strict)):
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
    server = command.serves or (programs.SERVERS.get(script.tool) if script else None)
    reads_it = command.uses_port or server is None or not server.given
    if reads_it and reading.first_said is not None:
        return numbered(reading.first, process.index), (reading.first_said,)
    known = command.serves.port if command.serves else script and script.port
    return known or numbered(reading.first, process.index), ()


def _request(name: str, preferred: int, *, strict: bool) -> PortRequest:
    request = preferring(name, preferred, browser=True)
    return structs.replace(request, last=preferred, strict=True) if strict else request


def _line(about: str, process: Process, reading: Reading) -> Evidence:
    says = f"{process.name}: {process.command}"[:LONGEST_WORDS]
    return Evidence(about=about, file=reading.origin, line=process.line, says=says)
