"""The processes of a service: found by descent, by session and by a mark in the environment.

No criterion is sufficient alone. A shell that ends leaves its children to init (no descent); a server that
daemonises leaves the session; one that clears its environment loses the mark. No program does all three.

Interactive programs are excluded, although they were started from the service: `system.apart`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress

from devinit.model.launcher import only_launches
from devinit.model.process import ProcessIdentity
from devinit.system.apart import Apart
from devinit.system.facts import boot_id, facts_of, is_same
from devinit.system.paths import MARK_END
from devinit.system.process import Process, signal_exactly
from devinit.system.process_stat import Stat
from devinit.system.procfs import all_processes, variable_of

KERNEL_THREADS = 2
"""The pid of kthreadd, the parent of all kernel threads, where these are visible."""
RUN_VARIABLE = "DEVINIT_RUN"
"""The environment variable by which a service's processes are found after they left its session."""


class ProcessTable:
    """A snapshot of all processes, for queries about any number of services."""

    def __init__(self) -> None:
        self._stats = all_processes()
        self._children: dict[int, list[int]] = {}
        self._sessions: dict[int, list[int]] = {}
        self._marked: dict[str, set[int]] | None = None
        """Pids by mark; None until the first query."""
        for pid, found in self._stats.items():
            self._children.setdefault(found.parent, []).append(pid)
            self._sessions.setdefault(found.session, []).append(pid)

    def members_of(
        self, process: Process | ProcessIdentity | int | None, marker: str | None
    ) -> list[ProcessIdentity]:
        """Return the running processes of a service: the process, its descendants, its session, and marked ones.

        Marked processes were started with DEVINIT_RUN=`marker`, wherever they moved since, so a service is found
        also after its first process has ended. If the process's pid was reused, the new process and its relatives
        do not count. Interactive programs are left out.
        """
        return self.family_of(process, marker)[0]

    def family_of(
        self, process: Process | ProcessIdentity | int | None, marker: str | None
    ) -> tuple[list[ProcessIdentity], list[ProcessIdentity]]:
        """Return the processes of a service (`members_of`), and the interactive programs started from it.

        Of each interactive program, only the first process is returned: the server of a multiplexer, not the
        programs in it.
        """
        root = process.identity if isinstance(process, Process) else process
        number = root.pid if isinstance(root, ProcessIdentity) else root or 0
        members = self._closure({number} if self._is_there(root) else set(), session=number)
        if marker is not None:
            # The marks of earlier versions do not contain the state folder.
            marks = (marker, marker.partition(MARK_END)[0])
            marked = set().union(*(self._with_mark(each) for each in marks)) - members
            if marked:
                members = self._closure(members | marked, session=number)
        look = Apart(self._stats, members, number)
        apart = look.heads()
        below = self._below(apart)
        below |= self._below(look.started_in(apart))
        return self._identities(members - below), self._identities(apart)

    def main_of(self, root: ProcessIdentity | None) -> ProcessIdentity | None:
        """Return the program of a service: its first process, or the one that a shell, npm or uv only launches.

        None if it has ended.
        """
        return self.program_and_launchers(root)[0]

    def program_and_launchers(
        self, root: ProcessIdentity | None
    ) -> tuple[ProcessIdentity | None, list[ProcessIdentity]]:
        """Return the program of a service (`main_of`), and the processes around it that only launch it."""
        if root is None or not self._is_there(root):
            return None, []
        pids = [root.pid]
        while (facts := facts_of(pids[-1])) is not None and only_launches(facts):
            below = [child for child in self._children.get(pids[-1], ()) if self._stats[child].runs]
            if len(below) != 1:
                break
            pids += below
        *launchers, main = pids
        return next(iter(self._identities([main])), None), list(self._identities(launchers))

    def are_apart(self, processes: Iterable[ProcessIdentity]) -> set[ProcessIdentity]:
        """Return which of these processes are interactive programs, or run in one that is among them."""
        there = {each.pid: each for each in processes if self._is_there(each)}
        below = self._below(self._apart({*there}, 0))
        return {each for pid, each in there.items() if pid in below}

    def followers_of(self, leaders: Iterable[ProcessIdentity]) -> list[ProcessIdentity]:
        """Return the descendants of these processes that are still in the process group of one of them.

        Ctrl-C would reach them too. The processes themselves and interactive programs are left out.
        """
        proven = [leader.pid for leader in leaders if self._is_there(leader)]
        groups = {group_of(pid) for pid in proven} - {None}
        waiting = [child for pid in proven for child in self._children.get(pid, ())]
        found: dict[int, ProcessIdentity] = {}
        while waiting:
            pid = waiting.pop()
            if pid not in found and pid not in proven:
                found[pid] = ProcessIdentity(pid, self._stats[pid].start_time, boot_id())
                waiting += self._children.get(pid, ())
        apart = self._below(self._apart({*found, *proven}, 0) - {*proven})
        return [
            each
            for pid, each in found.items()
            if pid not in apart and self._stats[pid].runs and group_of(pid) in groups
        ]

    def _is_there(self, root: ProcessIdentity | int | None) -> bool:
        if isinstance(root, ProcessIdentity):
            found = self._stats.get(root.pid)
            return found is not None and is_same(root, found)
        return root in self._stats

    def _closure(self, proven: set[int], *, session: int) -> set[int]:
        """Add descendants, and sessions that belong to proven members, until no more are found.

        A session is ours if its leader is, or if it is the root's session and contains a proven member: while one
        member lives, the kernel does not reuse the session's number.
        """
        members: set[int] = set()
        waiting = list(proven)
        while waiting:
            pid = waiting.pop()
            if pid in members:
                continue
            members.add(pid)
            waiting += self._children.get(pid, ())
            its_session = self._stats[pid].session
            # In a container, every session that began outside of it has the number 0.
            if its_session and its_session in (pid, session):
                waiting += self._sessions[its_session]
        return members

    def _apart(self, members: set[int], service: int) -> set[int]:
        return Apart(self._stats, members, service).heads()

    def _below(self, heads: set[int]) -> set[int]:
        """Add the processes that run in these: descendants, and the sessions that they lead."""
        return self._closure(heads, session=0) if heads else heads

    def _identities(self, pids: Iterable[int]) -> list[ProcessIdentity]:
        boot = boot_id()
        return [
            ProcessIdentity(pid, self._stats[pid].start_time, boot)
            for pid in sorted(pids)
            if self._stats[pid].runs
        ]

    def _with_mark(self, marker: str) -> set[int]:
        """Return the pids with a mark. All marks are read once, because there may be hundreds of services."""
        if self._marked is None:
            self._marked = {}
            for pid, found in self._stats.items():
                if not self._is_of_kernel(found) and (mark := variable_of(pid, RUN_VARIABLE)) is not None:
                    self._marked.setdefault(mark, set()).add(pid)
        return self._marked.get(marker, set())

    def _is_of_kernel(self, found: Stat) -> bool:
        """Whether a process is a kernel thread, which has no environment; often a third of all processes are."""
        if found.parent != KERNEL_THREADS or found.session:
            return False
        first = self._stats.get(KERNEL_THREADS)
        return first is not None and (first.name, first.parent, first.session) == ("kthreadd", 0, 0)


