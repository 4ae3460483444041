"""The service that browsers call and the services that browsers load; CORS and the API URL follow from them.

The configuration has no key for these roles, because names and dependencies determine them.
"""

from __future__ import annotations

from devinit.kinds import kind_of
from devinit.model.service import Project, Service

BACKEND_NAMES = ("backend", "api", "server")
"""In order of preference."""
FRONTEND_NAMES = frozenset({"frontend", "web", "ui", "client", "app", "site", "admin"})


def backend_of(project: Project) -> Service | None:
    """Return the service whose URL a browser calls: by name, else the first on which another service depends."""
    serving = {name: service for name, service in project.services.items() if _serves(service)}
    for name in BACKEND_NAMES:
        if name in serving:
            return serving[name]
    needed = {name for service in serving.values() for name in service.depends_on}
    return next((service for name, service in serving.items() if name in needed), None)


def frontends_of(project: Project) -> tuple[Service, ...]:
    """Return the services whose pages a browser loads, in the order of the file."""
    backend = backend_of(project)
    return tuple(
        service
        for service in project.services.values()
        if _serves(service)
        and service is not backend
        and (service.name in FRONTEND_NAMES or (backend and backend.name in needed_by(project, service)))
    )


def needed_by(project: Project, service: Service) -> set[str]:
    """Return the names of all services on which a service depends, directly or through others."""
    needed: set[str] = set()
    pending = list(service.depends_on)
    while pending:
        name = pending.pop()
        if name not in needed and name in project.services:
            needed.add(name)
            pending += project.services[name].depends_on
    return needed


def _serves(service: Service) -> bool:
    return kind_of(service).has_pages and (service.port is not None or service.external_url is not None)
