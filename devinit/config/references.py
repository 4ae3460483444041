"""Checks across services: dependencies, cycles, and ports and names that must be unique."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from devinit.config.problems import Place, choose
from devinit.kinds import kind_of
from devinit.model.names import port_variable, variable_prefix
from devinit.model.port import PortRequest
from devinit.model.service import Condition, RestartMode, Service


def check_dependencies(services: Mapping[str, Service], place: Place) -> None:
    """Report dependencies that do not exist, and cycles among those that do."""
    for service in services.values():
        for name in service.depends_on:
            if name not in services:
                others = [other for other in services if other != service.name]
                place.at(service.name, "depends_on").add(
                    f'there is no service "{name}"', choose(name, others, what="services")
                )
            elif service.condition_of(name) is Condition.COMPLETED and (why := _why_endless(services[name])):
                place.at(service.name, "depends_on", name).add(
                    f"{name} never completes: {why}", 'wait until it is "ready" or "started"'
                )
    for cycle in cycles({name: each.depends_on for name, each in services.items()}):
        place.at(cycle[0], "depends_on").add(
            f"services wait for each other: {' → '.join([*cycle, cycle[0]])}", "remove one of the arrows"
        )


def _why_endless(service: Service) -> str:
    """Return why a service does not end by itself; "" if it may end."""
    if service.port is not None or service.external_url is not None:
        return "it is a server"
    return 'it has restart = "always"' if service.restart.mode is RestartMode.ALWAYS else ""


def check_ports(services: Mapping[str, Service], place: Place) -> list[str]:
    """Report fixed ports that two services request; return notes about shared preferences."""
    notes = []
    wanted: dict[int, PortRequest] = {}
    for service, request in ((each, one) for each in services.values() for one in each.port_requests):
        other = wanted.setdefault(request.preferred, request)
        if other is request:
            continue
        if request.strict and other.strict:
            place.at(service.name, "port").add(
                f"port {request.preferred} is the strict port of {other.service} too",
                "only one of them can have it",
            )
        else:
            moving, staying = (other, request) if request.strict else (request, other)
            notes.append(
                f"{staying.service} and {moving.service} both prefer port {request.preferred}: "
                f"{moving.service} will move"
            )
    return notes


def check_variables(services: Mapping[str, Service], place: Place) -> None:
    """Report services whose variables would have the same name."""
    owners: dict[str, str] = {}
    for service in services.values():
        name = port_variable(service.name)
        other = owners.setdefault(name, service.name)
        if other != service.name:
            place.at(service.name).add(
                f"its variable {name} is {other}'s too", "give one of them another name"
            )
    for service in services.values():
        for request in service.extra_ports:
            name = port_variable(request.service)
            other = owners.setdefault(name, request.service)
            if other != request.service:
                place.at(service.name, "extra_ports").add(
                    f"its variable {name} is {other}'s too", "give one of them another name"
                )
    for service in services.values():
        for alias in service.port_env:
            other = owners.setdefault(alias, service.name)
            if other != service.name:
                place.at(service.name, "port_env").add(f"{alias} is the port of {other} already")
    _check_urls(services, place)


def _check_urls(services: Mapping[str, Service], place: Place) -> None:
    """Report a service whose URL would take the variable of another one's database: `database`, `postgres`."""
    every = [each for each in services.values() if kind_of(each).has_databases]
    databases = {
        f"{variable_prefix(each.name)}_DATABASE_URL": each
        for each in every
        if variable_prefix(each.name) != kind_of(each).common_prefix
    }
    # The first database has the common name, too, whatever its service is called.
    if every:
        databases["DATABASE_URL"] = every[0]
    for service in services.values():
        name = f"{variable_prefix(service.name)}_URL"
        has_url = service.port is not None or service.external_url is not None
        other = databases.get(name, service)
        if has_url and other.name != service.name:
            place.at(service.name).add(
                f"{name} would be its URL, and it is {other.name}'s: applications would not find the database",
                f"rename it, or {other.name}",
            )


def cycles(dependencies: Mapping[str, tuple[str, ...]]) -> Iterator[list[str]]:
    """Yield each cycle in the dependencies once."""
    done: set[str] = set()
    for start in dependencies:
        way: list[str] = []
        branches = [iter((start,))]
        while branches:
            name = next(branches[-1], None)
            if name is None:
                branches.pop()
                if way:
                    done.add(way.pop())
            elif name in way:
                yield way[way.index(name) :]
            elif name in dependencies and name not in done:
                way.append(name)
                branches.append(iter(dependencies[name]))
