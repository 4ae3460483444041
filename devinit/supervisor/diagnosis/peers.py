"""Check whether a service is connected to its own project's servers, or to others in their place. Pure.

Any other connection is the service's own affair: to an API, a debugger, a database of a kind that the project does
not have. So is one to a server whose address the project gives the service by choice.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from msgspec import Struct

from devinit.kinds.kind import Kind
from devinit.model.port import Container, LeaseOwner
from devinit.model.status import WrongServer

LOOPBACK = frozenset({"", "localhost", "127.0.0.1", "::1", "0.0.0.0"})  # noqa: S104 - recognised, not bound


class Server(Struct, frozen=True, kw_only=True):
    """A server on this machine to which a service is connected."""

    port: int
    path: str = ""
    """The path of its Unix socket; empty for TCP."""
    service: str | None = None
    """The service of this project whose process listens there."""
    owner: LeaseOwner | None = None
    """The service of another project that has the port."""
    pid: int | None = None
    """The process that listens; None where it is hidden."""
    program: str = ""
    """The name of that process."""
    user: str = ""
    """The owner of the socket; empty when unknown."""
    container: Container | None = None
    """The container that publishes the port."""
    title: str = ""
    """A description of the holder of the port."""


class Own(Struct, frozen=True, kw_only=True):
    """A running service of the project."""

    name: str
    kind: Kind
    host: str
    port: int | None
    preferred: int | None
    is_elsewhere: bool = False
    """Whether devinit does not run its server: it is `external`, or was found running."""


def service_at(server: Server, own: Iterable[Own]) -> str | None:
    """Return the service of the project that runs a server; None for a foreign server."""
    if server.service is not None:
        return server.service
    here = (each for each in own if each.is_elsewhere and each.host in LOOPBACK)
    return next((each.name for each in here if each.port == server.port), None)


def wrong_servers(
    servers: Iterable[Server], own: Collection[Own], meant: Collection[int], project: str
) -> list[WrongServer]:
    """Return the servers that are used in place of the project's own, sorted by port.

    `meant`: the ports on this machine that variables give the service by choice. `project`: its name.
    """
    found = []
    # A variable that names a port of ours means our server, and no other with that number.
    ours = {each.port for each in own if each.host in LOOPBACK}
    for server in sorted(servers, key=lambda each: (each.port, each.path)):
        is_meant = server.port in meant and server.port not in ours
        if is_meant or service_at(server, own) is not None:
            continue
        instead_of = _replaced_by(server, own)
        if instead_of is not None:
            found.append(_told(server, instead_of, own, project))
    return found


def _replaced_by(server: Server, own: Iterable[Own]) -> Own | None:
    """Return the service in whose place a server is used; None for an unrelated server."""
    fitting = [each for each in own if _takes_the_place_of(server, each)]
    usual = (each for each in fitting if server.port == each.preferred)
    return next(usual, fitting[0] if fitting else None)


def _takes_the_place_of(server: Server, own: Own) -> bool:
    if server.port == own.port and own.host in LOOPBACK:
        # Another server on the same port, at another address of this machine: `localhost` may mean both.
        return not server.path and (own.kind.runs_a_command or _is_of_kind(server, own.kind))
    if own.kind.runs_a_command:
        # A program has no known kind: it is recognized only by the port that this service prefers but did not get.
        return server.port == own.preferred and not server.path
    return _is_of_kind(server, own.kind)


def _is_of_kind(server: Server, kind: Kind) -> bool:
    """Return whether a server is of a kind: by its program, or if that is hidden by its user, image or port."""
    names = {kind.name, *kind.programs, *(each.name for each in kind.flavours)}
    if server.path or server.program in kind.programs:
        return bool(kind.has_databases) if server.path else True
    if server.container is not None:
        return any(name in server.container.image for name in names) or server.port == kind.default_port
    if server.program and kind.programs:
        return False
    return server.user in names or server.port == kind.default_port


def _told(server: Server, own: Own, every: Collection[Own], project: str) -> WrongServer:
    owner = server.owner
    place = f"socket {server.path}" if server.path else f"port {server.port}"
    if owner is None:
        whose = f"{server.title or 'another server'} on {place}"
    elif owner.project == project:
        whose = f"{owner.service} of {owner.root} ({place})"
    else:
        whose = f"{owner.project}'s {owner.service} ({place})"
    address = str(own.port) if own.host in LOOPBACK else f"{own.host}:{own.port}"
    is_only = sum(each.kind.name == own.kind.name for each in every) == 1 and not own.kind.runs_a_command
    mine = f"its own ({address})" if is_only else f"this project's {own.name} ({address})"
    return {
        "kind": own.kind.name,
        "port": server.port,
        "socket": server.path or None,
        "project": owner.project if owner else None,
        "root": owner.root if owner else None,
        "service": owner.service if owner else None,
        "pid": server.pid,
        "instead_of": own.name,
        "own_port": own.port,
        "text": f"connected to {whose}, not to {mine}",
        "advice": [],
    }
