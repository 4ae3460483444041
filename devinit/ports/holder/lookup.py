"""The lookup of port holders: all that can be found out, in one pass over the processes."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable

from msgspec.structs import asdict, replace

from devinit.model.port import Ancestor, Container, Holder, Listener, PortReport
from devinit.model.process import ProcessFacts
from devinit.ports.holder.barriers import CONTAINER_PROGRAMS
from devinit.ports.holder.naming import titled
from devinit.ports.holder.port_use import Hidden, PortHolders
from devinit.system.connections import clients_of, use_of
from devinit.system.listeners import holders_of, tcp_listeners
from devinit.system.paths import is_of_another_state
from devinit.system.processes import (
    RUN_VARIABLE,
    ancestors_of,
    facts_of,
    followers_of,
    user_name,
    variable_of,
)
from devinit.system.worktrees import Worktree, worktree_of

_INIT = 1
_ROOT = 0


def holders_of_ports(ports: Collection[int], *, protected: Iterable[int] = ()) -> dict[int, PortHolders]:
    """Return the holders of these ports, in one pass over the processes.

    `protected` are pids of the caller that must be spared, with their ancestors.
    """
    listeners = [found for found in tcp_listeners() if found.port in ports]
    listening = {found.port for found in listeners}
    # All processes: a forked worker anywhere may hold the same socket and keep the port.
    pids = holders_of({found.inode for found in listeners}, every=True) if listeners else {}
    clients = clients_of(listening) if listeners else {}
    spared = spared_pids(protected)
    seen = _Seen()
    result = {}
    for port in ports:
        here = tuple(found for found in listeners if found.port == port)
        use = None if here else use_of(port)
        result[port] = PortHolders(
            port=port,
            listeners=here,
            holders=seen.holders(pid for found in here for pid in pids[found.inode]),
            hidden=_hidden(found for found in here if not pids[found.inode]),
            elsewhere=frozenset(pid for found in here for pid in pids[found.inode] if _runs_elsewhere(pid)),
            clients=clients.get(port, 0),
            use=use,
            users=seen.holders(each.identity.pid for each in use.processes) if use else (),
            uid=os.geteuid(),
            spared=spared,
        )
    return _with_containers(result)


def holders_of_port(port: int, *, protected: Iterable[int] = ()) -> PortHolders:
    """Return the holders of one port."""
    return holders_of_ports([port], protected=protected)[port]


def _runs_elsewhere(pid: int) -> bool:
    return is_of_another_state(variable_of(pid, RUN_VARIABLE) or "")


def counted(report: PortReport, found: PortHolders) -> PortReport:
    """Add how many processes a release would end: the holders, and their children in the same groups."""
    if not report.killable:
        return report
    followers = {each.pid for each in followers_of(found.identities)} - found.spared
    return replace(report, ends=len(found.holders) + len(followers))


def spared_pids(protected: Iterable[int]) -> frozenset[int]:
    """Return the pids that are never ended: init, this process, the caller, and the ancestors of all three."""
    roots = {os.getpid(), *protected}
    return frozenset({_INIT, *roots, *(pid for root in roots for pid in ancestors_of(root))})


class _Seen:
    """A cache of facts for one lookup, since holders share their ancestors and their checkout."""

    def __init__(self) -> None:
        self._facts: dict[int, ProcessFacts | None] = {}
        self._worktrees: dict[str, Worktree | None] = {}

    def holders(self, pids: Iterable[int]) -> tuple[Holder, ...]:
        """Describe processes; those that have ended are left out."""
        found = (self._facts_of(pid) for pid in dict.fromkeys(pids))
        return tuple(self._holder(facts) for facts in found if facts is not None)

    def _holder(self, facts: ProcessFacts) -> Holder:
        from devinit.ports.holder.managers import manager_of  # most starts find every port free

        above = self._ancestors(facts)
        checkout = self._worktree(facts.directory)
        return Holder(
            **asdict(facts),
            worktree=_readable(checkout.top) if checkout else None,
            branch=_readable(checkout.branch) if checkout and checkout.branch else None,
            linked=checkout is not None and checkout.linked,
            # Shortened: the beginning identifies an ancestor, and the rest may be a page of secrets.
            ancestors=tuple(Ancestor(each.identity.pid, titled(each)) for each in above),
            manager=manager_of(facts, above),
        )

    def _ancestors(self, facts: ProcessFacts) -> list[ProcessFacts]:
        found = []
        passed = {facts.identity.pid}
        while facts.parent_pid > _INIT and facts.parent_pid not in passed:
            passed.add(facts.parent_pid)
            above = self._facts_of(facts.parent_pid)
            if above is None:
                break
            found.append(above)
            facts = above
        return found

    def _facts_of(self, pid: int) -> ProcessFacts | None:
        if pid not in self._facts:
            self._facts[pid] = facts_of(pid)
        return self._facts[pid]

    def _worktree(self, directory: str | None) -> Worktree | None:
        if directory is None:
            return None
        if directory not in self._worktrees:
            self._worktrees[directory] = worktree_of(directory)
        return self._worktrees[directory]


def _hidden(listeners: Iterable[Listener]) -> tuple[Hidden, ...]:
    uids = dict.fromkeys(found.uid for found in listeners)
    return tuple(Hidden(uid, user_name(uid)) for uid in uids)


def _with_containers(found: dict[int, PortHolders]) -> dict[int, PortHolders]:
    """Query the container engines only if a port may be published, because an engine may be slow."""
    pointing = [each for each in found.values() if _may_be_published(each)]
    if not pointing:
        return found
    from devinit.ports.holder.containers import published  # few ports are a container's

    containers: dict[int, Container] = published()
    return {
        port: _published(each, containers.get(port)) if each in pointing else each
        for port, each in found.items()
    }


def _may_be_published(found: PortHolders) -> bool:
    """Return whether an engine's own program listens, or a hidden process of root, as engines are."""
    return any(each.uid == _ROOT for each in found.hidden) or any(
        each.name.startswith(CONTAINER_PROGRAMS) for each in found.holders
    )


def _published(found: PortHolders, container: Container | None) -> PortHolders:
    return replace(found, container=container)


def _readable(text: str) -> str:
    # A name that is not UTF-8 cannot be sent as JSON.
    return os.fsencode(text).decode(errors="replace")
