"""Observe one service from outside: its output, its processes, its port."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from itertools import chain
from typing import TYPE_CHECKING

from devinit.supervisor.diagnosis.causes import dying_by, last_worker
from devinit.supervisor.diagnosis.listening import LINES, LOOK_SECONDS, Ears
from devinit.supervisor.diagnosis.respawns import (
    LATEST_SECONDS,
    REACTION_SECONDS,
    SIGNALS,
    SOUND_SECONDS,
    Respawns,
    Silence,
    innermost_respawning,
    is_respawning,
    silence_of_runs,
    was_told_to_end,
    watched_by,
)
from devinit.supervisor.diagnosis.workers import DeadWorker, dead_worker_of, program_below, reaps
from devinit.supervisor.processes.ending import exit_of
from devinit.system.changes import have_changed_since
from devinit.system.facts import identity_of
from devinit.system.listeners import tcp_listeners
from devinit.system.process import Process
from devinit.system.procfs import LINUX, command_line_of, family_of, reaped_by, stat_of

if TYPE_CHECKING:
    from devinit.supervisor.project.project_state import ProjectState
    from devinit.supervisor.service.runner import Runner
    from devinit.system.process_stat import Stat

LOADING_SECONDS = 0.05
"""Minimum time between the start of a reloader, known to 0.01 s, and its first watch."""


class Hearing:
    """The signs of life of one service, observed over time."""

    def __init__(self, runner: Runner, stage: ProjectState) -> None:
        self._runner, self._stage = runner, stage
        self._respawns = Respawns()
        self._run: Process | None = None
        """The current run of a program that is started after each end."""

    def ears(self, answer: Callable[[], int | None]) -> Ears:
        """Return the means to observe it. `answer`: returns the status of its last refused HTTP answer."""
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
        # A command that restarts its program after each end reaps it, and waits for no change.
        if (process := self._runner.run.process) is None or self.reloader() is not None:
            return None
        self._hold_program()
        # A reloader prints its name only at its start, perhaps many lines ago.
        worker = dead_worker_of(process.pid, chain(lines, self._runner.output.first_lines()))
        code = self._run.kernel_code() if self._run is not None else None
        # After a save, a reloader ends its program with a signal, and starts the next one.
        is_known = code not in (None, 0, *SIGNALS) and not self._listens()
        if worker is None or worker.status is not None or code is None or self._run is None or not is_known:
            return worker
        return DeadWorker(self._run.pid, -code if code < 0 else code << 8, is_replaced=code > 0)

    def _dying(self, lines: list[str]) -> str | None:
        """Return why its workers die; None if the latest worker has loaded its code."""
        cause = dying_by(lines)
        worker = last_worker(lines) if cause is not None else None
        stat = stat_of(worker) if worker is not None else None
        lives = stat is not None and stat.runs and time.monotonic() - begun_at(stat) >= SOUND_SECONDS
        return None if lives else cause

    def reloader(self) -> int | None:
        """Return the pid of the service's process that restarts a program after each end; None without one."""
        process = self._runner.run.process
        if process is None or not is_respawning(command_line_of(process.pid)):
            return None
        commands = ((pid, command_line_of(pid)) for pid in family_of(process.pid))
        return innermost_respawning(commands)

    def stays(self) -> bool:
        """Whether its program, if it is restarted after each end, has lasted longer than the failed runs."""
        if (reloader := self.reloader()) is None:
            return True
        if self._ends_again() is not None or not self._respawns.stays(time.monotonic()):
            return False
        by_code = silence_of_runs(command_line_of(reloader)) is Silence.BY_CODE
        return not (by_code and self._run is not None and self._run.kernel_code() not in (None, 0))

    def has_loaded(self) -> bool:
        """Whether its program, if it is restarted after each end, has run long enough to have loaded."""
        return self.reloader() is None or (
            self.stays() and self._respawns.age(time.monotonic()) >= SOUND_SECONDS
        )

    def has_come_up(self) -> bool:
        """Whether its program stays up, or, if it may end because its work is done, has ended well once."""
        reloader = self.reloader()
        if reloader is None or silence_of_runs(command_line_of(reloader)) is Silence.FAILED:
            return self.stays()
        return self.has_loaded() or (self.stays() and self._respawns.has_ended_well)

    async def until_run_ends(self) -> bool:
        """Wait for the end of a program whose reloader does not report it; return False for any other program."""
        while LINUX and (self.reloader() is not None or self._hold_program()):
            self._ends_again()
            run = Process.open(self._run.identity) if self._run is not None else None
            if run is None:
                await asyncio.sleep(LOOK_SECONDS)
                continue
            with run:
                await exit_of(run)
            return True
        return False

    def _ends_again(self) -> str | None:
        reloader = self.reloader()
        if reloader is None:
            return None
        stats = {pid: stat for pid in family_of(reloader)[1:] if (stat := stat_of(pid)) is not None}
        # The `sleep` between two runs of a loop is not its program.
        running = {pid: stat for pid, stat in stats.items() if stat.runs and stat.name != "sleep"}
        command, began = command_line_of(reloader), {pid: begun_at(stat) for pid, stat in running.items()}
        found = self._respawns.look(
            reloader,
            began,
            # Ends of other commands in a loop are no failures.
            reaped=reaped_by(reloader) if silence_of_runs(command) is not Silence.BY_CODE else 0,
            size=self._runner.output.size(),
            lines_since=lambda since: self._runner.log_tail(LINES, since),
            has_failed=lambda at, lines: self._has_failed(command, reloader, at, lines),
            now=time.monotonic(),
        )
        first = next((pid for pid, stat in running.items() if stat.parent == reloader), None)
        if first is not None and (self._run is None or self._run.pid != first):
            self._hold(first)
        return found

    def _hold_program(self) -> bool:
        """Hold the program of a reloader that reaps it silently; return whether there is such a reloader."""
        process = self._runner.run.process
        if process is None or not LINUX or not reaps(command_line_of(process.pid)):
            return False
        program = program_below(process.pid)
        if program is not None and (self._run is None or self._run.pid != program):
            self._hold(program)
        return True

    def _has_failed(self, command: str, reloader: int, at: float, lines: list[str]) -> bool | None:
        """Return whether an ended run that began at this time failed; None if its reloader ended it."""
        code = self._run.kernel_code() if self._run is not None else None
        if (watched := watched_by(command)) is not None:
            late = LATEST_SECONDS if was_told_to_end(lines, code) else REACTION_SECONDS
            stat = stat_of(reloader)
            # The reloader did not see files that were saved before it started.
            seen_since = max(at - late, begun_at(stat) + LOADING_SECONDS if stat is not None else at)
            began = time.time() - (time.monotonic() - seen_since)
            top = self._runner.service.directory
            folders = [str(top / each) for each in watched.directories]
            return None if have_changed_since(began, folders, watched.patterns) else True
        match silence_of_runs(command):
            case Silence.FAILED:
                return True
            case Silence.BY_CODE:
                # The code is unknown if the run ended before it was seen.
                return None if self._run is None else code not in (None, 0)
        return False

    def _hold(self, pid: int) -> None:
        """Open the process of the current run, to be notified of its end and read its exit code."""
        self.forget()
        identity = identity_of(pid)
        self._run = Process.open(identity) if identity is not None else None

    def forget(self) -> None:
        """Close the handle of the current run's process."""
        run, self._run = self._run, None
        if run is not None:
            run.close()


def begun_at(stat: Stat) -> float:
    """Return the monotonic time at which a process began. Linux only, like the search for descendants."""
    age = time.clock_gettime(time.CLOCK_BOOTTIME) - stat.start_time / os.sysconf("SC_CLK_TCK")
    return time.monotonic() - age
