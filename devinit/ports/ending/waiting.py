"""Waits on a port: until it can be held, or until a process listens on it again.

The end of a process wakes the wait. The kernel reports no closed or opened socket, so the port has to be polled.
"""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager

from devinit.model.process import ProcessIdentity
from devinit.ports.hold import Hold, hold
from devinit.system.listeners import tcp_listeners
from devinit.system.processes import Process

_SHORTEST_LOOK, _LONGEST_LOOK = 0.001, 0.05
_LEFTOVER_SECONDS = 0.1
_QUIET_SECONDS = 1.0
"""How long a wait goes on before a message about it appears."""


@contextmanager
def watching(processes: Iterable[ProcessIdentity]) -> Iterator[dict[int, Process]]:
    """Open processes so that their end wakes a wait; yield them by descriptor.

    Processes that have ended are left out.
    """
    with ExitStack() as stack:
        opened = (Process.open(identity) for identity in processes)
        yield {each.fileno(): stack.enter_context(each) for each in opened if each is not None}


def wait_until_free(
    port: int,
    watched: Mapping[int, Process],
    seconds: float,
    *,
    slow: Callable[[float], None] = lambda _left: None,
) -> Hold | None:
    """Hold the port as soon as it can be bound; return None on timeout.

    `slow` is called once with the seconds left if the wait takes longer than a moment.
    """
    poll, waiting = _poll(watched), set(watched)
    start = time.monotonic()
    deadline, quiet_until = start + seconds, start + _QUIET_SECONDS
    look = _SHORTEST_LOOK
    while not isinstance(free := hold(port), Hold):
        now = time.monotonic()
        if now >= deadline:
            return None
        if now >= quiet_until:
            quiet_until = deadline
            slow(deadline - now)
        for descriptor, _ in poll.poll(look * 1000):
            poll.unregister(descriptor)
            waiting.discard(descriptor)
            if not waiting:
                # A process closes its sockets before it ends, so another process holds the port now.
                deadline = min(deadline, time.monotonic() + _LEFTOVER_SECONDS)
        look = min(look * 2, _LONGEST_LOOK)
    return free


def listens_again(port: int, watched: Mapping[int, Process], seconds: float, *, unseen: bool) -> bool:
    """Return whether a process listens on a port of ours within some time.

    When all watched processes have ended, no process can come back, except one that is managed `unseen`.
    """
    poll, waiting = _poll(watched), set(watched)
    deadline = time.monotonic() + seconds
    while (waiting or unseen) and time.monotonic() < deadline:
        if tcp_listeners(port):
            return True
        for descriptor, _ in poll.poll(_LONGEST_LOOK * 1000):
            poll.unregister(descriptor)
            waiting.discard(descriptor)
    return bool(tcp_listeners(port))


def _poll(watched: Iterable[int]) -> select.poll:
    poll = select.poll()
    for descriptor in watched:
        poll.register(descriptor, select.POLLIN)
    return poll
