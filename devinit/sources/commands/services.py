"""Turn a list of processes into services: which of them start, in which folder, and on which port."""

from __future__ import annotations

import re

from msgspec import Struct, field, structs

from devinit.kinds import KINDS
from devinit.model.defaults import preferring
from devinit.model.evidence import Evidence
from devinit.model.port import HIGHEST_PORT, PortRequest
from devinit.model.service import Service
from devinit.sources.commands import programs
from devinit.sources.commands.command import Command, is_port, joined, understood
from devinit.sources.commands.entry import listening_of, may_listen
from devinit.sources.commands.in_package import in_its_package
from devinit.sources.commands.left_out import why_not
from devinit.sources.commands.listening import CODE, Listening
from devinit.sources.commands.process import Process
from devinit.sources.commands.scripts import Script, script_of
from devinit.sources.files import LONGEST_WORDS
from devinit.sources.servers import server as server_of_kind
from devinit.sources.source import Found, Weight
from devinit.system.bounds import Bounds

MOST_NOTES = 50
"""A malformed file may have a note on every line."""
_PORT_OPTION = re.compile(r"(?<!\S)(?:--port|-p)(?:=|[ \t]+)(\d{1,5})(?!\S)")

_NEST = "nest"
_RUN_FILES = frozenset({"node", "tsx", "ts-node", "ts-node-dev", "tsnd", "nodemon", "bun"})
"""Programs that run a source file of the repository."""


class Numbering(Struct, frozen=True):
    """How the processes of a list are numbered, in the order of the list."""

    first: int
    step: int
    said: Evidence | None = None
    """The line that names the first port; None when no file does."""

    def port(self, index: int) -> int:
        """Return the port of the process with this index."""
        port = self.first + self.step * index
        return port if port <= HIGHEST_PORT else self.first


class Listing(Struct):
    """A list of processes as far as it has been read."""

    weight: Weight
    bounds: Bounds
    numbering: Numbering
    services: dict[str, Service] = field(default_factory=dict)
    evidence: dict[str, tuple[Evidence, ...]] = field(default_factory=dict)
    clients: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)

    def note(self, place: str, text: str) -> None:
        """Add a note on a line; beyond MOST_NOTES, only one more that says so."""
        if len(self.notes) < MOST_NOTES:
            self.notes.append(f"{place}: {text}")
        elif len(self.notes) == MOST_NOTES:
            self.notes.append(f"{place}, and below: more of the same kind")

    def found(self, origin: str) -> Found:
        """Return the services of the list; `origin` is the file that it was read from."""
        return Found(
            origin=origin,
            weight=self.weight,
            services=self.services,
            evidence=self.evidence,
            clients=frozenset(self.clients),
            notes=tuple(self.notes),
        )


def add(process: Process, listing: Listing) -> None:
    """Add the service of a process, or a note with the reason if there is none."""
    command = understood(process.command)
    command = structs.replace(command, folder=joined(process.folder, command.folder))
    command = in_its_package(command, listing.bounds)
    if programs.only_works(process.name, list(command.program)) and not (command.serves or command.uses_port):
        command = structs.replace(command, text=command.written, port=None, takes_port=False)
    if reason := why_not(process, command, listing.weight, listing.bounds):
        listing.note(process.place, f"{process.name} is {reason}")
    elif process.service in listing.services:
        listing.note(
            process.place, f"{process.name} is left out: a database has its name, which a line above starts"
        )
    elif kind := programs.DATABASES.get(command.program[0] if command.program else ""):
        _add_database(process, kind, listing)
    else:
        _add_process(process, command, listing)


def line_of(about: str, process: Process) -> Evidence:
    """Return the line of a process as evidence for a key of its service."""
    says = process.says or f"{process.name}: {process.command}"
    return Evidence(about=about, file=process.file, line=process.line, says=says[:LONGEST_WORDS])


def _add_database(process: Process, kind: str, listing: Listing) -> None:
    """Add the database server that devinit runs in place of the one that a line starts."""
    name = process.service if kind in listing.services else kind
    service = structs.replace(server_of_kind(KINDS[kind], listing.bounds.root), name=name)
    found = _PORT_OPTION.search(process.command)
    about = ["provider"]
    if found and is_port(found[1]):
        service = structs.replace(service, port=preferring(name, int(found[1]), browser=False))
        about.append("port")
    elif service.port is not None:
        service = structs.replace(service, port=structs.replace(service.port, service=name))
    listing.services[name] = service
    listing.evidence[name] = tuple(line_of(key, process) for key in about)
    listing.note(
        process.place, f"{process.name} is run as {kind} by devinit itself, with data of this checkout"
    )


