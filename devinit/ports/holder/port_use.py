"""What keeps a port, as a value: pure."""

from __future__ import annotations

from pathlib import PurePath

from msgspec import Struct

from devinit.model.port import Container, Holder, Listener, Manager, PortUse, VerdictKind
from devinit.model.process import ProcessIdentity
from devinit.model.workplace import workplace_of
from devinit.ports.holder.barriers import RUN_ELSEWHERE, Barrier, barrier_of, managed_by, published_by
from devinit.ports.holder.naming import described, named, used


class Hidden(Struct, frozen=True):
    """A user whose process listens and is not visible to us."""

    uid: int
    user: str


class PortHolders(Struct, frozen=True, kw_only=True):
    """What keeps one port, as far as it is visible to us."""

    port: int
    listeners: tuple[Listener, ...] = ()
    holders: tuple[Holder, ...] = ()
    """Every process that has a copy of a listening socket: ending one of them may free nothing."""
    hidden: tuple[Hidden, ...] = ()
    """Whose the sockets are that no visible process has."""
    clients: int = 0
    container: Container | None = None
    use: PortUse | None = None
    """The processes that use the port, when none listens on it."""
    users: tuple[Holder, ...] = ()
    """The processes of that use, to be shown; they are no `holders`, so they are not ended for the port."""
    uid: int = -1
    """The user who asks."""
    elsewhere: frozenset[int] = frozenset()
    """Pids of holders that devinit runs with another state folder."""
    spared: frozenset[int] = frozenset()
    """Pids that are never ended: the caller's, and those of all that it runs in."""

    @property
    def identities(self) -> tuple[ProcessIdentity, ...]:
        """Return the identities of the holders, for comparison."""
        return tuple(each.identity for each in self.holders)

    @property
    def barrier(self) -> Barrier | None:
        """Return why a holder must not be ended; managers, who would start it again, left aside."""
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
                return managed_by(facts.manager)  # PM2 listens for its clusters itself, and runs all else too
        for each in self.hidden:
            kind = VerdictKind.STRANGER if each.uid == self.uid else VerdictKind.OTHER_USER
            look = f"look with `sudo ss -ltnp 'sport = :{self.port}'`"
            return Barrier(kind, f"it is {_unseen(each, self.uid)}: {look}")
        return None

    def leader_of(self, facts: Holder) -> int:
        """Return the holder that a process descends from: a server of which it is a worker, or itself."""
        parents = {each.identity.pid: each.parent_pid for each in self.holders}
        pid = facts.identity.pid
        while (above := parents.pop(pid)) in parents:
            pid = above
        return pid

    @property
    def manager(self) -> Manager | None:
        """Return the managers that would start a holder again."""
        return next((each.manager for each in self.holders if each.manager is not None), None)

    @property
    def protection(self) -> str:
        """Say why the holders must never be ended and what to do instead; empty when they may be."""
        if not self.listeners:
            return "no process listens there, so there is nothing to end: wait for it, or choose another port"
        found = self.barrier
        return found.advice if found else ""

    @property
    def killable(self) -> bool:
        """Return whether every holder is known and none is protected."""
        return bool(self.holders) and not self.protection

    @property
    def reason(self) -> str:
        """Say in words how the port is taken: "held by vite (pid 4242)"."""
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
    """Return whether a process works inside a checkout, and not in another worktree that lies in there."""
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
