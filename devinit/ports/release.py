"""End what holds a port, and take the port in the same step, so that nobody slips in between.

Signals go only to processes that were shown to whoever decided it, each proven at the last moment to
be the same process and to hold the listening socket still.
"""

from __future__ import annotations

import select
import signal
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import ExitStack, contextmanager

from msgspec import Struct

from devinit.errors import PortConflict
from devinit.model.process import ProcessFacts, ProcessIdentity
from devinit.ports.hold import Hold, hold
from devinit.ports.holder import Holding, holding, named
from devinit.system.listeners import socket_inodes
from devinit.system.processes import Process, facts_of, signal_exactly

GRACE_SECONDS = 5.0
"""How long a holder may take after it was asked to end."""
KILL_SECONDS = 2.0
"""How long the kernel may take after KILL."""
_SHORTEST_LOOK, _LONGEST_LOOK = 0.001, 0.05
_LEFTOVER_SECONDS = 0.1
_POSTGRES = ("postgres", "postmaster")

Say = Callable[[str], None]


class Released(Struct, frozen=True):
    """A port that was freed, and is held by us already."""

    hold: Hold
    ended: tuple[str, ...]
    """Who was ended for it, in words."""


def release(
    port: int,
    holders: Collection[ProcessIdentity],
    *,
    protected: Iterable[int] = (),
    say: Say = lambda _text: None,
    grace_seconds: float = GRACE_SECONDS,
) -> Released:
    """End the holders of a port and hold it. Only processes among `holders` are ever signalled.

    Raises PortConflict, with what to do instead, when somebody else holds the port, when a holder must
    not be ended, when it does not end, and when something starts it again.
    """
    if isinstance(held := hold(port), Hold):
        return Released(held, ())
    found = holding(port, protected=protected)
    if not set(found.identities) <= set(holders):
        raise _conflict(port, found, "it is not the process that was shown, so nothing was ended")
    if not found.killable:
        raise _conflict(port, found, found.protection or "whoever held it is gone; try again")
    with _watching(found.holders) as watched:
        free = _end(found, watched, say, grace_seconds)
    if free is None:
        raise _still_taken(found, holding(port, protected=protected))
    return Released(free, tuple(named(facts) for facts in found.holders))


def _end(found: Holding, watched: dict[int, Process], say: Say, grace_seconds: float) -> Hold | None:
    """Ask, wait, insist; return the hold, or None when the port is still taken."""
    inodes = {listener.inode for listener in found.listeners}
    for facts in _parents_first(found.holders):
        # PostgreSQL: INT is its fast shutdown; TERM would wait for every client to go.
        asked = signal.SIGINT if _is_postgres(facts) else signal.SIGTERM
        if _signal(facts, asked, inodes):
            say(f"asked {named(facts)} to end")
            if facts.stopped:  # Ctrl-Z: the signal waits until it is continued
                _signal(facts, signal.SIGCONT, inodes)
    if (free := _wait_until_free(found.port, watched, grace_seconds)) is not None:
        return free
    insisted = False
    for facts in found.holders:
        # KILL on PostgreSQL leaves shared memory behind and costs a recovery: it is never sent.
        if not _is_postgres(facts) and _signal(facts, signal.SIGKILL, inodes):
            insisted = True
            say(f"{named(facts)} did not end within {grace_seconds:g} s: killed")
    return _wait_until_free(found.port, watched, KILL_SECONDS) if insisted else None


def _signal(facts: ProcessFacts, number: signal.Signals, inodes: Collection[int]) -> bool:
    """Signal a process if it is the same one and still holds one of the sockets."""
    pid = facts.identity.pid
    try:
        return signal_exactly(facts.identity, number, lambda: not socket_inodes(pid).isdisjoint(inodes))
    except PermissionError:
        return False  # it changed its user since we looked; the port stays taken, and that is told


def _parents_first(holders: Collection[ProcessFacts]) -> list[ProcessFacts]:
    """Order so that a parent is asked before its workers, or it would start new ones.

    Of PostgreSQL only the parent is asked: INT makes a child cancel its query and nothing else.
    """
    pids = {facts.identity.pid for facts in holders}
    parents = [facts for facts in holders if facts.parent_pid not in pids]
    workers = [facts for facts in holders if facts.parent_pid in pids and not _is_postgres(facts)]
    return parents + workers


def _is_postgres(facts: ProcessFacts) -> bool:
    return facts.name in _POSTGRES


@contextmanager
def _watching(holders: Iterable[ProcessFacts]) -> Iterator[dict[int, Process]]:
    """Open the holders so that their end wakes us; by descriptor."""
    with ExitStack() as stack:
        opened = (Process.open(facts.identity) for facts in holders)
        yield {each.fileno(): stack.enter_context(each) for each in opened if each is not None}


def _wait_until_free(port: int, watched: dict[int, Process], seconds: float) -> Hold | None:
    """Hold the port as soon as it can be bound; the end of a process wakes us, a closed socket does not."""
    poll = select.poll()
    for descriptor in watched:
        poll.register(descriptor, select.POLLIN)
    waiting = set(watched)
    deadline = time.monotonic() + seconds
    look = _SHORTEST_LOOK
    while not isinstance(free := hold(port), Hold):
        if time.monotonic() >= deadline:
            return None
        for descriptor, _ in poll.poll(look * 1000):
            poll.unregister(descriptor)
            waiting.discard(descriptor)
            if not waiting:
                # A process closes its sockets before it ends, so whoever has the port now is somebody new.
                deadline = min(deadline, time.monotonic() + _LEFTOVER_SECONDS)
        look = min(look * 2, _LONGEST_LOOK)
    return free


def _still_taken(before: Holding, now: Holding) -> PortConflict:
    came_back = [facts for facts in now.holders if facts.identity not in before.identities]
    if came_back:
        return _conflict(before.port, now, _restarted(came_back[0]))
    if any(_is_postgres(facts) for facts in now.holders):
        return _conflict(
            before.port, now, "PostgreSQL is never killed: stop it with `pg_ctl stop -m fast`, or wait for it"
        )
    return _conflict(before.port, now, "it did not end; stop it by hand, or choose another port")


def _restarted(holder: ProcessFacts) -> str:
    """Say who starts the holder again, as far as its parent tells."""
    parent = facts_of(holder.parent_pid)
    if parent is None or parent.identity.pid == 1:
        return "something started it again: stop that first"
    return f"it was started again: stop {named(parent)} first"


def _conflict(port: int, found: Holding, hint: str) -> PortConflict:
    return PortConflict(f"port {port} is {found.reason}", hint=hint)
