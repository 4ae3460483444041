"""Ending the holders of a port and taking the port in the same step, so that no process gets in between.

Only two groups of processes get signals: those that the user saw when deciding, and those that they started in the
same process group. Immediately before each signal, devinit verifies that it is the same process in the same role.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Collection, Iterable

from msgspec import Struct

from devinit.errors import PortConflict
from devinit.model.port import Holder
from devinit.model.process import ProcessIdentity
from devinit.model.saving import SAVING_SECONDS, is_postgresql, request_to_end, saving_server
from devinit.ports.ending.respawn import comeback, managed_out_of_sight, starters_of, who_restarts
from devinit.ports.ending.waiting import listens_again, wait_until_free, watching
from devinit.ports.hold import Hold, hold
from devinit.ports.holder.lookup import holders_of_port
from devinit.ports.holder.naming import named
from devinit.ports.holder.port_use import PortHolders
from devinit.system.listeners import socket_inodes
from devinit.system.processes import facts_of, followers_of, group_of, identity_of, signal_exactly

GRACE_SECONDS = 5.0
"""How long a holder may take to end after SIGTERM or its equivalent."""
KILL_SECONDS = 2.0
"""How long the kernel may take to end a process after SIGKILL."""
COMEBACK_SECONDS = 1.5
"""How long devinit waits for a supervisor to start a holder again; supervisors take about 0.5 s."""

Say = Callable[[str], None]


class Released(Struct, frozen=True):
    """A port that was freed and is now held by devinit."""

    hold: Hold
    ended: tuple[str, ...]
    """The processes that were ended, in words."""


def release(
    port: int,
    holders: Collection[ProcessIdentity],
    *,
    protected: Iterable[int] = (),
    say: Say = lambda _text: None,
    grace_seconds: float = GRACE_SECONDS,
    saving_seconds: float = SAVING_SECONDS,
) -> Released:
    """End the holders of a port and hold it. Signal only processes in `holders` and those that they started.

    A database server that saves its data when it ends is never killed. It gets
    `saving_seconds` after the grace period.

    Raise PortConflict, with advice, when another process holds the port, when a holder must not be ended, when it
    does not end, and when another program starts it again.
    """
    protected = tuple(protected)
    if isinstance(held := hold(port), Hold):
        return Released(held, ())
    found = holders_of_port(port, protected=protected)
    if not set(found.identities) <= set(holders):
        raise _conflict(found, "it is not the process that was shown, so nothing was ended")
    if not found.killable:
        raise _conflict(found, found.protection or "its holder has gone: try again")
    free = _End(found, say, grace_seconds, saving_seconds).run()
    if free is not None and not _came_back(found, say):
        return Released(free, tuple(named(holder) for holder in found.holders))
    if free is not None:
        free.close()
    raise _still_taken(found, holders_of_port(port, protected=protected))


class _End:
    """One attempt to end the holders: request, wait, kill."""

    def __init__(self, found: PortHolders, say: Say, grace_seconds: float, saving_seconds: float) -> None:
        self.port, self.say = found.port, say
        self.grace_seconds, self.saving_seconds = grace_seconds, saving_seconds
        self.inodes = {listener.inode for listener in found.listeners}
        self.holders = _parents_first(found.holders)
        # PostgreSQL ends its own children, and treats the death of one of them as a crash.
        leaders = [holder.identity for holder in found.holders if not is_postgresql(holder)]
        self.followers = [each for each in followers_of(leaders) if each.pid not in found.spared]
        self.groups = {group_of(each.pid) for each in leaders}

    def run(self) -> Hold | None:
        """Return the hold, or None when the port is still taken."""
        with watching(holder.identity for holder in self.holders) as watched:
            self.ask()
            free = wait_until_free(self.port, watched, self.grace_seconds, slow=self.say_who_is_waited_for)
            if free is None and self.insist():
                free = wait_until_free(self.port, watched, KILL_SECONDS)
            if free is None and self.say_who_saves():
                free = wait_until_free(self.port, watched, self.saving_seconds)
        return free

    def ask(self) -> None:
        for holder in self.holders:
            if self.reach(holder, request_to_end(holder)):
                self.say(f"asked {named(holder)} to end")
                if holder.stopped:  # Ctrl-Z: the signal waits until it is continued
                    self.reach(holder, signal.SIGCONT)
        self.reach_followers(signal.SIGTERM)
        if any(holder.stopped for holder in self.holders):
            self.reach_followers(signal.SIGCONT)

    def insist(self) -> bool:
        """Kill the processes that still hold the port, except database servers, which would lose unsaved data."""
        killed = [
            holder
            for holder in self.holders
            if not saving_server(holder) and self.reach(holder, signal.SIGKILL)
        ]
        for holder in killed:
            self.say(f"{named(holder)} did not end within {self.grace_seconds:g} s: killed")
        if killed:
            self.reach_followers(signal.SIGKILL)
        return bool(killed)

    def say_who_saves(self) -> bool:
        """Announce a longer wait for database servers; return whether there are any."""
        saving = [named(holder) for holder in self.holders if saving_server(holder)]
        if saving:
            self.say(
                f"{', '.join(saving)} has not ended yet: a database server saves its data first, and is never "
                f"killed; waiting {self.saving_seconds:.0f} s more at most"
            )
        return bool(saving)

    def reach(self, holder: Holder, number: signal.Signals) -> bool:
        """Signal a holder if it is the same process and still has one of the sockets."""
        return _signal(holder.identity, number, lambda pid: not socket_inodes(pid).isdisjoint(self.inodes))

    def reach_followers(self, number: signal.Signals) -> None:
        """Signal the processes that the holders started, as Ctrl-C would; skip those that left their group."""
        for each in self.followers:
            if number is signal.SIGKILL and (facts := facts_of(each.pid)) and saving_server(facts):
                continue
            _signal(each, number, lambda pid: group_of(pid) in self.groups)

    def say_who_is_waited_for(self, seconds: float) -> None:
        names = ", ".join(named(holder) for holder in self.holders)
        self.say(f"waiting for {names} to end, {seconds:.0f} s more at most")


def _signal(identity: ProcessIdentity, number: signal.Signals, still: Callable[[int], bool]) -> bool:
    try:
        return signal_exactly(identity, number, lambda: still(identity.pid))
    except PermissionError:
        return False  # its user changed since the check; the port stays taken, and that is reported


def _parents_first(holders: Collection[Holder]) -> list[Holder]:
    """Order the holders so that a parent is signalled before its workers; otherwise it would start new ones.

    For PostgreSQL only the parent is signalled: INT only cancels the query of a child.
    """
    pids = {holder.identity.pid for holder in holders}
    parents = [holder for holder in holders if holder.parent_pid not in pids]
    workers = [holder for holder in holders if holder.parent_pid in pids and not is_postgresql(holder)]
    return parents + workers


def _came_back(found: PortHolders, say: Say) -> bool:
    """Return whether a process listens again, if a program exists that could restart it."""
    starters = starters_of(found.holders, found.spared)
    unseen = managed_out_of_sight(found.holders)
    if not starters and not unseen:
        return False
    say(f"port {found.port} is free; looking whether something takes it again")
    with watching(each for pid in starters if (each := identity_of(pid))) as watched:
        return listens_again(found.port, watched, COMEBACK_SECONDS, unseen=unseen)


def _still_taken(before: PortHolders, now: PortHolders) -> PortConflict:
    if (again := comeback(before.holders, now.holders)) is not None:
        return _conflict(now, who_restarts(again))
    if not set(now.identities) & set(before.identities):
        return _conflict(now, "another process took the port meanwhile, so nothing more was ended")
    if server := next(filter(None, map(saving_server, now.holders)), None):
        return _conflict(
            now,
            f"{server} was asked to end and may still be saving its data, so it is never killed: "
            "wait until it has ended and try again, or choose another port",
        )
    return _conflict(now, "it did not end; stop it by hand, or choose another port")


def _conflict(found: PortHolders, hint: str) -> PortConflict:
    return PortConflict(f"port {found.port} is {found.reason}", hint=hint)
