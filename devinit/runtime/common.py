"""The names that applications and client programs know before they have heard of this project. Pure.

`DATABASE_URL` and `REDIS_URL` mean the first server of their kind, whatever the service is called; libpq and
the drivers that follow it read the PG… names.
"""

from __future__ import annotations

from collections.abc import Mapping

from devinit.kinds import kind_of
from devinit.model.names import variable_prefix
from devinit.model.service import Endpoint, Project, Service
from devinit.runtime.roles import needed_by

URLS = ("DATABASE_URL", "TEST_DATABASE_URL")
"""Which database applications and tests use; the names of the first postgres alone."""
LIBPQ_NAMES = {
    "HOST": "PGHOST",
    "PORT": "PGPORT",
    "USER": "PGUSER",
    "PASSWORD": "PGPASSWORD",
    "DB": "PGDATABASE",
}
"""The ending of a service's own name → what libpq calls it."""
LIBPQ_ENCRYPTION = "PGSSLMODE"
LIBPQ = frozenset({*LIBPQ_NAMES.values(), LIBPQ_ENCRYPTION})


def first_of(project: Project, provider: str) -> Service | None:
    """Return the service that has the common names of a provider: the first one in the file."""
    return next((each for each in project.services.values() if each.provider == provider), None)


def common_names(project: Project, service: Service, endpoint: Endpoint) -> dict[str, str]:
    """Return the common names that a service has beside its own; none when it is not the first of its kind.

    A name that begins with another service's prefix stays that service's own (`postgres` behind `events`).
    """
    standard = kind_of(service).common_prefix
    if standard is None or first_of(project, service.provider) is not service:
        return {}
    own = variable_prefix(service.name)
    names = {name: url for name in URLS if (url := endpoint.variables.get(f"{own}_{name}"))}
    if any(variable_prefix(name) == standard for name in project.services):
        return names
    values = dict(endpoint.variables) | ({} if endpoint.url is None else {f"{own}_URL": endpoint.url})
    endings = {name.removeprefix(f"{own}_"): value for name, value in values.items() if name not in URLS}
    return names | {f"{standard}_{ending}": value for ending, value in endings.items() if ending not in URLS}


def libpq_names(service: Service, endpoint: Endpoint) -> dict[str, str]:
    """Return a postgres service under the names of libpq: psql, pg_dump and every driver find it by them.

    Servers of devinit have no TLS, and lib/pq of Go refuses one without unless PGSSLMODE says so. What a server
    that runs elsewhere wants is the business of its URL.
    """
    own = variable_prefix(service.name)
    found = {name: endpoint.variables.get(f"{own}_{part}", "") for part, name in LIBPQ_NAMES.items()}
    if service.external_url is None or service.is_reused:
        found[LIBPQ_ENCRYPTION] = "disable"
    else:
        found[LIBPQ_ENCRYPTION] = _encryption_of(service.external_url)
    return {name: value for name, value in found.items() if value}


def libpq_names_for(project: Project, endpoints: Mapping[str, Endpoint], service: Service) -> dict[str, str]:
    """Return the libpq names of the first database that a service depends on, directly or not; often none."""
    needed = needed_by(project, service)
    for name, other in project.services.items():
        if name in needed and other.provider == "postgres" and name in endpoints:
            return libpq_names(other, endpoints[name])
    return {}


def _encryption_of(url: str) -> str:
    """Return the value of `sslmode` in a URL; empty when it says nothing."""
    settings = url.partition("?")[2].partition("#")[0].split("&")
    return next((each.partition("=")[2] for each in settings if each.startswith("sslmode=")), "")
