"""Number of open files that a project's services keep in the supervisor; they are reserved before a start."""

from __future__ import annotations

from collections.abc import Iterable

from devinit.model.service import Service

FOR_A_PROCESS = 1
FOR_A_PORT = 2
"""Descriptors for the lease and the hold."""
FOR_A_WATCH = 4
"""Descriptors that watchfiles opens."""


def kept_for(services: Iterable[Service]) -> int:
    """Return how many descriptors stay open while these services run; at most three per service with one port."""
    return sum(_kept_for(service) for service in services)


def _kept_for(service: Service) -> int:
    ports = len(service.port_requests)
    watch = FOR_A_WATCH if service.watch else 0
    own = 0 if service.external_url is not None else FOR_A_PROCESS + FOR_A_PORT * ports
    return own + watch
