"""The applications of a compose project as native services: commands, ports, variables and order."""

from __future__ import annotations

import re

from msgspec import structs

from devinit.model.defaults import LOCAL_HOST, preferring
from devinit.model.evidence import Evidence
from devinit.model.port import LOWEST_UNPRIVILEGED_PORT, PortRequest
from devinit.model.service import Condition, Readiness, Service
from devinit.sources.addresses import Network, Server, in_text
from devinit.sources.commands.entry import listening_of
from devinit.sources.commands.left_out import why_not
from devinit.sources.commands.process import Process
from devinit.sources.commands.programs import only_works
from devinit.sources.compose.data import published_port
from devinit.sources.compose.definition import Definition
from devinit.sources.compose.environment import Given, environment_of, prefixes_in
from devinit.sources.compose.native import IDLE, Native, Refused, Surroundings, native, words_run
from devinit.sources.compose.reading import Reading
from devinit.sources.compose.roles import Member, Role
from devinit.sources.probes import own_page
from devinit.sources.source import Weight

_USUAL_PORT = 8000
_WORKPLACE = ".devcontainer/"
"""The folder with the compose file of a development container."""
_ITS_PORT = ("${PORT}", f"{LOCAL_HOST}:${{PORT}}")
"""Values of variables that tell a program its listening port."""


def add_application(each: Member, name: str, network: Network, reading: Reading) -> None:
    """Add the native service for an application, or a note why there is none."""
    described, is_job = each.definition, each.name in reading.jobs
    if "flower" in (described.command or ()):
        reading.note(described.at, f"{each.name} is left out: nothing needs it")
        return
    given = environment_of(described, network, reading.project, each.directory)
    for note in given.notes:
        reading.project.note(note)
    for server, variables in given.missing.items():
        if server not in reading.members or reading.members[server].role is not Role.MISSING:
            names = " and ".join(dict.fromkeys(variables))
            reading.note(described.at, f"{names} of {each.name} is left out, because {server} is")
            continue
        reading.needs.setdefault(server, {}).setdefault(each.name, []).extend(variables)
    said: list[Evidence] = []
    try:
        command: Native | None = _command(each, network, reading, given, said)
    except Refused as refused:
        command, reason = None, str(refused)
    else:
        reason = ""
    if reason := reason or _why_not(each, command, given, reading):
        if is_job or (described.restart == "no" and not described.ports):
            reading.note(described.at, f"{each.name} is not run: {reason}")
            return
        where = each.directory.relative_to(reading.bounds.root).as_posix()
        if described.build is not None and each.directory != described.build.context and not each.folders:
            reason = f"its folder {described.build.context.name} is not there"
        reading.unfinished[name] = (
            f"{described.at}: {each.name} is not started: {reason}, and no application was recognised in "
            f"{'the project' if where == '.' else f'{where}/'}; `command` of [services.{name}] in devinit.toml "
            f"starts it"
        )
        if described.at.file.startswith(_WORKPLACE) and reason == IDLE:
            reading.unfinished[name] = ""  # a place for a developer to work in, not a program
        command = None
    port, port_said = (None, None) if is_job else _port(each, name, command, given, reading)
    ready, ready_said = _readiness(described, reading.servers[each.name]) if port else (Readiness(), None)
    depends_on, conditions, said_of_order = _dependencies(described, given, reading)
    text, before = (command.text, command.before) if command else (None, ())
    if before and not given.is_certain and not is_job:
        reading.note(
            described.at,
            f"`{before[0]}` is not run before {each.name}: the server that it would work on is not certain",
        )
        before = ()
    if before and not is_job:
        said.append(structs.replace(said[0], about="before_start"))
    service = Service(
        name=name,
        command=" && ".join((*before, text)) if text and is_job else text,
        before_start=() if is_job else before,
        directory=command.folder if command else each.directory,
        port=port,
        depends_on=depends_on,
        conditions=conditions,
        ready=ready,
        env=given.env,
        env_file=tuple(given.files),
    )
    place = described.build.at if described.build else described.at
    reading.services[name] = service
    reading.evidence[name] = (
        *said,
        place.evidence("directory"),
        *([port_said] if port_said else ()),
        *([ready_said] if ready_said else ()),
        *said_of_order,
        *given.evidence,
    )
    if name != each.name:
        reading.note(described.at, f"{each.name} is called {name} here")


def _command(each: Member, network: Network, reading: Reading, given: Given, said: list[Evidence]) -> Native:
    """Return the command of a service, and add its evidence. Raise Refused if the command is uncertain."""
    described, stage = each.definition, each.stage
    of_image = (stage.entrypoint, stage.command) if stage else ((), ())
    words = words_run(described.entrypoint, described.command, of_image)

    place = Surroundings(each.directory, reading.bounds, each.folders, each.files)
    found = native(words, place, is_job=each.name in reading.jobs)
    texts = [in_text(text, network) for text in (found.text, *found.before)]
    for text in texts:
        given.reached |= set(prefixes_in(text.template, network))
        if text.missing or text.problems:
            raise Refused(f"its command names {text.missing[0].name if text.missing else text.problems[0]}")
    if described.command is not None or described.entrypoint is not None:
        said.append(described.command_at.evidence("command"))
    elif stage is not None:
        said.append(Evidence(about="command", file=each.stage_file, line=stage.command_line, says=stage.says))
    last, *before = [_with_variables(text.template) for text in texts]
    return structs.replace(found, text=last, before=tuple(before))