def _add_process(process: Process, command: Command, listing: Listing) -> None:
    """Add a process as a service."""
    name, directory = process.service, listing.bounds.root / command.folder
    script = script_of(command, directory, listing.bounds)
    evidence = [line_of("command", process), *process.further]
    if command.folder:
        evidence.append(line_of("directory", process))
    port, variables, said = _port(process, command, script, listing)
    program = list(script.program if script else command.program)
    works = programs.only_works(process.name, list(command.program)) or (script and script.only_works)
    is_context = script is not None and script.tool == _NEST
    if port is None and not works and not is_context and not programs.watches_files(program):
        listing.note(
            process.place,
            f"{process.name} gets no port, because nothing shows whether it answers requests; `port` of "
            f"[services.{name}] in devinit.toml gives it one",
        )
    own = command.own if port and command.variable and not variables else command.text
    listing.services[name] = Service(
        name=name,
        command=script.command if script else own,
        directory=directory,
        port=port,
        port_env=variables,
    )
    listing.evidence[name] = tuple(dict.fromkeys((*evidence, *said)))
    tool = script.tool if script else next(iter(command.program), "")
    is_builder = port is None and (
        programs.BUILDERS.search(process.name.lower()) or (script and script.only_works)
    )
    if not is_builder and tool not in programs.BROWSER_SERVERS:
        listing.clients.add(name)
    _say_more(process, command, script, listing)


def _say_more(process: Process, command: Command, script: Script | None, listing: Listing) -> None:
    """Add notes for the developer on a service that was added."""
    if process.service != process.name:
        listing.note(process.place, f"{process.name} is called {process.service} here")
    if command.is_fixed:
        listing.note(
            process.place,
            f"{process.name} keeps port {command.port}, because devinit changes no command with a pipe or a "
            "subshell; `${PORT}` in its place lets the service move",
        )
    if script and script.several:
        listing.note(
            process.place,
            f"{process.name} runs a script that starts several programs ({script.several}); one line for each is "
            "better",
        )


def _port(
    process: Process, command: Command, script: Script | None, listing: Listing
) -> tuple[PortRequest | None, tuple[str, ...], tuple[Evidence, ...]]:
    """Return the port of a process, further variables that hold it, and the lines that state it."""
    is_known = command.takes_port or command.serves or (script and (script.tool or script.said))
    if not is_known and not programs.only_works(process.name, list(command.program)):
        program = script.program if script else command.program
        listens = listening_of(program, listing.bounds.root / command.folder, listing.bounds)
        if listens is not None:
            return _port_in_code(process, *listens, listing)
    if not _serves(process, command, script) or _only_computes(process, command, script, listing):
        return None, (), ()
    preferred, said = _preferred(process, command, script, listing)
    strict = command.is_fixed or bool(script and script.strict and not command.takes_port)
    request = _request(process.service, preferred, (said or (line_of("port", process),)) if strict else ())
    return request, _aliases(command.variable, listing), said


def _port_in_code(
    process: Process, listening: Listening, said: tuple[Evidence, ...], listing: Listing
) -> tuple[PortRequest, tuple[str, ...], tuple[Evidence, ...]]:
    """Return the same for a program whose source code states its port."""
    preferred = listening.port or listing.numbering.port(process.index)
    if listening.variable == "PORT" and listing.numbering.said is not None:
        preferred, said = listing.numbering.port(process.index), (listing.numbering.said,)
    aliases = () if listening.variable == "PORT" else _aliases(listening.variable, listing)
    return _request(process.service, preferred, said if listening.is_fixed else ()), aliases, said


def _aliases(variable: str | None, listing: Listing) -> tuple[str, ...]:
    """Return the variable that holds a port, unless an earlier process already uses it."""
    taken = {name for each in listing.services.values() for name in each.port_env}
    return (variable,) if variable and variable not in taken else ()


def _serves(process: Process, command: Command, script: Script | None) -> bool:
    """Return whether a process answers requests."""
    if command.takes_port or command.serves or (script and (script.tool or script.said or script.strict)):
        return True
    if programs.only_works(process.name, list(command.program)):
        return False
    return process.name.lower() in programs.SERVING_NAMES or (script is not None and script.port is not None)


def _only_computes(process: Process, command: Command, script: Script | None, listing: Listing) -> bool:
    """Return whether a script runs a program of the repository in which no file listens."""
    if command.takes_port or command.serves or script is None or script.said or script.strict:
        return False
    directory = listing.bounds.root / command.folder
    if script.tool == _NEST:
        # It may only create an application context in which it works off a queue.
        return not may_listen(directory, listing.bounds)
    if script.tool:
        return False
    is_called_a_server = process.name.lower() in programs.SERVING_NAMES
    program = next(iter(script.program), "")
    runs_files = program in _RUN_FILES or program.endswith(CODE)
    return runs_files and not is_called_a_server and not may_listen(directory, listing.bounds)


def _preferred(
    process: Process, command: Command, script: Script | None, listing: Listing
) -> tuple[int, tuple[Evidence, ...]]:
    """Return the preferred port of a process, and the line that names it, if one does."""
    if command.port is not None:
        return command.port, (line_of("port", process),)
    if script is not None and script.said and script.port is not None:
        return script.port, script.said
    server = command.serves or (programs.SERVERS.get(script.tool) if script else None)
    reads_it = command.uses_port or server is None or not server.given
    if reads_it and listing.numbering.said is not None:
        return listing.numbering.port(process.index), (listing.numbering.said,)
    known = command.serves.port if command.serves else script and script.port
    return known or listing.numbering.port(process.index), ()


def _request(name: str, preferred: int, fixed_by: tuple[Evidence, ...]) -> PortRequest:
    """Return a request for a port, which cannot move when a line fixes it."""
    request = preferring(name, preferred, browser=True)
    if not fixed_by:
        return request
    return structs.replace(request, last=preferred, strict=True, fixed_by=fixed_by[0].place)
