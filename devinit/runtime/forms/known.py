"""The servers of a project, with everything by which devinit recognises their addresses in its files. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from devinit.kinds import kind_of
from devinit.model.names import variable_prefix
from devinit.model.project_keys import PageUrls
from devinit.model.service import DatabaseSettings, Endpoint, Project, Service
from devinit.model.web_ports import without_usual_port
from devinit.runtime.cors import origins
from devinit.runtime.forms.address import LOOPBACK, WEB_SCHEMES, Server, parse
from devinit.runtime.roles import backend_of, frontends_of

_WORDS = {
    "postgres": (
        "DATABASE", "DB", "POSTGRES", "POSTGRESQL", "PG", "SQL", "SQLALCHEMY", "DBHOST", "DBPORT", "DATASOURCE",
    ),
    "redis": ("REDIS", "VALKEY", "CELERY", "BROKER", "CACHE", "QUEUE", "RQ", "ARQ", "SAQ"),
}  # fmt: skip
"""Words in variable names that mean a server, by kind."""
_WORDS_OF_KIND = {"postgres": ("POSTGRES", "POSTGRESQL", "PG"), "redis": ("REDIS", "VALKEY")}
_BACKEND_WORDS = ("API", "BACKEND", "SERVER")
_FRONTEND_WORDS = ("FRONTEND", "CLIENT", "WEB", "WEBAPP", "UI")
_CONTAINERS = {
    "postgres": ("db", "database", "postgres", "postgresql", "pg"),
    "redis": ("redis", "valkey", "cache", "broker"),
}
"""Usual container names by kind: other containers reach the server by this host name."""
_MODULE = re.compile(r"\b(?P<name>[A-Za-z]\w{0,60})(?:\.\w{1,60}){0,9}:[A-Za-z]")
"""The package in `shop.main:app`."""
_HOST_OF_CONTAINERS = "host.docker.internal"


class Known(Struct, frozen=True, kw_only=True):
    """A server of the project."""

    service: str
    server: Server
    ports: frozenset[int]
    """Ports at which files may expect it: the default of its kind, the preferred one, and the current one."""
    hosts: frozenset[str]
    """Names of containers that mean this server."""
    schemes: frozenset[str]
    words: frozenset[str]
    """Words in variable names that mean this server."""
    project_names: frozenset[str] = frozenset()
    """Names of the project as a part of a variable name: `SHOP` in `VITE_SHOP_API_URL`."""
    kind_words: frozenset[str] = frozenset()
    """The subset of `words` that names the kind of server."""
    url: str
    """The address for clients, in devinit's own form."""
    databases: frozenset[str] = frozenset()
    """All databases of the server; empty if it has none or devinit does not know them."""
    test_database: str | None = None
    is_web: bool = False
    is_elsewhere: bool = False
    """Whether devinit.toml gives its `url`: devinit does not run it."""
    origins: tuple[str, ...] = ()
    """For a server with pages: the origins from which a browser loads them."""


class Servers(Struct, frozen=True, kw_only=True):
    """All servers of a project."""

    known: tuple[Known, ...]
    frontend_origins: tuple[str, ...]
    """The origins that a backend has to accept."""

    def of(self, service: str) -> Known | None:
        """Return the server of a service; None for a service without a port."""
        return next((each for each in self.known if each.service == service), None)

    def is_near(self, host: str) -> bool:
        """Whether a host is this machine, or a container for which the project has a server."""
        return (
            host in LOOPBACK
            or host == _HOST_OF_CONTAINERS
            or host.endswith(".localhost")
            or any(host in each.hosts for each in self.known)
        )


def servers_of(project: Project, endpoints: Mapping[str, Endpoint]) -> Servers:
    """Return the servers of a project at their current addresses, or at those that they would have."""
    backend = backend_of(project)
    frontends = [service for service in frontends_of(project) if service.name in endpoints]
    names = {service.name for service in frontends}
    seen: set[str] = set()
    known = []
    for name, service in project.services.items():
        endpoint = endpoints.get(name)
        if endpoint is None:
            continue
        is_backend = backend is not None and name == backend.name
        words = _BACKEND_WORDS if is_backend else _FRONTEND_WORDS if name in names else ()
        found = _known(service, endpoint, words, is_first=service.provider not in seen)
        if found is not None and is_backend:
            found = replace(found, project_names=_names_of(project, service))
        if found is not None:
            known.append(found)
            seen.add(service.provider)
    pages = [endpoints[service.name] for service in frontends]
    return Servers(
        known=tuple(known), frontend_origins=origins(pages, names_first=project.urls is PageUrls.NAMES)
    )


def _names_of(project: Project, backend: Service) -> frozenset[str]:
    """Return the name of the project and of the packages in the command of its backend."""
    packages = (found["name"] for found in _MODULE.finditer(backend.command or ""))
    names = [variable_prefix(each) for each in (project.name, *packages)]
    return frozenset((*names, *(each.replace("_", "") for each in names)))


def _known(service: Service, endpoint: Endpoint, words: Iterable[str], *, is_first: bool) -> Known | None:
    """Return a service as a server; None for a service without a port.

    `words`: words in variable names that mean it, in addition to its own name. `is_first`: of its kind.
    """
    kind, port, url = kind_of(service), endpoint.port, endpoint.url
    if port is None or url is None:
        return None
    usual = {kind.default_port} if kind.default_port is not None and is_first else set()
    asked = {service.port.preferred, service.port.first} if service.port is not None else set()
    # The words of a kind mean the first server of that kind; other servers are meant only by their own names.
    of_kind = _WORDS.get(kind.name, ()) if is_first else ()
    containers = _CONTAINERS.get(kind.name, ()) if is_first else ()
    parsed = parse(url)
    settings = service.settings_as(DatabaseSettings)
    return Known(
        service=service.name,
        server=Server(
            host=endpoint.host if not kind.has_pages or endpoint.host not in LOOPBACK else "localhost",
            port=port,
            user=parsed.user if parsed else None,
            password=parsed.password if parsed else None,
            database=parsed.database if parsed and kind.has_databases else None,
            has_login=not kind.has_pages,
            tls=url.startswith("https:"),
        ),
        ports=frozenset({port, *usual, *asked}),
        hosts=frozenset({service.name, *containers}),
        schemes=WEB_SCHEMES if kind.has_pages else frozenset(kind.url_schemes),
        words=frozenset({variable_prefix(service.name), *of_kind, *words}),
        kind_words=frozenset(_WORDS_OF_KIND.get(kind.name, ())) if is_first else frozenset(),
        url=without_usual_port(url),
        databases=frozenset() if settings is None else frozenset({settings.database, *settings.databases}),
        test_database=None if settings is None else settings.test_database,
        is_web=kind.has_pages,
        is_elsewhere=service.external_url is not None and not service.is_reused,
        origins=origins((endpoint,)) if kind.has_pages else (),
    )
