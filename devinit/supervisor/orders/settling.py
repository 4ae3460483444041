"""Decide for `devinit wait` whether a service without a port has come up; only its process can be examined.

A worker is ready when it has stayed up for a second. Most workers load their code for longer than that, and end if
it is broken, while a reloader around them lives on. So a worker that became ready a moment ago, or that had a
reason to reload its code, counts once it is at rest: it uses little CPU time, and its output does not end with a
crash.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from devinit.model.probe import LogProbe, StayedUpProbe
from devinit.supervisor.diagnosis.causes import own_lines
from devinit.supervisor.diagnosis.listening import AGAIN, LINES, found_in
from devinit.supervisor.diagnosis.own_words import with_last_line
from devinit.supervisor.diagnosis.workers import RELOADS
from devinit.supervisor.lifecycle.decisions import STABLE_SECONDS
from devinit.supervisor.readiness.crashes import down_by
from devinit.supervisor.readiness.rest import MEASURED_SECONDS, wants_little
from devinit.system.procfs import command_line_of
from devinit.system.usage import wanted_seconds
from devinit.text import harmless

if TYPE_CHECKING:
    from devinit.supervisor.service.runner import Runner

GOING_DOWN = r"(?i)\bshut(?:ting)? ?down\b|\bstopping\b|\brestarting\b|\bchanges? detected\b"
"""The last lines of a worker that its reloader ends, and of reloaders before the next worker begins. Celery
needs some three seconds for its warm shutdown.
"""
GENERATIONS = 3
"""So many workers that a reloader began one after the other, each after a crash, are no coincidence: some
reloaders go on. `respawns` judges programs that are known to be started again after each end.
"""
LOADED_SECONDS = 1.0
"""A worker that its reloader began so long ago, and that is at rest, has loaded its code."""
LOADING = "it has no port to be asked at, and is loading its code or busy"


class Settling:
    """The observations of one service during one wait."""

    def __init__(self) -> None:
        self._sample: tuple[float, float] | None = None
        """Monotonic time, and the CPU seconds that the service's processes had wanted by then."""
        self._looked_at = float("-inf")
        """Monotonic time of the last look: each look reads the end of the log and the processes."""
        self.is_down = False
        """Whether two consecutive looks at its processes have shown that it is down."""
        self._workers = frozenset[int]()
        self._generations = 0
        self._was_down = self._is_between = False
        """Whether its reloader runs without a worker now."""
        self._begun_again = float("-inf")
        """Monotonic time at which its reloader was seen to have begun the present worker."""

    @property
    def seen(self) -> str:
        """The description of a service that is not settled."""
        return AGAIN if self._generations > GENERATIONS else LOADING

    def cause_of_loop(self, runner: Runner) -> str | None:
        """Return why a worker ends repeatedly under a reloader that restarts it each time; None if it does not."""
        process = runner.run.process
        if runner.hearing.reloader() is not None:
            cause = runner.ears().respawns()
            return f"{AGAIN}: {cause}" if cause is not None else None
        if process is None or not re.search(RELOADS, command_line_of(process.pid)):
            return None
        workers = frozenset(runner.pids()) - {process.pid}
        self._is_between = not workers
        if workers and not workers & self._workers:
            self._begun_again = time.monotonic()
            self._workers, self._generations = workers, self._generations + 1
        if self._generations <= GENERATIONS:
            return None
        lines = runner.log_tail(LINES)
        found = found_in(lines, None)
        return f"{AGAIN}: {found.cause}" if found else with_last_line(AGAIN, own_lines(lines))

    def is_settled(self, runner: Runner, after: float | None) -> bool:
        """Return whether a ready service can be expected to stay ready.

        `after`: the Unix time of the change that it must have loaded. A service that failed a moment ago, or is
        always busy, must have run as long as a stable one. The same applies to the last worker of a reloader that
        restarts it repeatedly.
        """
        if runner.run.process is None:
            return True
        if not isinstance(runner.probe_again(), LogProbe | StayedUpProbe):
            return runner.hearing.stays()
        now, state = time.monotonic(), runner.state
        if now - self._looked_at < MEASURED_SECONDS:
            return False
        self._looked_at = now
        age = now - state.ready_at if state.ready_at is not None else STABLE_SECONDS
        if after is not None:
            age = min(age, time.time() - after)
        was_down, self._was_down = self._was_down, down_by(runner.ears()) is not None
        self.is_down = was_down and self._was_down
        if self._was_down:
            return False
        if not (runner.hearing.has_loaded() if age < STABLE_SECONDS else runner.hearing.stays()):
            return False
        if age >= STABLE_SECONDS:
            return self._generations <= GENERATIONS or now - self._begun_again >= STABLE_SECONDS
        if state.failures or is_ending(runner.log_tail(LINES)):
            return False
        if self._is_between or now - self._begun_again < LOADED_SECONDS:
            return False
        return self._is_at_rest(now, wanted_seconds(runner.pids()))

    def _is_at_rest(self, now: float, wanted: float) -> bool:
        if self._sample is None:
            self._sample = now, wanted
            return False
        (before, used), self._sample = self._sample, (now, wanted)
        return wants_little(wanted - used, now - before)


def is_ending(lines: list[str]) -> bool:
    """Return whether the output of a worker ends with its crash, or with a message about its end."""
    last = next((line for each in reversed(lines) if (line := harmless(each)).strip()), "")
    return re.search(GOING_DOWN, last) is not None or found_in(lines, None) is not None
