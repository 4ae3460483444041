"""The servers of a project, with everything by which an address in its files is recognised. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from devinit.kinds import kind_of
from devinit.model.names import variable_prefix
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
"""Kind → words in the names of variables that mean a server of this kind."""
_WORDS_OF_KIND = {"postgres": ("POSTGRES", "POSTGRESQL", "PG"), "redis": ("REDIS", "VALKEY")}
_BACKEND_WORDS = ("API", "BACKEND", "SERVER")
_FRONTEND_WORDS = ("FRONTEND", "CLIENT", "WEB", "WEBAPP", "UI")
_CONTAINERS = {
    "postgres": ("db", "database", "postgres", "postgresql", "pg"),
    "redis": ("redis", "valkey", "cache", "broker"),
}
"""Kind → how people call its container, and so the host that another container reaches it by."""
_MODULE = re.compile(r"\b(?P<name>[A-Za-z]\w{0,60})(?:\.\w{1,60}){0,9}:[A-Za-z]")
"""The package in `shop.main:app`."""
_HOST_OF_CONTAINERS = "host.docker.internal"


class Known(Struct, frozen=True, kw_only=True):
    """A server of the project."""

    service: str
    server: Server
    ports: frozenset[int]
    """Those at which files may expect it: the usual one of its kind, the preferred one, the one that it has."""
    hosts: frozenset[str]
    """Names of containers that mean it."""
    schemes: frozenset[str]
    words: frozenset[str]
    """In the name of a variable they mean this server."""
    project_names: frozenset[str] = frozenset()
    """How the project calls itself, as a part of a variable's name: `SHOP` of `VITE_SHOP_API_URL`."""
    kind_words: frozenset[str] = frozenset()
    """Those of them that say of which kind the server is."""
    url: str
    """How clients reach it, in devinit's own form."""
    databases: frozenset[str] = frozenset()
    """All that it has; empty where devinit does not know, or it has none."""
    test_database: str | None = None
    is_web: bool = False
    is_elsewhere: bool = False
    """Whether devinit.toml names its `url`: devinit does not run it."""
    origins: tuple[str, ...] = ()
    """Of a server with pages: under which a browser loads them."""


class Servers(Struct, frozen=True, kw_only=True):
    """All servers of a project."""

    known: tuple[Known, ...]
    frontend_origins: tuple[str, ...]
    """What a backend has to accept."""

    def of(self, service: str) -> Known | None:
        """Return a service as a server; None for one without a port."""
        return next((each for each in self.known if each.service == service), None)

    def is_near(self, host: str) -> bool:
        """Whether a host is this machine, or a container that the project has a server for."""
        return (
            host in LOOPBACK
            or host == _HOST_OF_CONTAINERS
            or host.endswith(".localhost")
            or any(host in each.hosts for each in self.known)
        )


def servers_of(project: Project, endpoints: Mapping[str, Endpoint]) -> Servers:
    """Return the servers of a project where they answer now, or would."""
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
    return Servers(
        known=tuple(known), frontend_origins=origins(endpoints[service.name] for service in frontends)
    )


def _names_of(project: Project, backend: Service) -> frozenset[str]:
    """Return the project's name, and those of the packages that its backend's command names."""
    packages = (found["name"] for found in _MODULE.finditer(backend.command or ""))
    names = [variable_prefix(each) for each in (project.name, *packages)]
    return frozenset((*names, *(each.replace("_", "") for each in names)))


def _known(service: Service, endpoint: Endpoint, words: Iterable[str], *, is_first: bool) -> Known | None:
    """Return a service as a server; None for one without a port.

    `words`: by which the names of variables mean it, beside its own. `is_first`: of its kind.
    """
    kind, port, url = kind_of(service), endpoint.port, endpoint.url
    if port is None or url is None:
        return None
    usual = {kind.default_port} if kind.default_port is not None and is_first else set()
    asked = {service.port.preferred, service.port.first} if service.port is not None else set()
    # The first server of its kind is meant by the kind's own words; any other one by its own name alone.
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
