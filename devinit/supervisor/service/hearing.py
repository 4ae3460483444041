"""What can be heard and seen of one service from outside: its output, its processes, its port."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from itertools import chain
from typing import TYPE_CHECKING

from devinit.supervisor.diagnosis.causes import dying_by, last_worker
from devinit.supervisor.diagnosis.listening import LINES, Ears
from devinit.supervisor.diagnosis.respawns import SOUND_SECONDS, Respawns, is_respawning
from devinit.supervisor.diagnosis.workers import DeadWorker, dead_worker_of
from devinit.system.listeners import tcp_listeners
from devinit.system.procfs import command_line_of, family_of, stat_of

if TYPE_CHECKING:
    from devinit.supervisor.project.project_state import ProjectState
    from devinit.supervisor.service.runner import Runner
    from devinit.system.process_stat import Stat


class Hearing:
    """The signs of life of one service, and what was seen of them over time."""

    def __init__(self, runner: Runner, stage: ProjectState) -> None:
        self._runner, self._stage = runner, stage
        self._respawns = Respawns()

    def ears(self, answer: Callable[[], int | None]) -> Ears:
        """Return how it is heard now. `answer`: the status of its last HTTP answer, if that was refused."""
        runner = self._runner
        return Ears(
            size=runner.output.size,
            last_lines=runner.log_tail,
            answer=answer,
            dead_worker=self._dead_worker,
            listens=self._listens,
            asks=runner.input.finding,
            dying=self._dying,
            respawns=self._ends_again,
        )

    def has_failed_since(self, at: float) -> bool:
        """Whether a run of its program that began after this Unix time has ended with an error."""
        return self._respawns.failed_run > time.monotonic() - (time.time() - at)

    def _listens(self) -> bool | None:
        port = self._stage.ports.port_of(self._runner.name)
        return None if port is None else bool(tcp_listeners(port))

    def _dead_worker(self, lines: list[str]) -> DeadWorker | None:
        if (process := self._runner.run.process) is None:
            return None
        # A reloader names itself once, at its beginning: many lines may have come since.
        return dead_worker_of(process.pid, chain(lines, self._runner.output.first_lines()))

    def _dying(self, lines: list[str]) -> str | None:
        """Return what its workers die of; nothing where the one that was begun last has loaded its code."""
        cause = dying_by(lines)
        worker = last_worker(lines) if cause is not None else None
        stat = stat_of(worker) if worker is not None else None
        lives = stat is not None and stat.runs and time.monotonic() - begun_at(stat) >= SOUND_SECONDS
        return None if lives else cause

    def _ends_again(self) -> str | None:
        process = self._runner.run.process
        if process is None or not _respawns(process.pid):
            return None
        # A shell above watchmedo has its words in its command, too.
        family = family_of(process.pid)
        reloader = next(pid for pid in reversed(family) if pid == process.pid or _respawns(pid))
        below = {pid: begun_at(stat) for pid in family_of(reloader)[1:] if (stat := stat_of(pid)) is not None}
        size = self._runner.output.size()
        return self._respawns.look(
            reloader, below, size, lambda: self._runner.log_tail(LINES), time.monotonic()
        )


def _respawns(pid: int) -> bool:
    return is_respawning(command_line_of(pid))


def begun_at(stat: Stat) -> float:
    """Return the monotonic time at which a process began. Linux only, as its descendants are."""
    age = time.clock_gettime(time.CLOCK_BOOTTIME) - stat.start_time / os.sysconf("SC_CLK_TCK")
    return time.monotonic() - age