def tree_of(process: Process | ProcessIdentity | int | None, marker: str | None) -> list[int]:
    """Return the pids of the running processes of a service (`ProcessTable.members_of`)."""
    return [member.pid for member in members_of(process, marker)]


def members_of(process: Process | ProcessIdentity | int | None, marker: str | None) -> list[ProcessIdentity]:
    """Return the running processes of a service. For several services, use one `ProcessTable`."""
    return ProcessTable().members_of(process, marker)


def followers_of(leaders: Iterable[ProcessIdentity]) -> list[ProcessIdentity]:
    """Return the descendants of these processes that are still in one of their groups (`ProcessTable`)."""
    return ProcessTable().followers_of(leaders)


def group_of(pid: int) -> int | None:
    """Return the process group of a process, or None if it has ended."""
    try:
        return os.getpgid(pid)
    except (ProcessLookupError, PermissionError):
        return None


def signal_tree(pids: Iterable[int | ProcessIdentity], signal: int) -> list[int]:
    """Signal each process; return the pids of those that were reached.

    Plain pids must come from a scan that was just made; identities (`members_of`) are verified again.
    """
    reached = []
    for target in pids:
        pid = target if isinstance(target, int) else target.pid
        # 0 and negative numbers mean groups, 1 is init, and devinit never signals itself.
        if pid <= 1 or pid == os.getpid():
            continue
        with suppress(ProcessLookupError, PermissionError):
            if isinstance(target, int):
                os.kill(pid, signal)
                reached.append(pid)
            elif signal_exactly(target, signal):
                reached.append(pid)
    return reached
