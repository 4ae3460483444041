"""Everything that belongs to a service: found by descent, by session and by a mark in the environment.

Each alone is not enough. A shell that ends leaves its children to init (no descent); a server that
daemonises leaves the session; one that empties its environment leaves the mark. None of them does all.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress

from devinit.model.process import ProcessIdentity
from devinit.system.facts import boot_id, is_same
from devinit.system.process import Process, signal_exactly
from devinit.system.procfs import Stat, all_processes, has_variable

RUN_VARIABLE = "DEVINIT_RUN"
"""The environment variable by which a service's processes are found after they left its session."""


def tree_of(process: Process | ProcessIdentity | int, marker: str | None) -> list[int]:
    """Return the pids of everything that belongs to a process and runs: see `members_of`."""
    return [member.pid for member in members_of(process, marker)]


def members_of(process: Process | ProcessIdentity | int, marker: str | None) -> list[ProcessIdentity]:
    """Return what belongs to a process and runs: itself, its descendants, its session, and the marked.

    Marked are processes that were started with DEVINIT_RUN=`marker`, wherever they went since; so a
    service is found also after its first process ended. A process or identity whose number was given to
    another process counts for nothing, and neither does that other process.
    """
    table = all_processes()
    root = process.identity if isinstance(process, Process) else process
    roots = {_root_pid(root, table)} & table.keys()
    number = root if isinstance(root, int) else root.pid
    members = _closure(roots, table, session=number)
    if marker is not None:
        marked = {pid for pid in table.keys() - members if has_variable(pid, RUN_VARIABLE, marker)}
        if marked:
            members = _closure(members | marked, table, session=number)
    boot = boot_id()
    return [ProcessIdentity(pid, table[pid].start_time, boot) for pid in sorted(members) if table[pid].runs]


def signal_tree(pids: Iterable[int | ProcessIdentity], signal: int) -> list[int]:
    """Signal each process and return those that were reached.

    Numbers must come from a scan made just now; identities (`members_of`) are proven again.
    """
    reached = []
    for target in pids:
        pid = target if isinstance(target, int) else target.pid
        # 0 and negative numbers mean groups, 1 is init, and nobody asks us to end ourselves.
        if pid <= 1 or pid == os.getpid():
            continue
        with suppress(ProcessLookupError, PermissionError):
            if isinstance(target, int):
                os.kill(pid, signal)
                reached.append(pid)
            elif signal_exactly(target, signal):
                reached.append(pid)
    return reached


def _root_pid(root: ProcessIdentity | int, table: dict[int, Stat]) -> int:
    """Return the root's pid, or 0 when its number now belongs to another process, or to none."""
    if isinstance(root, int):
        return root
    found = table.get(root.pid)
    return root.pid if found and is_same(root, found) else 0


def _closure(proven: set[int], table: dict[int, Stat], *, session: int) -> set[int]:
    """Add descendants and the sessions that belong to proven members, until nothing is added.

    A session is ours when its leader is, or when it is the root's and a proven member is in it: while
    one member lives, the kernel gives the session's number to nobody else.
    """
    children: dict[int, list[int]] = {}
    in_session: dict[int, list[int]] = {}
    for pid, found in table.items():
        children.setdefault(found.parent, []).append(pid)
        in_session.setdefault(found.session, []).append(pid)
    members: set[int] = set()
    waiting = list(proven)
    while waiting:
        pid = waiting.pop()
        if pid in members:
            continue
        members.add(pid)
        waiting += children.get(pid, ())
        if table[pid].session in (pid, session):
            waiting += in_session[table[pid].session]
    return members
