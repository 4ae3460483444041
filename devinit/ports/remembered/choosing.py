"""The user's choice of ports: `.ports.json` remembers what the next start requests."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from devinit.errors import PortsExhausted, UsageError
from devinit.model.port import PortRequest
from devinit.model.unknown import those_there_are
from devinit.ports.granting.allocate import last_resort
from devinit.ports.hold import Hold, hold
from devinit.ports.holder.pm2 import applications
from devinit.ports.leases import LeaseStore, root_name
from devinit.ports.remembered import by_hand, ports_file
from devinit.system.paths import state_directory
from devinit.text import one_line

Requests = Mapping[str, PortRequest]


def known(name: str, requests: Requests) -> PortRequest:
    """Return the request for a port by its name. Raise UsageError if there is none."""
    if name not in requests:
        hint = those_there_are(name, requests, "ports")
        raise UsageError(f"no service has a port named {name!r}", hint=hint)
    return requests[name]


def choose(root: Path, requests: Requests, name: str, port: int) -> bool:
    """Remember a port for the next start; return whether it changed. Raise UsageError if it is not allowed."""
    request = known(name, requests)
    if request.strict and port != request.preferred:
        if request.fixed_by:
            text = f"the port of {name} is fixed to {request.preferred}: {request.why_fixed}"
            raise UsageError(text, hint=request.how_to_move)
        raise UsageError(
            f"the port of {name} is fixed to {request.preferred} (strict_port)",
            hint="change `port` in devinit.toml",
        )
    if objection := request.objection(port):
        raise UsageError(
            f"{port} {objection}", hint="choose one within it, or change `range` in devinit.toml"
        )
    # Both or neither: the note counts only if `.ports.json` names the same port, so the note is written first.
    ports_file.try_to_remember(root, {name: port})
    by_hand.note(root, name, port)
    return ports_file.write(root, {name: port})


def forget(root: Path, requests: Requests, names: Sequence[str]) -> dict[str, int]:
    """Restore the preferred ports, of all services if none is named; return the ports that were remembered.

    The records of services that do not run are dropped.
    """
    for name in names:
        known(name, requests)
    before = ports_file.reset(root, names or None)
    LeaseStore(state_directory() / "leases").forget(root_name(root), dict.fromkeys(names or requests))
    return before


def next_free(root: Path, request: PortRequest, after: int, avoided: Collection[int]) -> int:
    """Return the next free port of a range, starting after one and wrapping around; else a last resort.

    Raise PortsExhausted.
    """
    store, assigned = LeaseStore(state_directory() / "leases"), applications(os.environ)
    ports: list[int] = [
        *range(max(after + 1, request.first), request.last + 1),
        *range(request.first, min(after, request.last + 1)),
        *last_resort(request, root_name(root), tuple),
    ]
    for port in ports if not request.strict else ():
        if port in avoided or port in assigned or store.look(port) is not None:
            continue
        if isinstance(held := hold(port), Hold):
            held.close()
            return port
    if request.fixed_by:
        why = f"{one_line(request.fixed_by)} has {request.preferred} as a constant"
        raise PortsExhausted(
            f"{request.service} has no other port to move to: {why}", hint=request.how_to_move
        )
    raise PortsExhausted(
        f"{request.service} has no other port to move to: {request.first}-{request.last}",
        hint="it is fixed by strict_port" if request.strict else "widen its `range` in devinit.toml",
    )
