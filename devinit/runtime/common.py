"""Variable names that applications and client programs expect anyway: `DATABASE_URL`, `PGHOST`. Pure.

`DATABASE_URL` and `REDIS_URL` stand for the first server of their kind, whatever the service is called. Client
programs, and drivers that follow them, read their own names: libpq reads the PG… names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from devinit.kinds import KINDS, kind_of
from devinit.model.names import variable_prefix
from devinit.model.service import Endpoint, Project, Service
from devinit.runtime.roles import needed_by

URLS = ("DATABASE_URL", "TEST_DATABASE_URL")
"""Names of the database that applications and tests use; only the first database of a project has them."""


def first_of_each(project: Project) -> dict[str, Service]:
    """Return the service that has the common names of each provider: the first one in the file."""
    return {each.provider: each for each in reversed(project.services.values())}


def first_database(project: Project) -> Service | None:
    """Return the service that applications find as DATABASE_URL: the first database in the file."""
    return next((each for each in project.services.values() if kind_of(each).has_databases), None)


def common_names(project: Project, service: Service, endpoint: Endpoint) -> dict[str, str]:
    """Return the common names that the first service of its kind gets in addition to its own.

    A name that begins with another service's prefix stays that service's own (`postgres` behind `events`).
    """
    standard = kind_of(service).common_prefix
    if standard is None:
        return {}
    own = variable_prefix(service.name)
    urls = URLS if first_database(project) is service else ()
    names = {name: url for name in urls if (url := endpoint.variables.get(f"{own}_{name}"))}
    if any(variable_prefix(name) == standard for name in project.services):
        return names
    values = dict(endpoint.variables) | ({} if endpoint.url is None else {f"{own}_URL": endpoint.url})
    endings = {name.removeprefix(f"{own}_"): value for name, value in values.items() if name not in URLS}
    return names | {f"{standard}_{ending}": value for ending, value in endings.items() if ending not in URLS}


def client_names(service: Service, endpoint: Endpoint) -> dict[str, str]:
    """Return the names by which client programs find a server, with values; empty for a kind without any."""
    declared = kind_of(service).client_names
    if declared is None:
        return {}
    beginning = f"{variable_prefix(service.name)}_"
    own = {name.removeprefix(beginning): value for name, value in endpoint.variables.items()}
    return declared.of(service, own)


def client_names_for(project: Project, endpoints: Mapping[str, Endpoint], service: Service) -> dict[str, str]:
    """Return the client names of the servers that a service needs, directly or not: the first of each kind."""
    return {
        name: value
        for other in _servers_for(project, endpoints, service)
        for name, value in client_names(other, endpoints[other.name]).items()
    }


def misleading_names(
    project: Project, endpoints: Mapping[str, Endpoint], service: Service | None = None
) -> frozenset[str]:
    """Return the names that a service must not inherit from its caller: client programs would reach other servers.

    Without a service, the names are for a command that runs beside the services. For a server, they include the
    names of its own client programs, because a command may run in its environment. A server does not count when
    the project or the service leaves its client names out: no client program finds it by them.
    """
    left_out = {*project.left_out, *(service.left_out if service is not None else ())}
    servers = [*_servers_for(project, endpoints, service)]
    if service is not None and service.name in endpoints:
        servers.append(service)
    return frozenset().union(
        *(
            declared.misleading(server)
            for server in servers
            if (declared := kind_of(server).client_names) is not None
            and client_names(server, endpoints[server.name]).keys() - left_out
        )
    )


def _servers_for(
    project: Project, endpoints: Mapping[str, Endpoint], service: Service | None
) -> Iterable[Service]:
    """Return the first server of each kind that a service depends on; without a service, of the project."""
    needed = project.services.keys() if service is None else needed_by(project, service)
    first: dict[str, Service] = {}
    for name, other in project.services.items() if needed else ():
        if name in needed and name in endpoints:
            first.setdefault(other.provider, other)
    return first.values()


def all_client_names() -> frozenset[str]:
    """Return the names by which client programs look for a server of any kind."""
    return frozenset().union(*(kind.client_names.names for kind in KINDS.values() if kind.client_names))
