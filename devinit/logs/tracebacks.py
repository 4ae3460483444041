"""Tracebacks: which lines of a service form one block, and which of them contains the error message. Pure.

Tracebacks of Python end with the message, and may consist of several; those of Node, Java, .NET and Ruby begin
with it, and so does a panic of Go.
"""

from __future__ import annotations

from enum import Enum

from devinit.logs import MARKER

PYTHON = "Traceback (most recent call last):"
CHAINS = ("During handling of the above exception", "The above exception was the direct cause")
MORE_OF_PYTHON = (
    "[SQL: ",
    "[parameters: ",
    "(Background on this error",
    "LINE ",
    "DETAIL: ",
    "HINT: ",
    "CONTEXT: ",
)
"""Lines after the last line of an error of SQLAlchemy and psycopg."""
FRAMES = ("at ", "from ", "... ")
MORE_OF_FRAMES = ("Caused by: ", "}")
GO = ("panic: ", "fatal error: ")
MORE_OF_GO = ("goroutine ", "created by ", "[signal ", "panic: ", "exit status ")


MAY_BEGIN = " \tpf"
"""First characters of lines that may begin a block, apart from lines that end as Python's do."""


class Join(Enum):
    """The relation of a line to the lines before it."""

    NOTHING = 0
    BEGINS = 1
    """The line begins a block."""
    GOES_ON = 2
    """The line belongs to the block that has begun."""
    SAYS_IT = 3
    """The line belongs to the block and contains the error message."""
    WITH_THE_ONE_BEFORE = 4
    """The line is the first frame of an error in the line before."""


class _At(Enum):
    NOTHING = 0
    PYTHON = 1
    """Among the frames."""
    SAID = 2
    """After the line with the error message."""
    BLANK = 3
    """After the empty line that follows it."""
    CHAIN = 4
    """Before the next traceback of the same error."""
    FRAMES = 5
    GO = 6


class Tracebacks:
    """A detector of blocks; it gets the lines of services in order."""

    def __init__(self) -> None:
        self._at: dict[str, _At] = {}

    def next(self, service: str, text: str) -> Join:
        """Return the relation of a service's next line to the lines before it."""
        at = self._at.get(service)
        if at is None:
            if text and text[0] not in MAY_BEGIN and not text.endswith("):"):
                return Join.NOTHING  # nearly all lines
            at = _At.NOTHING
        join, after = _step(at, text)
        if after is _At.NOTHING:
            self._at.pop(service, None)
        else:
            self._at[service] = after
        return join


def _step(at: _At, text: str) -> tuple[Join, _At]:
    if text.startswith(MARKER):
        return Join.NOTHING, _At.NOTHING
    bare = text.strip()
    if bare.endswith(PYTHON):
        is_first = at in (_At.NOTHING, _At.FRAMES, _At.GO, _At.SAID, _At.BLANK)
        # Inside an exception group, or after another traceback, it is part of the whole.
        return (Join.BEGINS if is_first else Join.GOES_ON), _At.PYTHON
    is_indented = text[:1] in (" ", "\t")
    match at:
        case _At.PYTHON:
            return (Join.GOES_ON, at) if is_indented or not bare else (Join.SAYS_IT, _At.SAID)
        case _At.SAID if not bare:
            return Join.GOES_ON, _At.BLANK
        case _At.SAID | _At.BLANK if bare.startswith(MORE_OF_PYTHON):
            return Join.GOES_ON, _At.SAID
        case _At.BLANK if bare.startswith(CHAINS):
            return Join.GOES_ON, _At.CHAIN
        case _At.CHAIN if not bare:
            return Join.GOES_ON, at
        case _At.FRAMES if is_indented or bare.startswith(MORE_OF_FRAMES):
            return Join.GOES_ON, at
        case _At.GO if is_indented or not bare or bare.startswith(MORE_OF_GO) or bare.endswith(")"):
            return Join.GOES_ON, at
    if is_indented and bare.startswith(FRAMES) and _is_frame(bare):
        return Join.WITH_THE_ONE_BEFORE, _At.FRAMES
    if text.startswith(GO):
        return Join.BEGINS, _At.GO
    return Join.NOTHING, _At.NOTHING


def _is_frame(text: str) -> bool:
    """Whether a line is a frame of Node, Java, .NET or Ruby: `at f (a.js:1:2)`, `from app.rb:1:in 'f'`."""
    return text.startswith("at ") or ":in " in text
