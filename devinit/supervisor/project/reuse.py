"""Services that use a server on their port that devinit does not run: found there, proven, and left alone.

Such a service is an external one whose URL is the project's own: all rules for `url = …` apply to it. It has no
lease and no process, and nothing here ever stops it. Unlike a configured external service, it still asks for a
port (`is_reused`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from devinit.kinds.providers import PROVIDERS
from devinit.model.names import service_of
from devinit.model.running import RunningServer
from devinit.model.service import Health, Project, Service
from devinit.ports.granting.grants import Grant


class Asking:
    """A query to the servers on taken ports whether services can use them; it remembers which ones were asked."""

    def __init__(self, services: Iterable[Service]) -> None:
        self._services = {service.name: service for service in services}
        self.asked: set[str] = set()

    def __call__(self, service: str, port: int) -> RunningServer | None:
        """Ask the server on a port; return None without a protocol to ask in, and for extra ports.

        Blocks up to 1 s.
        """
        found = self._services.get(service)
        if found is None:
            return None
        provider = PROVIDERS[found.provider]
        said = provider.running(found, provider.endpoint(found, port))
        if said is not None:
            self.asked.add(service)
        return said


def using(service: Service, port: int) -> Service:
    """Return a service with the settings that it has while it uses the running server on a port.

    It is checked for as long as it is used, since nothing else shows when it goes away.
    """
    url = PROVIDERS[service.provider].endpoint(service, port).url
    return replace(
        service,
        external_url=url,
        extra_ports=(),
        setup=(),
        before_start=(),
        health=replace(service.health or Health(failures=1), restart_after=None),
    )


def port_of(service: Service) -> int:
    """Return the port of the server that a service uses."""
    return PROVIDERS[service.provider].endpoint(service, None).port or 0


def still_using(project: Project, running: Mapping[str, Service]) -> Project:
    """Return the configured project, with services that go on using the servers which they use now."""
    kept = {
        name: using(project.services[name], port_of(service))
        for name, service in running.items()
        if service.is_reused and name in project.services and may_use(project.services[name], service)
    }
    return replace(project, services={**project.services, **kept}) if kept else project


def may_use(configured: Service, running: Service) -> bool:
    """Return whether a service can still use a server found on its port."""
    return configured.provider == running.provider and configured.external_url is None


def without_ports_of_used_servers(grants: Iterable[Grant]) -> list[Grant]:
    """Return the grants without extra ports of services that use another's server; give those ports back."""
    grants = list(grants)
    used = {each.service for each in grants if each.granted.uses}
    needless = [each for each in grants if each.service not in used and service_of(each.service) in used]
    for each in needless:
        each.close()
    return [each for each in grants if each not in needless]
