"""Ports for the containers of a compose file: chosen and leased like the ports of services.

This process becomes compose, which so keeps the leases: meanwhile, no service of devinit gets such a port. Then
the containers listen on the ports, which stay on record until `devinit compose -- down`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from devinit.cli.composed.model import Published, port_names
from devinit.model.defaults import port_range
from devinit.model.port import ConflictPolicy, Exhausted, LeaseOwner, PortRequest
from devinit.ports.granting.grants import grant
from devinit.ports.leases import Claim, Lease, LeaseStore, root_name
from devinit.system.listeners import tcp_listeners
from devinit.system.paths import state_directory
from devinit.system.privileged import first_unprivileged

if TYPE_CHECKING:
    from devinit.ports.ending.release import Say
    from devinit.ports.holder.containers import ComposeContainer

PREFIX = "compose."


def leased(
    ports: Sequence[Published],
    containers: Iterable[ComposeContainer],
    *,
    root: Path,
    project: str,
    environ: Mapping[str, str],
    are_made: bool,
    say: Say,
) -> dict[int, int]:
    """Return the new port for each stated one; this process holds the leases for as long as it lives.

    Existing `containers` of the project keep their ports. `are_made`: the command creates containers, whose ports
    stay on record.
    """
    names = port_names(ports)
    running = {(each.service, inside): port for each in containers for inside, port in each.ports.items()}
    staying = {
        name: port
        for name, each in names.items()
        if (port := running.get((each.service, each.target))) is not None
    }
    store = LeaseStore(state_directory() / "leases")
    for name, port in staying.items():
        _take(
            store,
            port,
            names[name].host,
            LeaseOwner(
                root=root_name(root),
                project=project,
                service=name,
                pid=os.getpid(),
                at=time.time(),
                by_program=True,
            ),
        )
    requests = [
        _request(name, each.host)
        for name, each in names.items()
        if name not in staying and not _is_left_to_the_engine(each.host)
    ]
    grants = grant(
        requests,
        root=root,
        project=project,
        environ=environ,
        remembered={},
        policy=ConflictPolicy.MOVE,
        store=store,
        by_program=True,
        say=say,
    )
    for each in grants:
        if are_made:
            each.claim(_claim(each.port, each.granted.preferred))
        for descriptor in each.descriptors:
            os.set_inheritable(descriptor, True)  # noqa: FBT003 - as below
        if each.port != each.granted.preferred:
            say(f"{names[each.service].service} is published on {each.port}: {each.granted.reason}")
    found = {names[name].host: port for name, port in staying.items()}
    return found | {each.granted.preferred: each.port for each in grants}


def given_up(root: Path) -> None:
    """Drop the records of a project's compose ports on which no container listens any more."""
    store = LeaseStore(state_directory() / "leases")
    names = [
        each.owner.service
        for each in store.entries()
        if each.owner.root == root_name(root)
        and each.owner.service.startswith(PREFIX)
        and not tcp_listeners(each.port)
    ]
    store.forget(root_name(root), dict.fromkeys(names))


def _request(name: str, preferred: int) -> PortRequest:
    first, last = port_range(preferred)
    return PortRequest(
        service=name, preferred=preferred, first=first, last=last, browser=True, exhausted=Exhausted.ANY
    )


def _take(store: LeaseStore, port: int, preferred: int, owner: LeaseOwner) -> None:
    """Lease the port of a running container; if another process holds the lease, do without it."""
    own = store.take(port, owner)
    if isinstance(own, Lease):
        own.claim(_claim(port, preferred))
        os.set_inheritable(own.fd, True)  # noqa: FBT003 - as the system's own function has it


def _claim(port: int, preferred: int) -> Claim:
    return Claim.USED if port == preferred else Claim.KEPT


def _is_left_to_the_engine(port: int) -> bool:
    """Whether a port is privileged and free: the engine may bind it, but not this user."""
    return os.geteuid() != 0 and port < first_unprivileged() and not tcp_listeners(port)
