"""Update references between services when some are renamed and others left out. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from msgspec import structs

from devinit.kinds import kind_of
from devinit.model.names import variable_prefix
from devinit.model.service import Service
from devinit.sources.source import Found

_LOCAL_PAGE = re.compile(r"(?P<host>\b(?:https?|wss?)://(?:localhost|127\.0\.0\.1)):(?P<port>\d{2,5})(?!\d)")
_REFERENCE = re.compile(r"\$\{([A-Z][A-Z0-9_]{0,80})_(HOST|PORT|URL|USER|PASSWORD|DB)\}")


def retold(
    service: Service, names: Mapping[str, str | None], others: Mapping[str, Service]
) -> tuple[Service, list[str]]:
    """Return a service that refers to the others by their new names, and notes on variables that it loses.

    `names` maps each of `others` to its new name; None for a service that is not started.
    """
    gone = {name: "is not started" for name, now in names.items() if now is None}
    service, notes = _without_addresses(service, gone, others)
    prefixes = {variable_prefix(name): variable_prefix(now) for name, now in names.items() if now}

    def renamed(text: str) -> str:
        return _REFERENCE.sub(lambda each: f"${{{prefixes.get(each[1], each[1])}_{each[2]}}}", text)

    changed = structs.replace(
        service,
        command=renamed(service.command) if service.command else service.command,
        before_start=tuple(map(renamed, service.before_start)),
        env={name: renamed(value) for name, value in service.env.items()},
        depends_on=tuple(now for name in service.depends_on if (now := names.get(name))),
        conditions={now: each for name, each in service.conditions.items() if (now := names.get(name))},
    )
    return changed, notes


def _without_addresses(
    service: Service, gone: Mapping[str, str], others: Mapping[str, Service]
) -> tuple[Service, list[str]]:
    """Return a service without variables that name an unreachable service, and a note for each.

    A variable that names only the port of such a service keeps the preferred port (`http://localhost:3000`), as in
    a list of allowed origins: no request goes there.
    """
    prefixes = {variable_prefix(name): name for name in gone}
    ports = {name: str(each.port.preferred) for name, each in others.items() if each.port and name in gone}
    notes: list[str] = []
    env: dict[str, str] = {}
    for name, value in service.env.items():
        named = [each for each in _REFERENCE.finditer(value) if each[1] in prefixes]
        missing = [each for each in named if each[2] != "PORT" or prefixes[each[1]] not in ports]
        if missing:
            server = prefixes[missing[0][1]]
            notes.append(f"{service.name}: {name} is left out, because {server} {gone[server]}")
        else:
            env[name] = _REFERENCE.sub(
                lambda each: ports[prefixes[each[1]]] if each[1] in prefixes else each[0], value
            )
    return structs.replace(service, env=env), notes


def without_addresses_of(found: Found, gone: Mapping[str, str]) -> Found:
    """Return the result without variables that name services in `gone`, which maps each service to the reason."""
    services, notes = dict(found.services), list(found.notes)
    for name, service in found.services.items():
        if name not in gone:
            services[name], problems = _without_addresses(service, gone, found.services)
            notes += problems
    return structs.replace(found, services=services, notes=tuple(notes))


def with_ports_of_pages(found: Found) -> Found:
    """Return the result with local URLs in variables following the ports of pages and servers that may move.

    A compose file gives a backend `http://localhost:5173` without naming the service of that page.
    """
    ports: dict[str, list[str]] = {}
    for name, service in found.services.items():
        if service.port is not None and not service.port.strict and kind_of(service).has_pages:
            ports.setdefault(str(service.port.preferred), []).append(variable_prefix(name))

    def told(address: re.Match[str]) -> str:
        names = ports.get(address["port"], [])
        return f"{address['host']}:${{{names[0]}_PORT}}" if len(names) == 1 else address[0]

    services = {
        name: structs.replace(
            service, env={key: _LOCAL_PAGE.sub(told, value) for key, value in service.env.items()}
        )
        for name, service in found.services.items()
    }
    return structs.replace(found, services=services)


def without_portless(found: Found) -> Found:
    """Return the result without variables that hold addresses of services without a port."""
    gone = {name: "has no port" for name, each in found.services.items() if each.port is None}
    return without_addresses_of(found, gone)


def without_unfinished(found: Found, wanted: Collection[str]) -> Found:
    """Return the result without services whose command no source knows.

    Services in `wanted` stay: a devinit.toml has their commands.
    """
    gone = {
        name: reason
        for name, reason in found.unfinished.items()
        if found.services[name].command is None and name not in wanted
    }
    return structs.replace(_without(found, gone), unfinished={})


def without_port_twins(found: Found, wanted: Collection[str]) -> Found:
    """Return the result with only the first of the services that have the same fixed port.

    Services in `wanted` stay: a devinit.toml may give them another port.
    """
    first: dict[int, str] = {}
    gone: dict[str, str] = {}
    for name, service in found.services.items():
        for request in service.port_requests:
            other = first.setdefault(request.preferred, name) if request.strict else name
            if other != name and name not in wanted:
                gone[name] = (
                    f"{name} is left out: port {request.preferred} is fixed, and {other} has it; a port of its "
                    f"own in [services.{name}] of devinit.toml starts it"
                )
    return _without(found, gone)


def _without(found: Found, gone: Mapping[str, str]) -> Found:
    """Return the result without the services in `gone`, which maps each to a note, or to "" for no note."""
    if not gone:
        return found
    names = {name: None if name in gone else name for name in found.services}
    notes = [*found.notes, *filter(None, gone.values())]
    services: dict[str, Service] = {}
    for name, service in found.services.items():
        if name not in gone:
            services[name], problems = retold(service, names, found.services)
            notes += problems
    evidence = {name: lines for name, lines in found.evidence.items() if name not in gone}
    return structs.replace(found, services=services, evidence=evidence, notes=tuple(notes))


def without_circles(found: Found) -> Found:
    """Return the result without dependencies that would make services wait for each other."""
    kept: dict[str, list[str]] = {name: [] for name in found.services}
    notes = list(found.notes)
    for name, service in found.services.items():
        for other in service.depends_on:
            if other not in kept:
                continue
            if name == other or leads_to(other, name, kept):
                notes.append(f"{name} does not wait for {other}, which waits for it")
            else:
                kept[name].append(other)
    services = {
        name: structs.replace(
            service,
            depends_on=tuple(kept[name]),
            conditions={other: each for other, each in service.conditions.items() if other in kept[name]},
        )
        for name, service in found.services.items()
    }
    return structs.replace(found, services=services, notes=tuple(notes))


def leads_to(start: str, end: str, edges: Mapping[str, Sequence[str]]) -> bool:
    """Return whether a service waits for another one, directly or not. `edges`: name → names that it waits for."""
    waiting, seen = [start], {start}
    while waiting:
        for name in edges.get(waiting.pop(), ()):
            if name == end:
                return True
            if name not in seen:
                seen.add(name)
                waiting.append(name)
    return False
