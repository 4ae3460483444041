"""Tell that a reloader starts its program again and again: `watchmedo auto-restart` does after each end.

Each run may be ready for a moment, and prints why it ends. Where a person saves broken files as fast, that is told
as well: the cause is the right one.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Mapping, Sequence

from devinit.supervisor.diagnosis.causes import of_last_run, stuck_by
from devinit.supervisor.diagnosis.own_words import error_line
from devinit.text import harmless

WATCHMEDO = r"(?:^|[\s/])watchmedo\s+auto-restart(?=\s|$)"
"""In the command of what starts a program after each end: watchmedo (6.0)."""
LOOP, DO = r"\b(?:while|until)\b", r"\bdo\b"
"""The loop of a shell does so too. Two searches: one would be quadratic in a command of many loops."""
RUNS = 4
"""After this many failed runs one after the other, the program is reported as failing again and again."""
WITHIN_SECONDS = 12.0
"""A program that ends while it loads is started again within 3 s each time, Celery included."""
SOUND_SECONDS = 3.0
"""A program that has run for this long has loaded."""
SILENT_RUNS = 3
"""One that ends without a word may have been ended by its reloader, for a file that was saved."""
SILENT = "it prints nothing about its end"

LastLines = Callable[[], list[str]]


def is_respawning(command: str) -> bool:
    """Whether a command starts its program again after each end."""
    if re.search(WATCHMEDO, command) is not None:
        return True
    loop = re.search(LOOP, command)
    return loop is not None and re.search(DO, command[loop.end() :]) is not None


class Respawns:
    """What was seen of the processes below one reloader."""

    def __init__(self) -> None:
        self.failed_run = float("-inf")
        """When the latest run began that has ended with an error, in seconds of the caller's clock."""
        self._reloader: int | None = None
        self._workers = frozenset[int]()
        self._begun: deque[float] = deque(maxlen=RUNS)
        """When the latest runs began, in the same seconds."""
        self._cause: str | None = None
        self._silent = 0
        """How many of the latest runs have printed nothing."""
        self._size = self._size_before = 0
        """How much was printed by now, and by the last look before the latest run was seen, in bytes."""

    def look(
        self, reloader: int, below: Mapping[int, float], size: int, last_lines: LastLines, now: float
    ) -> str | None:
        """Return what the program ends of again and again, if it does.

        `reloader`: its pid; `below`: the pids of its descendants, and when each of them began. `size`: of the log,
        in bytes; `last_lines`: returns those of its end.
        """
        if reloader != self._reloader:
            self._reloader, self._workers, self._cause = reloader, frozenset(below), None
            self._begun.clear()
        if below and not below.keys() & self._workers:
            self._silent = self._silent + 1 if size == self._size_before else 0
            if self._silent >= SILENT_RUNS and self._cause is not None:
                self._cause, self.failed_run = SILENT, self._begun[-1]
            self._workers = frozenset(below)
            self._begun.append(min(below.values()))
            self._size_before = self._size
        if size != self._size:
            self._size, cause = size, end_of(last_lines())
            self._cause = cause or self._cause
            if cause is not None and self._begun:
                self.failed_run = self._begun[-1]
        if len(self._begun) < RUNS or now - self._begun[0] > WITHIN_SECONDS:
            return None
        return self._cause if now - self._begun[-1] < SOUND_SECONDS else None


def end_of(lines: Sequence[str]) -> str | None:
    """Return the error that the output of a program ends with, if it ends with one."""
    run = of_last_run(lines)
    last = next((line for each in reversed(run) if (line := harmless(each)).strip()), "")
    return stuck_by(run) or error_line([last])
