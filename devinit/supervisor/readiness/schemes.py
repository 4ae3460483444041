"""The scheme, http or https, by which a service is asked; a detected one is remembered for its next start.

Other services are given its URL before it runs. Without this memory, a backend would get a wrong URL of a frontend
with a certificate at each start, and be restarted for the right one.
"""

from __future__ import annotations

import logging
from pathlib import Path

import msgspec

from devinit.errors import StateFileError
from devinit.kinds import kind_of
from devinit.model.service import ExtraEndpoint, Scheme, Service
from devinit.supervisor.readiness.scheme_hints import expects_tls
from devinit.system.files import read_text, write_atomically

log = logging.getLogger(__name__)

NAME = "schemes.json"


class Schemes:
    """The schemes of a checkout's services that were detected because no configuration states them."""

    def __init__(self, private: Path) -> None:
        self._path = private / NAME
        self._found = _read(self._path)
        """Keyed by the name of the service, or of a further port (`backend.admin`)."""

    def settled(self, service: Service) -> Service:
        """Return a service with the schemes that are stated, detected, or likely."""
        extras = {
            name: msgspec.structs.replace(stated_of(service, name), scheme=scheme)
            for name in open_extra_ports(service)
            if (scheme := self._found.get(name)) is not None
        }
        if extras:
            endpoints = {**service.extra_endpoints, **extras}
            service = msgspec.structs.replace(service, extra_endpoints=endpoints)
        if not is_open(service):
            return service
        scheme = self._found.get(service.name) or (Scheme.HTTPS if expects_tls(service) else None)
        return service if scheme is None else msgspec.structs.replace(service, scheme=scheme)

    def remember(self, name: str, scheme: Scheme) -> None:
        """Record the scheme that was detected for a service, or for one of its further ports."""
        self._found[name] = scheme
        try:
            write_atomically(self._path, msgspec.json.encode(self._found) + b"\n", mode=0o600, durable=False)
        except StateFileError as error:
            # The next start detects it again.
            log.warning("%s", error.message)


def is_open(service: Service) -> bool:
    """Return whether the scheme of a service has to be detected."""
    return (
        service.scheme is None
        and kind_of(service).has_pages
        and service.port is not None
        and service.external_url is None
    )


def open_extra_ports(service: Service) -> list[str]:
    """Return the further ports whose scheme is not stated and has to be detected."""
    if not kind_of(service).has_pages or service.external_url is not None:
        return []
    names = [request.service for request in service.extra_ports]
    return [name for name in names if stated_of(service, name).scheme is None]


def stated_of(service: Service, name: str) -> ExtraEndpoint:
    """Return the settings of a further port besides its number."""
    return service.extra_endpoints.get(name, ExtraEndpoint())


def _read(path: Path) -> dict[str, Scheme]:
    try:
        text = read_text(path)
        return msgspec.json.decode(text, type=dict[str, Scheme]) if text is not None else {}
    except (StateFileError, msgspec.DecodeError, RecursionError) as error:
        # It is detected again.
        log.warning("%s cannot be read: %s", path, error)
        return {}
