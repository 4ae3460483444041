"""The owner of each server that the services are connected to: this project, another project, or neither."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from devinit.model.names import service_of
from devinit.model.process import ProcessFacts
from devinit.ports.holder.barriers import CONTAINER_PROGRAMS
from devinit.ports.holder.naming import described
from devinit.ports.leases import LeaseStore, root_name
from devinit.supervisor.diagnosis.peers import Server
from devinit.system.listeners import holders_of, tcp_listeners
from devinit.system.paths import state_directory
from devinit.system.peers import Peer
from devinit.system.processes import facts_of, user_name

_ROOT = 0


def servers_at(peers: Collection[Peer], pids: Mapping[str, Collection[int]], root: str) -> dict[int, Server]:
    """Return the servers, keyed by the inode of the socket on which they listen. Blocking.

    `pids`: the processes of each service of the checkout at `root`. Raise StateFileError when the leases cannot be
    read.
    """
    service_by_pid = {pid: name for name, each in pids.items() for pid in each}
    holders = holders_of({peer.inode for peer in peers}, [*service_by_pid])
    store = LeaseStore(state_directory() / "leases")
    return {
        peer.inode: _server(peer, holders[peer.inode], service_by_pid, store, root_name(root))
        for peer in peers
    }


def _server(
    peer: Peer, holders: list[int], service_by_pid: Mapping[int, str], store: LeaseStore, root: str
) -> Server:
    ours = next((service_by_pid[pid] for pid in holders if pid in service_by_pid), None)
    if ours is not None:
        return Server(port=peer.port, path=peer.path, service=ours)
    taken = None if peer.path else store.look(peer.port)
    owner = taken.owner if taken is not None and taken.live else None
    if owner is not None and owner.root == root:
        if not _is_ours_at_another_address(peer, service_by_pid):
            return Server(port=peer.port, service=service_of(owner.service))
        owner = None
    facts = _leader(holders)
    container = None
    if (facts is None and peer.uid == _ROOT) or (facts and facts.name.startswith(CONTAINER_PROGRAMS)):
        from devinit.ports.holder.containers import published  # few ports are a container's

        container = published().get(peer.port)
    user = user_name(peer.uid) if peer.uid >= 0 else ""
    if container is not None:
        title = described(container)
    elif facts is not None:
        title = f"{facts.name} (pid {facts.identity.pid})"
    else:
        title = f"a server of user {user}" if user else "another server"
    return Server(
        port=peer.port,
        path=peer.path,
        owner=owner,
        pid=facts.identity.pid if facts else None,
        program=facts.name if facts else "",
        user=user,
        container=container,
        title=title,
    )


def _is_ours_at_another_address(peer: Peer, service_by_pid: Mapping[int, str]) -> bool:
    """Return whether one of our services listens on the same port at another address than this server."""
    others = {each.inode for each in tcp_listeners(peer.port)} - {peer.inode}
    holders = holders_of(others, [*service_by_pid]) if others else {}
    return any(pid in service_by_pid for each in holders.values() for pid in each)


def _leader(holders: list[int]) -> ProcessFacts | None:
    """Return the process of a server that the others descend from."""
    found = {pid: facts for pid in holders if (facts := facts_of(pid)) is not None}
    return next((each for each in found.values() if each.parent_pid not in found), None)
