"""The endpoints of services, on the ports that they have or would request."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from devinit.kinds import kind_of
from devinit.kinds.providers import PROVIDERS
from devinit.model.port import PortRequest
from devinit.model.probe import HttpProbe, TcpProbe
from devinit.model.service import Endpoint, ExtraEndpoint, Project, Service

if TYPE_CHECKING:
    from devinit.runtime.names import Naming


def endpoints_of(
    project: Project,
    port_of: Callable[[PortRequest], int],
    settled: Callable[[Service], Service],
    naming: Naming | None = None,
) -> dict[str, Endpoint]:
    """Return every endpoint of a project, keyed by the name of its port.

    `settled` returns a service with the scheme that it was found to use. `naming`: pages have names as well.
    """
    endpoints: dict[str, Endpoint] = {}
    for name, configured in project.services.items():
        service = settled(configured)
        port = port_of(service.port) if service.port is not None else None
        endpoints[name] = PROVIDERS[service.provider].endpoint(service, port)
        for extra in service.extra_ports:
            endpoints[extra.service] = extra_endpoint(service, extra, port_of(extra))
    if naming is None:
        return endpoints
    from devinit.runtime.names import named  # few projects have names

    return named(project, endpoints, naming)


def extra_endpoint(service: Service, request: PortRequest, port: int | None) -> Endpoint:
    """Return the endpoint of a further port of a service; it has a URL if the service has pages."""
    if not kind_of(service).has_pages:
        return Endpoint(service=request.service, host=service.host, port=port, url=None)
    stated = service.extra_endpoints.get(request.service, ExtraEndpoint())
    alone = Service(
        name=request.service,
        provider=service.provider,
        directory=service.directory,
        host=service.host,
        url_path=stated.url_path,
        scheme=stated.scheme,
    )
    return PROVIDERS[service.provider].endpoint(alone, port)


def extra_probes(service: Service, endpoints: dict[str, Endpoint]) -> dict[str, TcpProbe | HttpProbe]:
    """Return the readiness probes of a service's further ports, keyed by the name of the port."""
    probes: dict[str, TcpProbe | HttpProbe] = {}
    for name, extra in service.extra_endpoints.items():
        at = endpoints.get(name)
        if extra.ready and at is not None and at.port is not None:
            probes[name] = TcpProbe(at.host, at.port) if extra.http is None else HttpProbe.of(at, extra.http)
    return probes
