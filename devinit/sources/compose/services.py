"""The native services of a compose project."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from msgspec import structs

from devinit.kinds import is_native
from devinit.model.names import variable_prefix
from devinit.model.service import Service
from devinit.sources.addresses import Login, Network, Server
from devinit.sources.commands.languages import language_of_image
from devinit.sources.commands.process import service_name
from devinit.sources.compose.applications import add_application
from devinit.sources.compose.data import (
    Statement,
    data_service,
    databases_in,
    port_inside,
    statement_of,
)
from devinit.sources.compose.definition import definition
from devinit.sources.compose.environment import native_folder
from devinit.sources.compose.project_files import FileNames, compose_project
from devinit.sources.compose.reading import Reading
from devinit.sources.compose.roles import Member, Role, member
from devinit.sources.source import Found, Weight
from devinit.system.bounds import Bounds

_COMPLETED = "service_completed_successfully"


def found_in(bounds: Bounds, files: FileNames, nested: Callable[[Path], tuple[str, ...]]) -> Found:
    """Return the services in a project's compose files.

    `nested`: returns the files in subfolders of a project without these names at its top.
    """
    project = compose_project(bounds, files, nested(bounds.root))
    if not project.origin:
        return Found()
    reading = Reading(project)
    for name, node in project.services.items():
        described = definition(name, node.at, node, project)
        if described.profiles and project.profiles.isdisjoint(described.profiles):
            reading.note(described.at, f"{name} is left out: it is for the profile {described.profiles[0]}")
            reading.servers[name] = Server(name=name, prefix=None, ports=())
        else:
            reading.members[name] = member(described, bounds)
    reading.jobs = frozenset(
        each.name
        for other in reading.members.values()
        for each in other.definition.depends_on
        if each.condition == _COMPLETED
    )
    _name(reading)
    for each in reading.members.values():
        reading.servers[each.name] = _server(each, reading)
    for each in reading.members.values():
        _add(each, reading)
    _say_what_is_missing(reading)
    return Found(
        origin=project.origin,
        weight=Weight.CONTAINERS,
        services={name: _without_gone(service, reading) for name, service in reading.services.items()},
        evidence=reading.evidence,
        languages=_languages(reading),
        unfinished=reading.unfinished,
        containers=frozenset(project.services),
        notes=tuple(project.notes),
    )


def _languages(reading: Reading) -> dict[str, str]:
    """Return the language of each application's image, as far as its Dockerfile shows it."""
    stages = {each.name: each.stage for each in reading.members.values() if each.stage is not None}
    known = {name: language_of_image(stage.image) for name, stage in stages.items()}
    return {reading.names[name]: each for name, each in known.items() if each and name in reading.names}


def _name(reading: Reading) -> None:
    """Name each service: the first data service of a kind is named after the kind."""
    taken: set[str] = set()
    for each in reading.members.values():
        if each.role is Role.DATA and each.image.kind not in taken:
            reading.names[each.name] = service_name(each.image.kind, taken)
    for each in reading.members.values():
        if each.name not in reading.names and each.role in (Role.DATA, Role.APPLICATION):
            plain = re.sub(r"[^A-Za-z0-9_-]", "-", each.name)
            reading.names[each.name] = service_name(plain, taken)


def _server(each: Member, reading: Reading) -> Server:
    """Return a service as other services connect to it."""
    name = reading.names.get(each.name)
    is_data = each.role is Role.DATA
    return Server(
        name=each.name,
        prefix=variable_prefix(name) if name else None,
        ports=(port_inside(each.definition, each.image.kind),) if is_data else _ports_inside(each),
        is_data=is_data or each.image.is_database,
        login=_statement(each, reading).login if is_data else Login(),
    )


def _statement(each: Member, reading: Reading) -> Statement:
    hosts = {each.name, *each.definition.aliases}
    values = [
        variable.value for other in reading.members.values() for variable in other.definition.environment
    ]
    return statement_of(
        each, reading.project, [name for text in values for name in databases_in(text, hosts)]
    )


def _ports_inside(each: Member) -> tuple[int, ...]:
    """Return the ports of a container, starting with the one in its PORT variable."""
    described = each.definition
    ports = [published.container for published in described.ports] + [*described.exposed]
    if not ports and each.stage is not None:
        ports += each.stage.exposed
    named = next((each.value for each in described.environment if each.name == "PORT"), "")
    return tuple(dict.fromkeys(sorted(ports, key=lambda port: str(port) != named)))


def _network(each: Member, reading: Reading) -> Network:
    """Return the servers and paths that are visible to a service."""
    hosts = {name: server for name, server in reading.servers.items() if name not in reading.members}
    published: dict[int, Server] = {}
    for other in reading.members.values():
        server = reading.servers[other.name]
        for name in (*other.definition.aliases, other.name):
            hosts[name] = server
        for port in other.definition.ports:
            if port.host is not None and port.container == server.main:
                published[port.host] = server
    root = reading.bounds.root
    folders = tuple(
        (str(target), native_folder(source, root)) for target, source in each.folders if target.parts[1:]
    )
    gone = ("/run/secrets", *(str(target) for target in each.definition.volumes if target.parts[1:]))
    return Network(
        hosts=hosts, published=published, own=reading.servers[each.name], folders=folders, gone=gone
    )


def _add(each: Member, reading: Reading) -> None:
    """Add the native service for a compose service, or a note why there is none."""
    described, name = each.definition, reading.names.get(each.name, "")
    match each.role:
        case Role.DATA:
            root, server = reading.bounds.root, reading.servers[each.name]
            statement = _statement(each, reading)
            service, evidence, notes = data_service(each, name, server, statement, root)
            reading.services[name], reading.evidence[name] = service, evidence
            reading.project.notes += notes
        case Role.CLIENT:
            program = " ".join((*(described.entrypoint or ()), *(described.command or ())))
            reading.note(described.at, f"{each.name} is not run: `{program[:60]}` is a program of its image")
        case Role.MISSING:
            reading.needs.setdefault(each.name, {})
        case Role.NEEDLESS:
            what = "the others are reached without it" if each.image.is_proxy else "nothing needs it"
            image = f" ({each.image.title})" if each.image.title != each.name else ""
            reading.note(described.at, f"{each.name}{image} is left out: {what}")
        case Role.APPLICATION:
            add_application(each, name, _network(each, reading), reading)


def _without_gone(service: Service, reading: Reading) -> Service:
    """Return a service without dependencies that are not run."""
    kept = tuple(name for name in service.depends_on if name in reading.services)
    conditions = {name: each for name, each in service.conditions.items() if name in kept}
    return structs.replace(service, depends_on=kept, conditions=conditions)


def _say_what_is_missing(reading: Reading) -> None:
    """Add notes about servers that devinit does not run, and the services that need them."""
    for name, needing in reading.needs.items():
        each = reading.members[name]
        if each.role is not Role.MISSING:
            continue
        what = each.image.title or each.definition.image or "its image"
        title = f"{name} is not provided, because devinit {'starts' if is_native(what) else 'runs'} no {what}"
        title += " unasked" if is_native(what) else ""
        if each.image.title == "":
            title = f"{name} is not provided, because devinit does not run the image {what}"
        needs = " and ".join(
            f"{other} ({', '.join(dict.fromkeys(variables))})" if variables else other
            for other, variables in needing.items()
        )
        verb = "need" if len(needing) > 1 else "needs"
        reading.note(
            each.definition.at, f"{title}; {f'{needs} {verb} it' if needs else 'nothing here names it'}"
        )
