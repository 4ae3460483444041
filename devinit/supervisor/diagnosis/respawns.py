"""Detect that a reloader, such as `watchmedo auto-restart`, starts a failing program again and again.

Each run may be ready for a moment, and may print why it ends, or nothing. A reloader itself ends a run when a file
is saved: such a run is not evidence of a loop, however fast the saves follow each other.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum, auto

from msgspec import Struct

from devinit.supervisor.diagnosis.causes import of_last_run, stuck_by
from devinit.supervisor.diagnosis.own_words import error_line
from devinit.text import harmless

WATCHMEDO = r"(?:^|[\s/])watchmedo\s+auto-restart(?=\s|$)"
"""Command of watchmedo (6.0), which starts its program again after each end."""
TRIES = r"(?:^|[\s/])conc(?:urrently)?\s.{0,500}--restart-tries[=\s]-?[1-9]"
"""`concurrently --restart-tries` (9.2) starts a program again after each error. With several programs, the end of
one is not noticed while another one runs."""
_TRIES_WORDS = r"^(?P<prefix>\[[^\]]*\] )?.+ (?:exited with code \S+|restarted)$"
"""Lines that concurrently itself prints then. Each line of its program has the same prefix."""
_PATTERN = r"(?<=\s)(?:--patterns?[=\s]|-p\s?)(\S+)"
_DIRECTORY = r"(?<=\s)(?:--directory[=\s]|-d\s?)(\S+)"
LOOP, DO = r"\b(?P<word>while|until)\b", r"\bdo\b"
"""A shell loop also starts its program again. Two patterns: one would be quadratic in a command of many loops."""
_DONE = r"\bdone\b['\"\s;&]*$"
"""End of a loop that nothing follows. If a command follows, the loop waits for another server."""
_ASIDE = r"^(?:sleep|echo|printf|true|:)\b"
"""Commands in a loop that are not its program."""
_NEGATED = r"^\s*!\s"
RUNS = 4
"""After this many consecutive failed runs, the program is reported as failing again and again."""
FAST_SECONDS = 8.0
"""A program that ends while it loads is restarted within 3 s, even Celery, and later on a busy machine."""
SOUND_SECONDS = 3.0
"""A program that has run for this long counts as loaded, if few runs before it failed ..."""
SOUND_SHARE = 1.5
"""... and if it has run this many times as long as the longest of those. After RUNS of them: FAST_SECONDS."""
SILENT = "it prints nothing about its end"

TOLD_TO_END = r"^KeyboardInterrupt\b|\bWarm shutdown\b"
"""Last line of a program that its reloader has interrupted: of Python while it loads, and of Celery."""
SIGNALS = frozenset({-2, -15, 130, 143})
"""Exit codes of such a program: SIGINT and SIGTERM."""
REACTION_SECONDS = 2.0
"""A file saved within this time before a run began may have ended that run: one save causes several events."""
LATEST_SECONDS = 10.0
"""The same for a run whose end shows that it was requested: handling each event may take seconds."""

LinesSince = Callable[[int], list[str]]
"""Returns the last lines printed after an offset in the log."""
HasFailed = Callable[[float, list[str]], bool | None]
"""Called when a run has ended, with the time at which it began and its last lines. Returns whether it failed; None
if its reloader ended it."""


class Silence(Enum):
    """Meaning of a run that ended by itself without printing an error."""

    FAILED = auto()
    """It failed: it should have gone on."""
    BY_CODE = auto()
    """Its exit code tells whether it failed."""
    UNKNOWN = auto()
    """It may have done its work."""


def was_told_to_end(lines: Sequence[str], code: int | None) -> bool:
    """Whether a run with these last lines and this exit code was told to end."""
    last = next((line for each in reversed(lines) if (line := harmless(each)).strip()), "")
    return code in SIGNALS or re.search(TOLD_TO_END, last) is not None


class Watched(Struct, frozen=True):
    """The files whose changes make a reloader end its program."""

    directories: tuple[str, ...]
    """As in the command: relative to its folder."""
    patterns: tuple[str, ...]
    """In the syntax of `pathlib`."""


class Ended(Struct, frozen=True):
    """A run that failed."""

    began: float
    seconds: float
    """Until the next run began."""


def is_respawning(command: str) -> bool:
    """Whether a command starts its program again after each end."""
    if re.search(WATCHMEDO, command) is not None or re.search(TRIES, command) is not None:
        return True
    return _loop_of(command) is not None


def innermost_respawning(commands: Iterable[tuple[int, str]]) -> int | None:
    """Return the pid of the innermost command that starts its program after each end. Parents come first.

    The command of a shell above watchmedo contains the same words. A process that has not yet executed its program
    still has the command of its parent.
    """
    found, before = None, ""
    for pid, command in commands:
        if command != before and is_respawning(command):
            found, before = pid, command
    return found


def silence_of_runs(command: str) -> Silence:
    """Return the meaning of runs of such a command that print no error.

    Each run of a loop may be successful work. A run fails if the loop continues until its condition is true.
    """
    if re.search(WATCHMEDO, command) is not None or re.search(TRIES, command) is not None:
        return Silence.FAILED
    loop = _loop_of(command)
    if loop is None:
        return Silence.UNKNOWN
    word, condition, body = loop
    if re.search(_DONE, body) is None:
        return Silence.UNKNOWN
    is_negated = re.match(_NEGATED, condition) is not None
    if (word == "until") != is_negated:
        return Silence.FAILED
    return Silence.BY_CODE if _is_one_program(re.sub(_DONE, "", body)) else Silence.UNKNOWN


def watched_by(command: str) -> Watched | None:
    """Return the files for which such a command ends its program; None if it watches none."""
    found = re.search(WATCHMEDO, command)
    if found is None:
        return None
    options = command[found.end() :].partition(" -- ")[0]
    patterns = [each for text in re.findall(_PATTERN, options) for each in _unquoted(text).split(";")]
    directories = [_unquoted(text) for text in re.findall(_DIRECTORY, options)]
    return Watched(tuple(directories or ["."]), tuple(each for each in patterns if each))


class Respawns:
    """The observed runs of the program below one reloader."""

    def __init__(self) -> None:
        self.failed_run = float("-inf")
        """Start of the latest failed run, in seconds of the caller's clock."""
        self.has_ended_well = False
        """Whether a run was seen that ended without failing."""
        self._reloader: int | None = None
        self._workers = frozenset[int]()
        self._reaped = 0
        self._is_between = True
        """Whether the latest run has ended, and the next one has not been seen yet."""
        self._begun: float | None = None
        """Start of the current run, in seconds of the same clock."""
        self._failed: deque[Ended] = deque(maxlen=RUNS)
        """The latest consecutive runs that failed."""
        self._cause = SILENT
        """The error that the latest of them printed."""
        self._said: str | None = None
        """The error at the end of the current run's output."""
        self._size = self._from = 0
        """Size of the log in bytes, now and at the start of the current run."""

    def look(
        self,
        reloader: int,
        below: Mapping[int, float],
        *,
        reaped: int = 0,
        size: int,
        lines_since: LinesSince,
        has_failed: HasFailed,
        now: float,
    ) -> str | None:
        """Return the error with which the program ends again and again; None if it does not.

        `reloader`: the reloader's pid. `below`: the pids and start times of its descendants. `reaped`: a number
        that changes with each end of a child, to notice children that live for less time than passes between two
        looks. `size`: size of the log in bytes.
        """
        if reloader != self._reloader:
            self._reloader, self._workers, self._reaped = reloader, frozenset(below), reaped
            self._begun, self._is_between = min(below.values(), default=now), not below
            self._from, self._said = size, None
            self._failed.clear()
        has_reaped, self._reaped = reaped != self._reaped, reaped
        if (below or has_reaped) and not below.keys() & self._workers:
            begun = min(below.values(), default=now)
            if has_reaped or (below and not self._is_between):
                self._run_ended(begun, lines_since, has_failed)
            elif below:
                self._begun = begun
            self._workers, self._is_between = frozenset(below), not below
        if size != self._size:
            self._size = size
            if (cause := end_of(lines_since(self._from))) is not None:
                self._said = cause
                if self._begun is not None:
                    self.failed_run = self._begun
        failed = len(self._failed) + (self._said is not None)
        if failed < RUNS or self._begun is None or now - self._begun >= self._sound_seconds():
            return None
        return self._said or self._cause

    def stays(self, now: float) -> bool:
        """Whether the current run has lasted long enough, compared with the failed runs before it."""
        if self._is_between and self._said is not None:
            return False
        return not self._failed or (self._begun is not None and now - self._begun >= self._sound_seconds())

    def age(self, now: float) -> float:
        """Return the age of the current run in seconds."""
        return now - self._begun if self._begun is not None else 0.0

    def _run_ended(self, begun: float, lines_since: LinesSince, has_failed: HasFailed) -> None:
        before, lines = self._begun, lines_since(self._from)
        cause = self._said or end_of(lines)
        if before is None or begun - before > FAST_SECONDS or (failed := has_failed(before, lines)) is None:
            self._failed.clear()
        elif failed or cause is not None:
            self._failed.append(Ended(before, begun - before))
            self._cause = cause or SILENT
            self.failed_run = before
        else:
            self.has_ended_well = True
        self._begun, self._from, self._said = begun, self._size, None

    def _sound_seconds(self) -> float:
        if len(self._failed) >= RUNS:
            return FAST_SECONDS
        longest = max((each.seconds for each in self._failed), default=0.0)
        return max(SOUND_SECONDS, SOUND_SHARE * longest)


