"""Effects of a moved port beyond its number: names that change, an OAuth provider that knows only the old port."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from devinit.model.names import ENVIRONMENT_FILE
from devinit.model.port import Conflict, GrantedPort, Resolution, ResolutionKind
from devinit.model.service import Service
from devinit.supervisor.project.project_state import ProjectState


def with_changes(conflict: Conflict, stage: ProjectState) -> Conflict:
    """Return a conflict with the changes that a move would cause, as a basis for the decision."""
    if conflict.move_to is None:
        return conflict
    before, after = (
        stage.environment_with({conflict.service: port}) for port in (conflict.port, conflict.move_to)
    )
    changes = [f"{ENVIRONMENT_FILE}: {', '.join(names)}"] if (names := changed_names(before, after)) else []
    service = stage.project.services.get(conflict.service)
    if (
        service
        and conflict.port in service.oauth_redirect_ports
        and is_unregistered(service, conflict.move_to)
    ):
        changes.append(f"the OAuth redirect registered for port {conflict.port}")
    return replace(conflict, changes=tuple(changes))


def changed_names(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """Return the names whose values differ. Names whose value is only the number count if there are no others."""
    names = [name for name, value in after.items() if before.get(name) != value]
    return [name for name in names if not after[name].isdecimal()] or names


def is_unregistered(service: Service, port: int) -> bool:
    """Return whether an OAuth provider would refuse to redirect to a service on this port."""
    return bool(service.oauth_redirect_ports) and port not in service.oauth_redirect_ports


def warning_of(service: Service, granted: GrantedPort, answers: Iterable[Resolution] = ()) -> str | None:
    """Return a warning that a port is not registered with an OAuth provider, unless the user chose that port."""
    chosen = any(
        each.kind is ResolutionKind.MOVE and (each.service, each.port) == (service.name, granted.moved_from)
        for each in answers
    )
    if chosen or not is_unregistered(service, granted.port):
        return None
    registered = " and ".join(map(str, service.oauth_redirect_ports))
    return (
        f"{service.name} has port {granted.port}, and its OAuth redirect is registered for {registered}: "
        f"signing in fails until {granted.port} is registered too; `strict_port = true` keeps it from moving"
    )
