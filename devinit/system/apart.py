"""Interactive programs that a service has started: they are in its process tree, but not part of the service.

Examples are a browser that a dev server opened, an editor that an error page opened, a tmux server that a script
started, and a session with a terminal that the service does not provide. They carry the service's mark, but the
programs inside them have nothing to do with it.
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
"""The major device number of the terminals in /dev/pts."""


class Apart:
    """A snapshot of one process tree: its processes, the members of the service, and its first process."""

    def __init__(self, stats: Mapping[int, Stat], members: Collection[int], service: int) -> None:
        self._stats, self._members, self._service = stats, members, service

    def heads(self) -> set[int]:
        """Return the topmost processes that are set apart, together with all their descendants."""
        found = {pid for pid in self._members if self._is_workplace(pid)}
        # The other end of a terminal is looked up only if there is a terminal.
        if terminals := {pid: self._stats[pid].terminal for pid in self._members if self._has_terminal(pid)}:
            provided = self._provided({pid for pid in self._members if not self._is_below(pid, found)})
            found |= {pid for pid, device in terminals.items() if _number_of(device) not in provided}
        return {pid for pid in found if not self._is_below(self._stats[pid].parent, found)}

    def started_in(self, heads: Collection[int]) -> set[int]:
        """Return the processes that were started in one of these multiplexers and left it to run on their own."""
        return (
            {pid for pid in self._members if not _multiplexers_of(pid).isdisjoint(heads)} if heads else set()
        )

    def _is_workplace(self, pid: int) -> bool:
        """Return whether a process is an interactive program, unless it is the service itself."""
        stat = self._stats[pid]
        if pid == self._service or not is_worth_a_look(stat.name):
            return False
        facts = facts_of(pid)
        if facts is None or is_part_of_another(facts.command):
            return False
        kind = workplace_of(facts)
        # Only a terminal makes a shell interactive: many scripts run one with -l or -i.
        return kind not in (None, Workplace.SHELL) and not self._is_the_service(pid)

    def _is_the_service(self, pid: int) -> bool:
        """Return whether the service's command is this process: `code-server`, or a shell or npm that runs it."""
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
        """Return whether a process leads its own session with a terminal."""
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
        """Return the pseudo-terminals whose master one of these processes holds.

        Turborepo and `script` give each command a terminal, which ends with them, as do its processes.
        """
        return {number for pid in pids for number in _masters_of(pid)}


def _multiplexers_of(pid: int) -> set[int]:
    """Return the servers of tmux and screen in which a process was started."""
    # TMUX=/tmp/tmux-1000/default,4242,0 and STY=4242.work
    told = ((variable_of(pid, "TMUX") or "").split(",")[1:2], (variable_of(pid, "STY") or "").split(".")[:1])
    return {int(number) for words in told for number in words if number.isdecimal()}


def _masters_of(pid: int) -> Iterator[int]:
    """Yield the numbers of the pseudo-terminals whose master this process holds."""
    folder = f"/proc/{pid}"
    try:
        names = os.listdir(f"{folder}/fd") if LINUX else []
    except OSError:
        return  # gone, or another user's
    for name in names:
        try:
            target = os.readlink(f"{folder}/fd/{name}")
        except OSError:
            continue  # closed in the meantime
        if target.endswith("/ptmx"):
            _, found, rest = (read(f"{folder}/fdinfo/{name}") or b"").partition(b"tty-index:")
            if found:
                yield int(rest.split(None, 1)[0])


def _number_of(device: int) -> int | None:
    """Return the number of a terminal in /dev/pts from its device number; None for any other device."""
    # The kernel splits the minor number: its low 8 bits are below the major number, the others above.
    if (device >> 8) & 0xFFF != _PSEUDO_TERMINALS:
        return None
    return (device & 0xFF) | ((device >> 12) & 0xFFF00)