def end_of(lines: Sequence[str]) -> str | None:
    """Return the error at the end of a program's output; None without one."""
    run = own_of_tries(of_last_run(lines))
    last = next((line for each in reversed(run) if (line := harmless(each)).strip()), "")
    return stuck_by(run) or error_line([last])


def own_of_tries(lines: Sequence[str]) -> list[str]:
    """Return the lines of a program, without the lines and prefixes of the `concurrently` that restarts it."""
    said = [harmless(line) for line in lines]
    found = [words for line in said if (words := re.match(_TRIES_WORDS, line))]
    if not found:
        return list(lines)
    prefix = found[-1]["prefix"] or ""
    return [line.removeprefix(prefix) for line in said if not re.match(_TRIES_WORDS, line)]


def _loop_of(command: str) -> tuple[str, str, str] | None:
    """Return the keyword of a shell loop, its condition, and the text after `do`."""
    loop = re.search(LOOP, command)
    if loop is None:
        return None
    rest = command[loop.end() :]
    do = re.search(DO, rest)
    return (loop["word"], rest[: do.start()], rest[do.end() :]) if do is not None else None


def _is_one_program(body: str) -> bool:
    """Whether a loop runs a single program, and nothing that checks its exit code."""
    if re.search(r"[|&<>()$`]|\b(?:if|case|for|while|until)\b", body):
        return False
    commands = (each.strip() for each in re.split(r"[;\n]", body))
    return len([each for each in commands if each and not re.match(_ASIDE, each)]) == 1


def _unquoted(text: str) -> str:
    return text.strip("'\"")
