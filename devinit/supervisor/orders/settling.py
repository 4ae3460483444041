"""Whether a service that cannot be asked has come up, for `devinit wait`: without a port its life is all it shows.

A worker is ready when it has stayed up for a second. Most load their code for longer than that, and end when it is
broken; a reloader around them lives on. So a worker that is ready since a moment, or that had a reason to load its
code again, counts once it is at rest: it uses little CPU time, and its output does not end with a crash.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from devinit.model.probe import LogProbe, StayedUpProbe
from devinit.supervisor.diagnosis.listening import LINES, found_in
from devinit.supervisor.lifecycle.decisions import STABLE_SECONDS
from devinit.supervisor.readiness.crashes import down_by
from devinit.system.usage import usage_of

if TYPE_CHECKING:
    from devinit.supervisor.service.runner import Runner

MEASURED_SECONDS = 0.5
"""Over this time CPU is measured: the kernel counts it in hundredths of a second."""
LOADING_SHARE = 0.25
"""Loading code takes a whole CPU, and a quarter of one where four services load at once; a worker that waits for
work takes some hundredths."""
LOADING = "it has no port to be asked at, and is loading its code or busy"


class Settling:
    """What one wait has seen of one service."""

    def __init__(self) -> None:
        self._sample: tuple[float, float] | None = None
        """Monotonic time, and the CPU seconds of the service's processes then."""

    def is_settled(self, runner: Runner, after: float | None) -> bool:
        """Whether what a ready service is will last.

        `after`: the Unix time of the change that it has to know. One that failed a moment ago, or is busy all the
        time, has to run for as long as a service has that is taken to be sound.
        """
        if not isinstance(runner.probe_again(), LogProbe | StayedUpProbe) or runner.run.process is None:
            return True
        now, state = time.monotonic(), runner.state
        age = now - state.ready_at if state.ready_at is not None else STABLE_SECONDS
        if after is not None:
            age = min(age, time.time() - after)
        if age >= STABLE_SECONDS:
            return True
        if state.failures or self._crashed(runner):
            return False
        return self._is_at_rest(now, usage_of(runner.pids()).cpu_seconds)

    @staticmethod
    def _crashed(runner: Runner) -> bool:
        return down_by(runner.ears()) is not None or found_in(runner.log_tail(LINES), None) is not None

    def _is_at_rest(self, now: float, cpu_seconds: float) -> bool:
        if self._sample is None:
            self._sample = now, cpu_seconds
            return False
        before, used = self._sample
        if now - before < MEASURED_SECONDS:
            return False
        self._sample = now, cpu_seconds
        # The sum falls when a process ends: what began in its place is loading.
        return 0.0 <= cpu_seconds - used < LOADING_SHARE * (now - before)
