"""Reports about a stopped service, by a supervisor or by a command without one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from devinit.model.status import Phase

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from devinit.model.service import Service
    from devinit.model.status import Mode, ServiceStatus


def row_at_rest(
    service: Service, remembered: Mapping[str, int], changed: Sequence[str] = (), *, has_pages: bool
) -> ServiceStatus:
    """Return the `status` row of a stopped service, with the ports that its next start requests.

    `remembered`: the content of `.ports.json`. `changed` and `has_pages`: as in the row.
    """
    port = service.port
    return {
        "name": service.name,
        "provider": service.provider,
        "phase": Phase.STOPPED.value,
        "mode": mode_at_rest(service, remembered.get(service.name)),
        "port": port.expected(remembered.get(service.name)) if port else None,
        "preferred_port": port.preferred if port else None,
        "url": None,
        "pid": None,
        "uptime_seconds": None,
        "restarts": 0,
        "cpu_percent": None,
        "memory_bytes": None,
        "reason": None,
        "changed": list(changed),
        "restarted_for": None,
        "has_pages": has_pages,
        "autostart": service.autostart,
        "optional": service.optional,
        "depends_on": list(service.depends_on),
        "extra_ports": [
            {
                "name": each.service,
                "port": each.expected(remembered.get(each.service)),
                "preferred_port": each.preferred,
                "url": None,
            }
            for each in service.extra_ports
        ],
        "watch": None,
        "last_error": None,
        "talks_to": [],
        "wrong_servers": [],
        "waits_for_input": None,
        "terminal": None,
        "truncated": False,
        "next_port": None,
    }


def mode_at_rest(service: Service, remembered: int | None) -> Mode:
    """Return how a stopped service would get its address."""
    if service.external_url is not None:
        return "external"
    moves = service.port is not None and service.port.expected(remembered) != service.port.preferred
    return "moved" if moves else "preferred"


A_PROGRAM = "a program of yours"
"""The beginning of messages about a program that has leased a port for itself."""


def program_has(name: str, port: int) -> str:
    """Return the message that a program which devinit did not start has leased a port under a service's name."""
    return f"{A_PROGRAM} has leased port {port} as {name}"


def how_to_start(name: str) -> str:
    """Return the message about a stopped service, with the command that starts it."""
    return f"it is stopped: `devinit start {name}` starts it"


def without_supervisor(name: str) -> str:
    """Return the message about a service that no supervisor has recorded, with the command that ends it."""
    return f"it runs without a supervisor: `devinit stop {name}` ends it"


def in_another_container(name: str) -> str:
    """Return the same message for a service whose processes are invisible from here."""
    return (
        f"it runs without a supervisor in another container or namespace: `devinit stop {name}` there ends it"
    )
