"""Turn the processes of a process-compose file into services, one to one."""

from __future__ import annotations

import os
import re

from msgspec import Struct, field, structs

from devinit.kinds import KINDS, kind_of
from devinit.model.defaults import preferring
from devinit.model.evidence import Evidence
from devinit.model.names import variable_prefix
from devinit.model.port import HIGHEST_PORT, LOWEST_PORT, PortRequest
from devinit.model.service import Condition, Readiness, Service
from devinit.sources.addresses import Login, Network, Server, logins_in, rewritten
from devinit.sources.commands.command import understood
from devinit.sources.commands.process import Process, problem_of, service_name
from devinit.sources.commands.services import Listing, Numbering, add
from devinit.sources.files import read
from devinit.sources.interpolation import template
from devinit.sources.probes import own_page
from devinit.sources.process_compose.definition import Definition, Probe, definition
from devinit.sources.servers import settings_of
from devinit.sources.source import Found, Weight
from devinit.sources.unreadable import problem_of_text
from devinit.sources.yaml_nodes import mapping_of, parsed
from devinit.system.bounds import Bounds, not_read

MOST_PROCESSES = 50
_NUMBERING = Numbering(8000, 0)
"""process-compose assigns no ports: a server that names none gets the usual port of its program."""
_MAKES_DATABASES = re.compile(r"(?<![\w-])(?:initdb|createdb|createuser|pg_ctlcluster)(?![\w-])")
_PLAIN_FOLDER = re.compile(r"(?![/~-])[^\s$'\"`\\;|&<>()*?!]*")
"""Matches a folder of the project that needs no quotes in a shell."""


class Reading(Struct):
    """The result of reading a file so far."""

    listing: Listing
    names: dict[str, str] = field(default_factory=dict)
    """Process in the file → service."""
    described: dict[str, Definition] = field(default_factory=dict)
    """Keyed by service; without the databases."""


def found_in(bounds: Bounds, files: tuple[str, ...]) -> Found:
    """Return the processes of a project's file; the first existing name of `files` counts."""
    origin = next((name for name in files if os.path.lexists(bounds.root / name)), None)
    if origin is None:
        return Found()
    path = bounds.root / origin
    if target := bounds.target_beyond(path):
        return Found(origin=origin, notes=(not_read(path, bounds.root, target),))
    if problem := problem_of_text(path, bounds):
        return Found(origin=origin, notes=(f"{origin} cannot be read: {problem}",))
    document = parsed(read(path, bounds), origin)
    listing = Listing(Weight.PROCESSES, bounds, _NUMBERING, notes=[*document.problems])
    file = mapping_of(document.root)
    processes = mapping_of(file.items.get("processes")) if file else None
    if file is None or processes is None:
        if not listing.notes:
            listing.notes.append(f"{origin} names no process")
        return listing.found(origin)
    reading, taken = Reading(listing), set[str]()
    for index, (name, node) in enumerate([*processes.items.items()][:MOST_PROCESSES]):
        described = mapping_of(node)
        if described is not None:
            _add(definition(name, processes.keys[name], described, file), index, taken, reading)
    _complete(reading)
    return listing.found(origin)


def _add(described: Definition, index: int, taken: set[str], reading: Reading) -> None:
    """Add the service of a process, or a note with the reason if there is none."""
    listing = reading.listing
    if reason := _why_not(described, listing.bounds):
        listing.note(str(described.command_at), f"{described.name} is left out: {reason}")
        return
    folder = described.folder.removeprefix("./").rstrip("/")
    process = Process(
        name=described.name,
        service=service_name(re.sub(r"[^A-Za-z0-9_-]", "-", described.name), taken),
        command=described.command,
        folder="" if folder == "." else folder,
        file=described.command_at.file,
        line=described.command_at.line,
        index=index,
    )
    before = {*listing.services}
    add(process, listing)
    for name in listing.services.keys() - before:
        reading.names[described.name] = name
        if kind_of(listing.services[name]).runs_a_command:
            reading.described[name] = described


def _why_not(described: Definition, bounds: Bounds) -> str:
    if described.problem or not described.command:
        return described.problem or "it has no command"
    if problem := problem_of(described.command):
        return problem
    if _MAKES_DATABASES.search(described.command):
        return "devinit makes the databases itself"
    folder = described.folder
    is_inside = _PLAIN_FOLDER.fullmatch(folder) is not None and ".." not in folder.split("/")
    if not is_inside or not os.path.isdir(bounds.root / folder):  # noqa: PTH112 - too long a path raises
        return f"{folder} is no folder of the repository"
    return ""