def _why_not(each: Member, command: Native | None, given: Given, reading: Reading) -> str:
    """Return why a command is not run; "" if it is run, or if there is none."""
    described = each.definition
    if command is None:
        return ""
    is_job = each.name in reading.jobs
    if described.restart == "no" and not is_job and not described.ports and not command.only_works:
        return "it runs once, and nothing waits for it"
    if is_job and not given.is_certain:
        return "the server that it would work on is not certain"
    folder = command.folder.relative_to(reading.bounds.root).as_posix()
    process = Process(
        name=described.name,
        service=described.name,
        command=command.command.text,
        file=described.at.file,
        line=described.at.line,
        index=0,
    )
    known = structs.replace(command.command, folder="" if folder == "." else folder)
    return why_not(process, known, Weight.PROCESSES, reading.bounds).removeprefix("left out: ")


def _port(
    each: Member, name: str, command: Native | None, given: Given, reading: Reading
) -> tuple[PortRequest | None, Evidence | None]:
    """Return the port of a service, and the evidence for it."""
    described, container = each.definition, reading.servers[each.name].main
    if command is not None and command.only_works:
        return None, None
    has_port = container is not None or any(variable.name == "PORT" for variable in described.environment)
    if command is not None and not has_port and not command.command.serves and only_works(each.name, []):
        return None, None
    usual, fixed, said = _listening(described, command, given, reading)
    if container is None and usual is None and command is not None:
        return None, None
    if fixed is not None or (command is not None and usual is None):
        # There is no evidence that it listens on PORT.
        number = fixed or container or _USUAL_PORT
        at = [port.at.evidence("port") for port in described.ports if port.container == number]
        said = said or next(iter(at), None)
        request = preferring(name, number, browser=True)
        place = said.place if said else str(described.at)
        return structs.replace(request, last=number, strict=True, fixed_by=place), said
    published = published_port(described, container)
    if published is not None:
        return preferring(name, published[0], browser=True), published[1]
    is_open = container is not None and container >= LOWEST_UNPRIVILEGED_PORT and not each.serves_files
    number = container if is_open and container else usual or _USUAL_PORT
    return preferring(name, number, browser=True), None


def _listening(
    described: Definition, command: Native | None, given: Given, reading: Reading
) -> tuple[int | None, int | None, Evidence | None]:
    """Return a command's default port, its fixed port, and the evidence.

    Both are None for a program without evidence that it reads PORT.
    """
    if command is None:
        return None, None, None
    known, script = command.command, command.script
    if script is not None and script.strict and not known.takes_port:
        return script.port, script.port, next(iter(script.said), None)
    if known.serves or known.takes_port or script is not None:
        return known.serves.port if known.serves else (script and script.port) or _USUAL_PORT, None, None
    listens = listening_of(known.program, command.folder, reading.bounds)
    listening, said = listens or (None, ())
    if any(value in _ITS_PORT for value in given.env.values()) or "PORT" in {
        each.name for each in described.environment
    }:
        return (listening.port if listening else None) or _USUAL_PORT, None, None
    if listening is None:
        return None, None, None
    line = next(iter(said), None)
    if listening.variable == "PORT":
        return listening.port or _USUAL_PORT, None, line
    return listening.port, listening.port, line


def _readiness(described: Definition, server: Server) -> tuple[Readiness, Evidence | None]:
    """Return the readiness probe of a service, if its health check requests a page of its own."""
    page = own_page(" ".join(described.health_test))
    if page is None or (page.port and server.main and page.port != server.main):
        return Readiness(), None
    return Readiness(http=page.path), described.health_at.evidence("ready")


def _dependencies(
    described: Definition, given: Given, reading: Reading
) -> tuple[tuple[str, ...], dict[str, Condition], list[Evidence]]:
    """Return the dependencies of a service, with their conditions and evidence."""
    conditions: dict[str, Condition] = {}
    names: list[str] = []
    said: list[Evidence] = []
    for each in described.depends_on:
        other = reading.members.get(each.name)
        if other is None:
            continue
        if other.role is Role.MISSING:
            reading.needs.setdefault(each.name, {}).setdefault(described.name, [])
        name = reading.names.get(each.name)
        if name is None:
            continue
        names.append(name)
        said.append(each.at.evidence("depends_on"))
        if each.name in reading.jobs:
            conditions[name] = Condition.COMPLETED
        elif each.condition == "service_started" and other.role is not Role.DATA:
            conditions[name] = Condition.STARTED
    for other in reading.members.values():
        server = reading.servers[other.name]
        if other.role is Role.DATA and server.prefix in given.reached:
            names.append(reading.names[other.name])
    return tuple(dict.fromkeys(names)), conditions, said


def _with_variables(template: str) -> str:
    """Return the template of a command with devinit's PORT, and every other variable left to the shell."""
    return re.sub(r"(?<!\$)\$\$(?![{$])", "$", template.replace("$${PORT}", "${PORT}"))
