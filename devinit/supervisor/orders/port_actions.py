"""The ports of the project as shown to the user, and the actions on them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from devinit.model.names import service_of
from devinit.ports.ending.freeing import Freed, free
from devinit.ports.holder.who import who
from devinit.ports.leases import LeaseStore, root_name
from devinit.ports.remembered import choosing, ports_file
from devinit.system.paths import state_directory

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from devinit.model.port import PortRequest
    from devinit.model.process import ProcessIdentity
    from devinit.model.status import OwnPort
    from devinit.supervisor.project.project_state import ProjectState
    from devinit.supervisor.service.runner import Runner


def rows(runners: Mapping[str, Runner], stage: ProjectState) -> list[OwnPort]:
    """Return every port that the project asks for: preferred and actual number, and any holder in the way.

    Blocking: for services that are not on their preferred port, it searches all processes for the holder.
    """
    remembered = ports_file.read(stage.root)
    return [
        row(name, request, runners.get(service_of(name)), stage, remembered.get(name))
        for name, request in stage.project.port_requests.items()
    ]


def row(
    name: str, request: PortRequest, runner: Runner | None, stage: ProjectState, remembered: int | None
) -> OwnPort:
    """Return one port of the project."""
    granted = stage.ports.port_of(name)
    stays = granted if stage.ports.is_refused(request, remembered) else None
    wanted = stays or request.expected(remembered)
    in_the_way = who(request.preferred, stage.root) if granted != request.preferred else None
    return {
        "service": name,
        "port": granted if granted is not None else wanted,
        "preferred_port": request.preferred,
        "next_port": wanted,
        "range": [request.first, request.last],
        "strict": request.strict,
        "problem": ports_file.problem_of(request, remembered),
        "phase": runner.phase.value if runner is not None else "stopped",
        "holder": in_the_way.summary if in_the_way is not None else None,
        "holder_kind": in_the_way.kind.value if in_the_way is not None else None,
    }


def choose(stage: ProjectState, name: str, port: int | None) -> int:
    """Record the port that a service asks for at its next start, by default the next free one; return it."""
    requests = stage.project.port_requests
    if port is None:
        request = choosing.known(name, requests)
        now = stage.ports.port_of(name)
        port = choosing.next_free(
            stage.root,
            request,
            after=now if now is not None else request.preferred,
            avoided={other.preferred for other in requests.values()},
        )
    choosing.choose(stage.root, requests, name, port)
    return port


def forget(stage: ProjectState, names: Collection[str]) -> dict[str, int]:
    """Make the preferred ports apply again; return the remembered ones."""
    return choosing.forget(stage.root, stage.project.port_requests, tuple(names))


def free_port(
    stage: ProjectState,
    port: int,
    holders: Collection[ProcessIdentity],
    protected: Collection[int],
    say: Callable[[str], None],
) -> Freed:
    """End exactly the holders that the user has seen, if they may be ended. Blocking."""
    return free(
        port,
        root=root_name(stage.root),
        store=LeaseStore(state_directory() / "leases"),
        looked_after=True,
        holders=holders,
        protected=protected,
        say=say,
    )