def _complete(reading: Reading) -> None:
    """Add the facts that a list of commands lacks: order, variables, ports and readiness."""
    listing = reading.listing
    servers = _servers(reading)
    waited_for = {
        reading.names[name]
        for each in reading.described.values()
        for name, condition, _ in each.depends_on
        if condition is Condition.COMPLETED and name in reading.names
    }
    jobs = {name for name in waited_for if name in reading.described and not reading.described[name].is_kept}
    for name, described in reading.described.items():
        service = listing.services[name]
        evidence = [*listing.evidence[name]]
        port = None if name in jobs else _port(service, described, evidence)
        env = _environment(described, port, servers, evidence)
        depends_on: list[str] = []
        conditions: dict[str, Condition] = {}
        for other, condition, place in described.depends_on:
            known = reading.names.get(other)
            if known is None:
                continue
            depends_on.append(known)
            evidence.append(place.evidence("depends_on"))
            is_possible = known in (jobs if condition is Condition.COMPLETED else reading.described)
            if condition is not Condition.READY and is_possible:
                conditions[known] = condition
        listing.services[name] = structs.replace(
            service,
            port=port,
            port_env=service.port_env if port else (),
            depends_on=tuple(dict.fromkeys(depends_on)),
            conditions=conditions,
            ready=_readiness(described.probe, port, evidence),
            env=env,
            autostart=not described.is_disabled,
        )
        listing.evidence[name] = tuple(evidence)
        if described.depends_on:
            listing.clients.discard(name)
        if port is not None or name in jobs:
            without_port = f"{described.command_at}: {described.name} gets no port"
            listing.notes = [each for each in listing.notes if not each.startswith(without_port)]


def _servers(reading: Reading) -> dict[int, Server]:
    """Return the databases by port, with the logins from URLs in the file."""
    listing = reading.listing
    servers: dict[int, Server] = {}
    for name, service in listing.services.items():
        if service.port is not None and not kind_of(service).runs_a_command:
            number = service.port.preferred
            servers[number] = Server(name=name, prefix=variable_prefix(name), ports=(number,), is_data=True)
    network = _network(servers, None)
    for described in reading.described.values():
        for variable in described.environment:
            for server, login in logins_in(variable.value, network):
                number = server.ports[0]
                if servers[number].login == Login() and not any(variable.pieces[1:]):
                    servers[number] = structs.replace(server, login=_named(server, login, listing))
    return servers


def _named(server: Server, login: Login, listing: Listing) -> Login:
    """Apply the login of a URL to a database; return the login that the database then has."""
    service = listing.services[server.name]
    if not kind_of(service).has_databases:
        login = Login(password=login.password)
    stated = {"user": login.user, "password": login.password, "database": login.database}
    keys = {key: each for key, each in stated.items() if each}
    if not keys:
        return Login()
    try:
        settings = settings_of(KINDS[service.provider], keys, service.directory)
    except ValueError:
        return Login()
    listing.services[server.name] = structs.replace(service, settings=settings)
    return login


def _network(servers: dict[int, Server], port: PortRequest | None) -> Network:
    own = Server(name="", prefix=None, ports=(port.preferred,) if port else ())
    return Network(hosts={}, published=servers, own=own)


def _port(service: Service, described: Definition, evidence: list[Evidence]) -> PortRequest | None:
    """Return the port of a service: the one that its command takes, or the one that its probe asks."""
    named = next(
        (
            each
            for each in described.environment
            if each.name == "PORT" and each.value.isascii() and each.value.isdigit()
        ),
        None,
    )
    number = int(named.value[:6]) if named else _asked(described.probe)
    if number is None or not LOWEST_PORT <= number <= HIGHEST_PORT:
        is_told = understood(described.command)
        is_known = is_told.takes_port or is_told.serves or is_told.script or _names_port(evidence)
        return service.port if is_known else None
    request = preferring(service.name, number, browser=True)
    takes_it = named or (service.port is not None and (understood(described.command).takes_port))
    if not _names_port(evidence):
        place = named.at if named else described.probe.at if described.probe else described.at
        evidence.append(place.evidence("port"))
    elif takes_it and service.port is not None:
        return service.port
    return request if takes_it else structs.replace(request, last=number, strict=True)


def _names_port(evidence: list[Evidence]) -> bool:
    """Return whether a line names the port."""
    return any(each.about == "port" for each in evidence)


def _asked(probe: Probe | None) -> int | None:
    """Return the port that a probe asks."""
    if probe is None:
        return None
    page = own_page(probe.command)
    return probe.port or (page.port if page else None)


def _environment(
    described: Definition, port: PortRequest | None, servers: dict[int, Server], evidence: list[Evidence]
) -> dict[str, str]:
    network = _network(servers, port)
    values = {each.name: each.value for each in described.environment}
    env: dict[str, str] = {}
    for each in described.environment:
        if each.name in ("PORT", "HOST"):
            continue
        result = rewritten(each.name, each.value, values, network)
        text = result.template if result.changed else template(each.pieces, {})
        if text != f"${{{each.name}}}":
            env[each.name] = text
            evidence.append(each.at.evidence("env"))
    return env


def _readiness(probe: Probe | None, port: PortRequest | None, evidence: list[Evidence]) -> Readiness:
    """Return the readiness check of a service, as far as devinit supports its probe."""
    if probe is None:
        return Readiness()
    page = own_page(probe.command)
    path = probe.path or (page.path if page else "")
    if path:
        found = Readiness(http=path if path.startswith("/") else f"/{path}") if port else Readiness()
    elif probe.line:
        found = Readiness(log=re.escape(probe.line))
    else:
        found = Readiness(exec=probe.command.replace("$$", "$"))
    if found.is_stated:
        evidence.append(probe.at.evidence("ready"))
    return found
