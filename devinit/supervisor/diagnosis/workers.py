"""Find a worker that ended without a traceback while its reloader waits for a change.

`uvicorn --reload` neither prints nor reaps a worker that called `sys.exit()` or was killed: it stays a zombie
until a file is saved. The kernel keeps its exit status that long.
"""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Iterable

from msgspec import Struct

from devinit.system.process_stat import Stat
from devinit.system.procfs import LINUX, command_line_of, exit_status_of, family_of, stat_of

RELOADS = r"(?i)(?:^|[\s/])(?:--)?(?:reload|watch)[\w-]*(?=[\s=]|$)"
"""Matches the command of a reloader, by its program, an argument or an option: "--reload", "watchfiles"."""
SAID = r"(?i)\breloader\b"
"""Matches the output of a reloader: "Started reloader process"."""
RELOADS_BY_ITSELF = r"\bflask\b.{0,300}\s--debug\b|\bfastapi\s+dev\b|\bmanage\.py\s+runserver\b"
"""Commands that reload, although their words do not show it."""
HELPERS = r"multiprocessing[. ](?:resource_tracker|forkserver|semaphore_tracker)"
"""Processes that Python's multiprocessing keeps beside a worker."""


REAPS = r"(?:^|[\s/])tsx(?:/dist/cli\.[cm]?js)?\s+watch(?=\s|$)"
"""Matches the command of a reloader that reaps its program and prints nothing about its end (tsx 4.23)."""
BOOT_SECONDS = 3.0
"""How long such a reloader may take to start its program; it takes 0.3 s on an idle machine."""


class DeadWorker(Struct, frozen=True):
    """A process that ended while its reloader goes on."""

    pid: int
    """Its pid; the reloader's if the process is gone and its status unknown."""
    status: int | None
    """Status as from `waitpid`. 0 is a fault in a server's worker, but not in a job run after each change."""
    is_replaced: bool = True
    """Whether its reloader starts another one when a file is saved; tsx does not notice an end by a signal."""


def dead_worker_of(main: int, lines: Iterable[str]) -> DeadWorker | None:
    """Return the ended worker of the reloader below a process, if no other process of the service runs.

    Only reloaders count: another program may leave a helper unreaped while it is still starting.
    """
    family = {pid: stat for pid in family_of(main) if (stat := stat_of(pid)) is not None}
    ended = [pid for pid, stat in family.items() if not stat.runs and exit_status_of(pid) is not None]
    commands = {pid: command_line_of(pid) for pid, stat in family.items() if stat.runs}
    if not ended:
        return _without_program(family, commands)
    worker = ended[-1]
    above = ancestors(worker, family)
    if any(pid not in above and not re.search(HELPERS, command) for pid, command in commands.items()):
        return None
    reloads = any(re.search(RELOADS, commands.get(pid, "")) for pid in above)
    if not reloads and not any(re.search(SAID, line) for line in lines):
        return None
    status = exit_status_of(worker)
    return DeadWorker(worker, status) if status is not None else None


def reloads(command: str, first_lines: Iterable[str]) -> bool:
    """Whether a program reloads its code after changes, according to its command or its first output."""
    if re.search(RELOADS, command) or re.search(RELOADS_BY_ITSELF, command):
        return True
    return any(re.search(SAID, line) for line in first_lines)


def reaps(command: str) -> bool:
    """Whether a command contains a reloader that reaps its program and prints nothing about its end."""
    return re.search(REAPS, command) is not None


def program_below(main: int) -> int | None:
    """Return the child process of such a reloader below a process; None while none runs."""
    family = {pid: stat for pid in family_of(main) if (stat := stat_of(pid)) is not None}
    reloader, below = _reloader_in(family, {pid: command_line_of(pid) for pid in family if family[pid].runs})
    return next((pid for pid in below if family[pid].parent == reloader), None)


def _without_program(family: dict[int, Stat], commands: dict[int, str]) -> DeadWorker | None:
    """Return the program that a reloader has reaped: the reloader sleeps, and only its ancestors run beside it."""
    reloader, below = _reloader_in(family, commands)
    if not LINUX or reloader is None or below or commands.keys() - {reloader, *ancestors(reloader, family)}:
        return None
    stat = family[reloader]
    age = time.clock_gettime(time.CLOCK_BOOTTIME) - stat.start_time / os.sysconf("SC_CLK_TCK")
    return DeadWorker(reloader, None) if stat.state == "S" and age > BOOT_SECONDS else None


def _reloader_in(family: dict[int, Stat], commands: dict[int, str]) -> tuple[int | None, list[int]]:
    """Return the reloader in a family of processes that reaps its program, and the processes below it."""
    reloader = next((pid for pid, command in commands.items() if reaps(command)), None)
    # The command of a shell or npm above it contains the same words: the innermost one counts.
    below = [pid for pid in commands if reloader in ancestors(pid, family)]
    while below and (inner := next((pid for pid in below if reaps(commands[pid])), None)) is not None:
        reloader, below = inner, [pid for pid in commands if inner in ancestors(pid, family)]
    return reloader, below


def ancestors(pid: int, family: dict[int, Stat]) -> list[int]:
    """Return the ancestors of a process within its family, the nearest first."""
    above: list[int] = []
    while pid in family and family[pid].parent in family:
        pid = family[pid].parent
        above.append(pid)
    return above


def said_of(worker: DeadWorker) -> str:
    """Return a sentence about how a worker ended."""
    if worker.status is None:
        return "its program has ended, and tsx does not print how"
    code = os.waitstatus_to_exitcode(worker.status)
    if code >= 0:
        return f"its worker (pid {worker.pid}) exited with code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        # A real-time signal.
        name = f"signal {-code}"
    return f"its worker (pid {worker.pid}) was ended by {name}"
