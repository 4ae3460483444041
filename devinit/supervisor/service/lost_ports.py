"""Ports of a service that another process holds, or whose connections end elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

from devinit.model.probe import ExchangeProbe, HttpProbe, TcpProbe
from devinit.model.service import Service
from devinit.supervisor.diagnosis.causes import ports_in_use
from devinit.supervisor.lifecycle import PortLost, PortUnavailable
from devinit.supervisor.project.project_state import ProjectState
from devinit.supervisor.readiness.probing import redirected_before
from devinit.supervisor.service.binding import asks_for_another


def loss(stage: ProjectState, service: str) -> PortLost | PortUnavailable | None:
    """Return which port another process took while the service was down, if any."""
    complete = stage.ports.make_ready(service)
    if lost := lost_extra_ports(stage, service):
        return lost
    return None if complete else PortLost("another process took the port while it was down")


async def redirection(stage: ProjectState, service: Service) -> PortLost | None:
    """Return a loss when connections to the port end elsewhere.

    A probe that makes no connection would miss that.
    """
    port, probe = stage.ports.port_of(service.name), stage.probe(service)
    if port is None or isinstance(probe, TcpProbe | HttpProbe | ExchangeProbe):
        return None
    reason = await redirected_before(TcpProbe(stage.endpoint(service.name).host, port))
    if reason is None:
        return None
    stage.ports.avoid(port, reason)
    return PortLost(reason)


def lost_extra_ports(stage: ProjectState, service: str) -> PortUnavailable | None:
    """Return which further ports another process holds, if any: they cannot be moved during a start."""
    lost = stage.ports.lost_extra_ports(service)
    if not lost:
        return None
    taken = " and ".join(f"{port.port} ({port.service.partition('.')[2]})" for port in lost)
    return PortUnavailable(
        f"another process took its extra port {taken}\n`devinit restart {service}` looks for another one, "
        f"`devinit ports who {lost[0].port}` says who has it"
    )


def could_not_bind(
    stage: ProjectState, service: str, last_words: Sequence[str], *, tried_again: bool
) -> PortLost | PortUnavailable | None:
    """Return the loss when the last words of a service say that a port was taken; None when they do not."""
    ports = stage.ports
    named, own = ports_in_use("\n".join(last_words)), [each.port for each in ports.granted_to(service)]
    if named is None or not own:
        return None
    another = asks_for_another(named, own, tried_again=tried_again, retake=lambda: ports.make_ready(service))
    if lost := lost_extra_ports(stage, service):
        return lost
    return PortUnavailable(another) if another is not None else PortLost("it says that the address is in use")


def hold_is_in_the_way(stage: ProjectState, service: str) -> bool:
    """Give up the hold of a port that no other process has, and return whether that was done.

    The service may not be able to bind over the hold.
    """
    stage.ports.make_ready(service)
    return stage.ports.has_to_itself(service) and stage.ports.release_hold(service)
