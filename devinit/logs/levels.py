"""The severity of log lines, in the words of the program that printed them. Pure.

Python's logging, uvicorn, gunicorn, Django, Celery, loguru, structlog, Rails, pino-pretty, winston, Go's slog,
zap, zerolog, logrus, Rust's tracing, Spring, log4j, .NET, Elixir, Monolog, PostgreSQL, nginx and Redis print a
level near the beginning of a line.
"""

from __future__ import annotations

import re
from enum import IntEnum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

LOOKED_AT = 160
"""Characters of a line that are searched: a time, a process and the name of a logger may precede the level."""


class Level(IntEnum):
    """The severity of a line; the numbers are those of pino and bunyan."""

    TRACE = 10
    DEBUG = 20
    INFO = 30
    WARNING = 40
    ERROR = 50
    FATAL = 60

    @property
    def word(self) -> str:
        """The level in the notation of `devinit logs`: `warning`."""
        return self.name.lower()


_OTHER_WORDS: Mapping[Level, str] = {
    Level.TRACE: "verbose silly finest finer trc",
    Level.DEBUG: "fine dbg dbug debug1 debug2 debug3 debug4 debug5",
    Level.INFO: "information informational inf notice success http log",
    Level.WARNING: "warn wrn",
    Level.ERROR: "err eror fail severe alert",
    Level.FATAL: "critical crit panic dpanic emergency emerg ftl pnc",
}
LEVELS: Mapping[str, Level] = {
    word: level for level, words in _OTHER_WORDS.items() for word in (level.word, *words.split())
}
"""All known words for levels, in lower case."""

_WORDS = (
    "TRACE|VERBOSE|DEBUG[1-5]?|INFO|NOTICE|SUCCESS|LOG|WARN|WARNING"
    "|ERROR|SEVERE|FATAL|CRITICAL|ALERT|PANIC|EMERGENCY"
)
_SHORT = "TRC|DBG|INF|WRN|ERR|FTL|PNC"
_LOWER = "trace|verbose|debug|info|notice|warn|warning|error|fatal|critical|crit|alert|emerg|dbug|fail"
_STATED = re.compile(
    rf"(?:^|[\s\[(|<.:])(?P<upper>{_WORDS})(?=[\s\])|>:,/\[-]|$)"
    rf"|(?:^|[\dMZ] )(?P<short>{_SHORT})(?=[\s\]])"  # zerolog, Serilog: behind the time
    rf"|\[(?P<bracketed>{_LOWER}) *\]"  # structlog, nginx, Elixir
    rf"|^(?P<first>{_LOWER}): "  # winston, .NET
)
_LETTER = re.compile(
    r"(?P<ruby>[DIWEFA]), \[|(?P<klog>[IWEF])\d{4} \d\d:|\d{1,10}:[XCSM] [^*#]{15,40} (?P<redis>[*#.-]) "
)
_LETTERS = {
    "D": Level.DEBUG,
    "I": Level.INFO,
    "A": Level.INFO,
    "W": Level.WARNING,
    "E": Level.ERROR,
    "F": Level.FATAL,
    ".": Level.DEBUG,
    "-": Level.DEBUG,
    "*": Level.INFO,
    "#": Level.WARNING,
}
PROBLEM = re.compile(
    r"\b(?:ERROR|CRITICAL|FATAL|Traceback|panicked|panic:|Unhandled|uncaught)\b"
    r"|\b\w*(?:Error|Exception)\b(?::|$)|\berror\b[:\[ ]|\" 5\d\d\b|\[(?:error|fatal)\]",
)
"""Matches lines that the user should see: errors of Python, Node, PostgreSQL, web servers, compilers."""
HARMLESS = re.compile(r"\b(?:0|no) errors?\b", re.IGNORECASE)


def stated_level(text: str) -> Level | None:
    """Return the level in a line of plain text; None if it contains none."""
    head = text[:LOOKED_AT]
    if found := _STATED.search(head):
        return LEVELS[found[found.lastgroup or 0].lower()]
    if found := _LETTER.match(head):
        return _LETTERS[found[found.lastgroup or 0]]
    return None


def level_of_value(value: object) -> Level | None:
    """Return the level for a field of a record: a word, or a number of pino, syslog or Monolog."""
    if isinstance(value, str):
        return LEVELS.get(value.strip().lower()) or (
            level_of_value(int(value)) if is_short_number(value) else None
        )
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    if value in range(8):
        # Syslog counts downwards: 0 is an emergency, 7 is debugging.
        return (
            Level.FATAL,
            Level.FATAL,
            Level.FATAL,
            Level.ERROR,
            Level.WARNING,
            Level.INFO,
            Level.INFO,
            Level.DEBUG,
        )[value]
    if value >= 100:  # noqa: PLR2004  Monolog: 100 is for debugging, 600 an emergency
        steps = (
            (500, Level.FATAL),
            (400, Level.ERROR),
            (300, Level.WARNING),
            (200, Level.INFO),
            (0, Level.DEBUG),
        )
        return next(level for least, level in steps if value >= least)
    return next((level for level in reversed(Level) if value >= level), None)


def is_short_number(text: str) -> bool:
    """Whether a text is a number of at most three digits."""
    return len(text) <= 3 and text.isascii() and text.isdigit()  # noqa: PLR2004  600 is the highest


def sounds_like_a_problem(text: str) -> bool:
    """Whether a line of plain text looks like a problem that the user should see."""
    return PROBLEM.search(text) is not None and HARMLESS.search(text) is None


def belongs_to_the_line_before(text: str) -> bool:
    """Whether a line continues the one before: it is indented, like the lines of a traceback."""
    return text[:1] in (" ", "\t") and stated_level(text) is None
