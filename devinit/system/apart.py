"""Programs that a user works in, started from a service: they are in its tree, and no part of it.

A browser that a dev server opened, an editor that an error page opened, a tmux server that a script
started, and a session with a terminal that the service does not provide. They carry the service's mark,
and what runs in them has nothing to do with it.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping

from devinit.model.workplace import (
    Workplace,
    is_part_of_another,
    is_worth_a_look,
    runs_others,
    workplace_of,
)
from devinit.system.facts import facts_of
from devinit.system.process_stat import Stat
from devinit.system.procfs import LINUX, read, variable_of

_PSEUDO_TERMINALS = 136
"""The device number's major part of the terminals in /dev/pts."""


class Apart:
    """A look at one tree: the processes at one moment, which of them belong to it, and its first one."""

    def __init__(self, stats: Mapping[int, Stat], members: Collection[int], service: int) -> None:
        self._stats, self._members, self._service = stats, members, service

    def heads(self) -> set[int]:
        """Return the processes that are set apart with all that runs in them."""
        found = {pid for pid in self._members if self._is_workplace(pid)}
        # A terminal's other end is looked for only where there is a terminal.
        if terminals := {pid: self._stats[pid].terminal for pid in self._members if self._has_terminal(pid)}:
            provided = self._provided({pid for pid in self._members if not self._is_below(pid, found)})
            found |= {pid for pid, device in terminals.items() if _number_of(device) not in provided}
        return {pid for pid in found if not self._is_below(self._stats[pid].parent, found)}

    def started_in(self, heads: Collection[int]) -> set[int]:
        """Return which processes were started in one of these multiplexers, and left it to run on their own."""
        return (
            {pid for pid in self._members if not _multiplexers_of(pid).isdisjoint(heads)} if heads else set()
        )

    def _is_workplace(self, pid: int) -> bool:
        """Return whether a process is one that a person works in, unless the service itself is one."""
        stat = self._stats[pid]
        if pid == self._service or not is_worth_a_look(stat.name):
            return False
        facts = facts_of(pid)
        if facts is None or is_part_of_another(facts.command):
            return False
        kind = workplace_of(facts)
        # A shell is a person's by its terminal alone: many a script runs one with -l or -i.
        return kind not in (None, Workplace.SHELL) and not self._is_the_service(pid)

    def _is_the_service(self, pid: int) -> bool:
        """Return whether the service's command is just this: `code-server`, or a shell or npm that runs it."""
        above = self._stats[pid].parent
        while self._stats[pid].session == self._service and above in self._stats:
            facts = facts_of(above)
            if facts is None or not runs_others(facts):
                return False
            if above == self._service:
                return True
            above = self._stats[above].parent
        return False

    def _has_terminal(self, pid: int) -> bool:
        """Return whether a process leads a session of its own that has a terminal."""
        stat = self._stats[pid]
        return pid != self._service and stat.session == pid and stat.terminal != 0

    def _is_below(self, pid: int, heads: Collection[int]) -> bool:
        passed: set[int] = set()
        while pid in self._stats and pid not in passed:
            if pid in heads or self._stats[pid].session in heads:
                return True
            passed.add(pid)
            pid = self._stats[pid].parent
        return False

    def _provided(self, pids: Collection[int]) -> set[int]:
        """Return the pseudo-terminals whose other end is held by one of these processes.

        Turborepo and `script` give each command a terminal: it ends with them, and so do those.
        """
        return {number for pid in pids for number in _masters_of(pid)}


def _multiplexers_of(pid: int) -> set[int]:
    """Return the servers of tmux and screen in which a process was started."""
    # TMUX=/tmp/tmux-1000/default,4242,0 and STY=4242.work
    told = ((variable_of(pid, "TMUX") or "").split(",")[1:2], (variable_of(pid, "STY") or "").split(".")[:1])
    return {int(number) for words in told for number in words if number.isdecimal()}


def _masters_of(pid: int) -> Iterator[int]:
    """Yield the pseudo-terminals that a process has made: it holds the end that is not the terminal."""
    folder = f"/proc/{pid}"
    try:
        names = os.listdir(f"{folder}/fd") if LINUX else []
    except OSError:
        return  # gone, or another user's
    for name in names:
        try:
            target = os.readlink(f"{folder}/fd/{name}")
        except OSError:
            continue  # closed while we look
        if target.endswith("/ptmx"):
            _, found, rest = (read(f"{folder}/fdinfo/{name}") or b"").partition(b"tty-index:")
            if found:
                yield int(rest.split(None, 1)[0])


def _number_of(device: int) -> int | None:
    """Return the number of a terminal in /dev/pts, from a device number; None for one that is no such."""
    # The kernel splits the minor part: its low 8 bits stand below the major part, the others above.
    if (device >> 8) & 0xFFF != _PSEUDO_TERMINALS:
        return None
    return (device & 0xFF) | ((device >> 12) & 0xFFF00)
