"""Match a regular expression of the user within bounds: `(a+)+$` takes years for a line of 60 letters.

`re` keeps the GIL, so neither a thread nor asyncio's time-out ends such a match. It does look for signals, though:
a timer of the kernel counts the time that this process computes, and its signal ends the match. Setting the timer
takes some 25 µs, so every pattern is bounded, not only those that look dangerous.
"""

from __future__ import annotations

import re
import signal
import threading
import time

LONGEST_SECONDS = 0.5
"""How long one match may compute; the supervisor does nothing else meanwhile."""
PAUSE_SECONDS = 10.0
"""How long a pattern that took longer is not tried again, so that most of the time is left for other work."""

_too_slow: dict[str, float] = {}
"""Patterns that took too long, and when each is tried again (`time.monotonic`)."""


class PatternTooSlow(Exception):
    """Raised when a pattern takes too long for a text; whether it matches is unknown."""

    def __init__(self, pattern: str) -> None:
        super().__init__(
            f"the regular expression {pattern!r} takes longer than {LONGEST_SECONDS:g} s: "
            "rewrite it without a repetition inside another, such as (a+)+"
        )


def is_found(pattern: str, text: str, flags: re.RegexFlag = re.NOFLAG) -> bool:
    """Return whether a pattern matches somewhere in a text.

    Raise PatternTooSlow when that takes too long, and at once within 10 s after that. Only in the main thread is
    the time bounded: signals reach no other.
    """
    if threading.current_thread() is not threading.main_thread():
        return re.search(pattern, text, flags) is not None
    if pattern in _too_slow and time.monotonic() < _too_slow[pattern]:
        raise PatternTooSlow(pattern)
    expression = re.compile(pattern, flags)

    def expire(_signal: int, _frame: object) -> None:
        _too_slow[pattern] = time.monotonic() + PAUSE_SECONDS
        raise PatternTooSlow(pattern)

    # Virtual: a machine under load does not make a pattern slow.
    before = signal.signal(signal.SIGVTALRM, expire)
    try:
        try:
            signal.setitimer(signal.ITIMER_VIRTUAL, LONGEST_SECONDS)
            return expression.search(text) is not None
        finally:
            # The timer fires once. If it does so just now, its handler runs before this block is left.
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    finally:
        signal.signal(signal.SIGVTALRM, before)
