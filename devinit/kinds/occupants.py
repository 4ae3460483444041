"""The processes that work in a data directory: the proof that a server, or a remnant of one, still uses it.

PostgreSQL and Redis both make their data directory their working directory. That is visible only in the
pid namespace of the server; the lock that it inherits (`system.data_lock`) is visible in every
container that has the data.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from devinit.errors import ProviderError
from devinit.model.process import ProcessFacts
from devinit.model.saving import saving_server
from devinit.system.data_lock import is_used_out_of_sight, where_in_use
from devinit.system.processes import Process, facts_of, process_ids

GRACE_SECONDS = 3.0


def works_in(pid: int, folder: Path) -> bool:
    """Return whether this process is alive and has the folder as its working directory."""
    facts = facts_of(pid)
    return facts is not None and facts.directory == os.path.realpath(folder)


def refuse_use_elsewhere(folder: Path, title: str) -> None:
    """Raise ProviderError if a server that is invisible from here uses the data; change nothing."""
    if is_used_out_of_sight(folder):
        raise ProviderError(
            f"{title} was not started: the server that uses {folder} runs {where_in_use(folder)}, "
            "and a second one would destroy the data",
            hint="nothing was changed; run `devinit stop` where that server was started, then start here",
        )


def is_occupied(folder: Path) -> bool:
    """Return whether any server works in this folder."""
    return any(True for _ in _servers_in(folder))


def end_occupants(folder: Path) -> list[int]:
    """End processes that a killed server left working in its data; return their pids.

    A shell or an editor in the folder is left alone. Only for a folder whose server is known to be dead.
    QUIT makes a backend exit at once; KILL follows for one that hangs, and does no harm because its
    shared memory is already lost.
    """
    with ExitStack() as opened:
        left = [opened.enter_context(process) for process in _occupants_of(folder)]
        found = [process.pid for process in left]
        for number in (signal.SIGQUIT, signal.SIGKILL):
            for process in left:
                process.send(number)
            deadline = time.monotonic() + GRACE_SECONDS
            left = [process for process in left if not process.wait(max(0.0, deadline - time.monotonic()))]
    return found


def _occupants_of(folder: Path) -> Iterator[Process]:
    for facts in _servers_in(folder):
        process = Process.open(facts.identity)
        if process is not None:
            yield process


def _servers_in(folder: Path) -> Iterator[ProcessFacts]:
    """Yield the processes of database servers that have the folder as their working directory."""
    real = os.path.realpath(folder)
    for pid in process_ids():
        facts = facts_of(pid)
        if facts is not None and facts.directory == real and saving_server(facts) is not None:
            yield facts
