"""Time limits for the user's regular expressions: `(a+)+$` takes years for a line of 60 letters.

`re` keeps the GIL, so neither a thread nor an asyncio timeout can end such a match. It does check for signals,
though: a kernel timer counts the CPU time of this process, and its signal ends the match. Setting the timer takes
about 25 µs, so every pattern is limited, not only those that look dangerous.
"""

from __future__ import annotations

import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

LONGEST_SECONDS = 0.5
"""CPU time of one match; the supervisor does nothing else meanwhile."""
PAUSE_SECONDS = 10.0
"""How long a pattern that exceeded its limit is not tried again, so that most of the
time is left for other work."""
SHARE = 0.2
"""The share of time that all matches together may take, except for quick ones."""
QUICK_SECONDS = 0.001
"""Matches that take less are always allowed: sound patterns run many times a second while services start."""
FIRST_SECONDS = 0.02
"""The first limit of a pattern when other patterns have used up the share."""


class Allowance:
    """The CPU time allowed for matches: with a limit for each match alone, sixty slow ones would take it all."""

    def __init__(self) -> None:
        self._left, self._since = LONGEST_SECONDS, time.monotonic()
        self._took: dict[str, float] = {}
        """Seconds that the last match of each pattern took."""
        self._retried: dict[str, float] = {}
        """When each pattern that exceeded its limit may be tried again (`time.monotonic`)."""

    def seconds_for(self, pattern: str) -> float:
        """Return the seconds that a pattern may take now; 0 if it must not be tried."""
        now = time.monotonic()
        self._left = min(LONGEST_SECONDS, self._left + (now - self._since) * SHARE)
        self._since = now
        is_quick = self._took.get(pattern, 0.0) < QUICK_SECONDS
        if now < self._retried.get(pattern, 0.0) or (self._left < FIRST_SECONDS and not is_quick):
            return 0.0
        return max(FIRST_SECONDS, self._left)

    def note(self, pattern: str, seconds: float, *, ended: bool) -> None:
        """Record how long a match took, and whether it finished."""
        self._took[pattern] = seconds
        if seconds >= QUICK_SECONDS:
            self._left = max(0.0, self._left - seconds)
        if not ended:
            self._retried[pattern] = time.monotonic() + PAUSE_SECONDS


_allowance = Allowance()
"""The allowance of this process."""


class PatternTooSlow(Exception):
    """Raised when a pattern takes too long for a text; whether it matches is unknown."""

    def __init__(self, pattern: str, seconds: float) -> None:
        super().__init__(
            f"the regular expression {pattern!r} takes longer than {seconds:.2g} s: "
            "rewrite it without a repetition inside another, such as (a+)+"
        )


def is_found(pattern: str, text: str, flags: re.RegexFlag = re.NOFLAG) -> bool:
    """Return whether a pattern matches somewhere in a text.

    Raise PatternTooSlow when that takes too long; then immediately for the next 10 s, and while slow patterns have
    used up the common share. The limit works only in the main thread, because signals reach no other.
    """
    seconds = _allowance.seconds_for(pattern)
    if not seconds:
        raise PatternTooSlow(pattern, LONGEST_SECONDS)
    expression = re.compile(pattern, flags)
    began, ended = time.process_time(), False
    try:
        with bounded(pattern, seconds):
            found = expression.search(text) is not None
        ended = True
        return found
    finally:
        _allowance.note(pattern, time.process_time() - began, ended=ended)


@contextmanager
def bounded(pattern: str, seconds: float) -> Iterator[None]:
    """Raise PatternTooSlow in a block that matches a pattern and takes longer than this.

    The match may be anywhere in the block. The limit works only in the main thread.
    """

    def expire(_signal: int, _frame: object) -> None:
        raise PatternTooSlow(pattern, seconds)

    with _timer(expire, seconds, 0):
        yield


class Search:
    """A search for one pattern in many texts, in the main thread and as a context manager.

    A timer for each text would take longer than the match. Instead, one timer repeats, and ends a match that it
    finds running for the second time, so after one to two times LONGEST_SECONDS.
    """

    def __init__(self, expression: re.Pattern[str]) -> None:
        self._expression = expression
        self._begun = 0
        """How many matches have started."""
        self._seen = -1
        """How many had started when the timer last fired."""
        self._is_at_work = False
        self._timer = _timer(self._look, LONGEST_SECONDS, LONGEST_SECONDS)

    def __enter__(self) -> Self:
        self._timer.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.__exit__(kind, error, trace)

    def is_found(self, text: str) -> bool:
        """Return whether the pattern matches somewhere in a text; raise PatternTooSlow if that takes too long."""
        self._begun += 1
        self._is_at_work = True
        try:
            return self._expression.search(text) is not None
        finally:
            self._is_at_work = False

    def _look(self, _signal: int, _frame: object) -> None:
        if self._is_at_work and self._seen == self._begun:
            raise PatternTooSlow(self._expression.pattern, LONGEST_SECONDS)
        self._seen = self._begun


@contextmanager
def _timer(act: Callable[[int, object], None], seconds: float, interval: float) -> Iterator[None]:
    """Call a function after this much CPU time in the block, and after each interval that is not 0."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    # ITIMER_VIRTUAL: a machine under load does not make a pattern slow.
    before = signal.signal(signal.SIGVTALRM, act)
    try:
        try:
            signal.setitimer(signal.ITIMER_VIRTUAL, seconds, interval)
            yield
        finally:
            # If the timer fires just now, its handler runs before the block is left.
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    finally:
        signal.signal(signal.SIGVTALRM, before)
