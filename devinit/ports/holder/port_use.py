"""The holders and users of a port as a value. Pure."""

from __future__ import annotations

from pathlib import PurePath

from msgspec import Struct

from devinit.model.port import Container, Holder, Listener, Manager, PortUse, VerdictKind
from devinit.model.process import ProcessIdentity
from devinit.model.workplace import workplace_of
from devinit.ports.holder.barriers import RUN_ELSEWHERE, Barrier, barrier_of, managed_by, published_by
from devinit.ports.holder.naming import described, named, used


class Hidden(Struct, frozen=True):
    """A user with a listening process that is invisible to us."""

    uid: int
    user: str


class PortHolders(Struct, frozen=True, kw_only=True):
    """The holders and users of one port, as far as they are visible."""

    port: int
    listeners: tuple[Listener, ...] = ()
    holders: tuple[Holder, ...] = ()
    """Every process with a copy of a listening socket: ending only one of them may not free the port."""
    hidden: tuple[Hidden, ...] = ()
    """Owners of sockets that belong to no visible process."""
    clients: int = 0
    container: Container | None = None
    use: PortUse | None = None
    """The use of the port by processes that do not listen on it."""
    users: tuple[Holder, ...] = ()
    """The processes of that use, for messages; they are no `holders`, so they are not ended for the port."""
    uid: int = -1
    """The user who runs devinit."""
    elsewhere: frozenset[int] = frozenset()
    """Pids of holders that devinit runs with another state folder."""
    spared: frozenset[int] = frozenset()
    """Pids that are never ended: the caller and the processes in which it runs."""

    @property
    def identities(self) -> tuple[ProcessIdentity, ...]:
        """Return the identities of the holders, for comparison."""
        return tuple(each.identity for each in self.holders)

    @property
    def barrier(self) -> Barrier | None:
        """The reason why a holder must not be ended, or None. Managers that would restart it do not count."""
        if self.container is not None:
            return published_by(self.container)
        shared = any(workplace_of(facts) is None for facts in self.holders)
        for facts in self.holders:
            if facts.identity.pid in self.elsewhere:
                return RUN_ELSEWHERE
            if found := barrier_of(
                facts,
                self.port,
                uid=self.uid,
                spared=self.spared,
                leader=self.leader_of(facts),
                inherited=shared,
            ):
                return found
            if facts.manager is not None and facts.manager.pid == facts.identity.pid:
                return managed_by(
                    facts.manager
                )  # PM2 listens for its clusters itself, and runs everything else too
        for each in self.hidden:
            kind = VerdictKind.STRANGER if each.uid == self.uid else VerdictKind.OTHER_USER
            look = f"look with `sudo ss -ltnp 'sport = :{self.port}'`"
            return Barrier(kind, f"it is {_unseen(each, self.uid)}: {look}")
        return None

    def leader_of(self, facts: Holder) -> int:
        """Return the holder from which a process descends: the server of a worker, or the process itself."""
        parents = {each.identity.pid: each.parent_pid for each in self.holders}
        pid = facts.identity.pid
        while (above := parents.pop(pid)) in parents:
            pid = above
        return pid

    @property
    def manager(self) -> Manager | None:
        """The manager that would restart a holder, or None."""
        return next((each.manager for each in self.holders if each.manager is not None), None)

    @property
    def protection(self) -> str:
        """The reason why the holders must not be ended, with advice; empty if they may be."""
        if not self.listeners:
            return "no process listens there, so there is nothing to end: wait for it, or choose another port"
        found = self.barrier
        return found.advice if found else ""

    @property
    def killable(self) -> bool:
        """Whether every holder is known and none is protected."""
        return bool(self.holders) and not self.protection

    @property
    def reason(self) -> str:
        """How the port is taken, in words: "held by vite (pid 4242)"."""
        if self.container is not None:
            return f"published by {described(self.container)}"
        match self.holders:
            case [only]:
                return f"held by {named(only)}{', stopped by Ctrl-Z' if only.stopped else ''}"
            case [first, second]:
                return f"held by {named(first)} and {named(second)}"
            case [first, *others]:
                return f"held by {named(first)} and {len(others)} more processes"
        if self.hidden:
            return f"held by {_unseen(self.hidden[0], self.uid)}"
        if self.use:
            return f"taken: {used(self.use)}"
        return "taken, although no process listens on it"


def works_in(facts: Holder, root: str) -> bool:
    """Return whether a process works inside a checkout, but not in another worktree inside that checkout."""
    if not root or facts.directory is None:
        return False
    checkout = PurePath(root)
    if not PurePath(facts.directory).is_relative_to(checkout):
        return False
    worktree = PurePath(facts.worktree or root)
    return not (facts.linked and worktree != checkout and worktree.is_relative_to(checkout))


def _unseen(hidden: Hidden, uid: int) -> str:
    if hidden.uid == uid:
        return "a process that is hidden from us (another container or namespace)"
    return f"user {hidden.user}, pid hidden"
