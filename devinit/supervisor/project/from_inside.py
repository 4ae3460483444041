"""Addresses of a project's services as the program in a container reaches them. Pure."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from devinit.kinds.contained import FromInside
from devinit.kinds.providers import PROVIDERS
from devinit.model.names import service_of
from devinit.model.service import Endpoint, Project, Service
from devinit.runtime.roles import frontends_of

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def called_by(project: Project, service: Service, endpoints: Mapping[str, Endpoint]) -> dict[str, int]:
    """Return the local ports at which a container's program may call other services, by their names.

    A frontend's address is meant for the browser, and a server on another machine is reached at its usual address.
    """
    not_called = {service.name, *(each.name for each in frontends_of(project))}
    return {
        name: each.port
        for name, each in endpoints.items()
        if each.port is not None and each.host in _LOOPBACK and service_of(name) not in not_called
    }


def endpoints_inside(
    project: Project, service: Service, endpoints: Mapping[str, Endpoint], seen: FromInside
) -> dict[str, Endpoint]:
    """Return all endpoints of a project as a container sees them: those that it reaches get its own addresses."""
    found = dict(endpoints)
    for name, port in called_by(project, service, endpoints).items():
        other = project.services.get(name)
        if port in seen.ports and other is not None:
            there = msgspec.structs.replace(other, host=seen.host)
            at = PROVIDERS[other.provider].endpoint(there, seen.ports[port])
            # The URL of pages names the browser's machine, whatever `host` is.
            url = at.url and at.url.replace(f"//localhost:{at.port}", f"//{seen.host}:{at.port}", 1)
            found[name] = msgspec.structs.replace(at, url=url, origins=endpoints[name].origins)
    return found
