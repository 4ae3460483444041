"""The current error, if any, in the output of a build tool that goes on running. Pure.

Vite answers 200 for a page whose module is broken, and tsc, webpack and esbuild wait for the next change: the
service is ready, and only its output shows the error. The error counts until a build is clean, or a new run
begins.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import PurePosixPath
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from devinit.logs import MARKER
from devinit.supervisor.diagnosis.build_table import (
    CLOCK,
    CONFIGURATIONS,
    FOREIGN,
    MISSING,
    PLACES,
    RELIEF_WORDS,
    SERVES_FILES,
    SIGN_OF_SWC,
    TOOLS,
    TROUBLE_WORDS,
)
from devinit.supervisor.diagnosis.causes import PYTHON_EXCEPTION
from devinit.text import harmless

LONGEST_TEXT = 300
LONGEST_LINE = 1000
"""Characters that are examined of a line, as for causes."""
BLOCK = 40
"""Maximum number of lines of one error: its message, the code, the place."""
TRACEBACK = 200
"""Maximum number of lines of a traceback that are kept until it is complete."""

Stamp = Callable[[str], int | None]
"""Returns a number that changes with each version of a file, None if the file is missing."""


class BuildError(Struct, frozen=True, kw_only=True):
    """An error of the last build."""

    text: str
    file: str | None = None
    """The file as the tool names it."""
    line: int | None = None
    at: float
    """Unix time at which the error was noticed."""
    stamp: int | None = None
    """The stamp of the file when the error was noticed."""
    is_served: bool = False
    """Whether the tool serves that file under its path, so that the file can be requested alone."""


Gone = Literal["build", "change", "run"]
"""What ended an error: a clean build, a change of the file with the error, or a new run."""


class Reading(Struct, frozen=True, kw_only=True):
    """The state of a build according to its output so far."""

    error: BuildError | None = None
    is_building: bool = False
    """Whether a build has begun whose end was not printed yet."""
    is_compiling: bool = False
    """Whether a requested page is being compiled, and was not answered yet."""
    is_over: bool = False
    """Whether the error belongs to an earlier run of the program."""
    gone_by: Gone | None = None
    """What ended the last error, if there is none now."""
    in_traceback: bool = False
    """Whether the error is the end of a Python traceback, which a more precise one may follow."""
    block: tuple[str, ...] = ()
    """The lines of the error, which later lines may continue; during a traceback, its lines so far."""

    @property
    def is_blank(self) -> bool:
        """Whether there is neither an error nor an unfinished build or traceback."""
        return self.error is None and not (self.is_building or self.is_compiling or self.in_traceback)

    @property
    def may_fail(self) -> bool:
        """Whether the end of a traceback would be the error of a build."""
        return self.is_building or self.in_traceback


def read_on(lines: Sequence[str], before: Reading, at: float, stamp: Stamp = lambda _file: None) -> Reading:
    """Return the state after these lines: the first error of the last build counts."""
    now, is_new = before, False
    for each in lines:
        line = harmless(each)[:LONGEST_LINE]
        sign = sign_of(line)
        if line.startswith(MARKER) or sign == "clean":
            now, is_new = clean(now, "build" if sign == "clean" else "run"), False
        elif sign == "begins":
            now, is_new = Reading(error=now.error, is_building=True, block=(line,)), False
        elif sign == "reloads":
            now, is_new = Reading(error=now.error, is_building=True, is_over=True), False
        elif sign == "ends":
            now, is_new = clean(now, "build") if now.is_building else Reading(error=now.error), False
        elif sign == "fails":
            if now.is_building and len(now.block) > 1:
                now = Reading(error=told(now.block, at, stamp))
            now, is_new = replace(now, is_building=False, block=()), False
        elif sign in ("compiles", "answers"):
            now = replace(now, is_compiling=sign == "compiles")
        elif sign == "raises":
            now, is_new = Reading(error=now.error, in_traceback=True), False
        elif sign == "update":
            if now.error is not None and is_outdated(now.error, line, stamp):
                now, is_new = clean(now, "change"), False
        elif sign == "error" and not is_new:
            now, is_new = Reading(error=told((line,), at, stamp), block=(line,)), True
        elif sign == "error":
            # Another error of the same build: the lines below belong to it, unless the first one has no message
            # yet.
            block = (*now.block, line)
            is_first = bool(now.block) and not any(map(said_in, now.block))
            now = (
                replace(now, error=told(block, at, stamp), block=block)
                if is_first
                else replace(now, block=())
            )
        elif now.may_fail:
            block = (*now.block, line)[-TRACEBACK:]
            now = replace(now, block=block)
            if re.match(PYTHON_EXCEPTION, line) and has_place(block):
                error = of_traceback(block, at, stamp)
                now, is_new = Reading(error=error, in_traceback=True, block=block), True
        elif now.error is not None and 0 < len(now.block) < BLOCK:
            block = (*now.block, line)
            now = replace(now, error=told(block, now.error.at, stamp), block=block)
    return kept(before, now)


def clean(now: Reading, by: Gone) -> Reading:
    """Return the state without an error."""
    return Reading(gone_by=by if now.error is not None else now.gone_by)


def kept(before: Reading, now: Reading) -> Reading:
    """Return the new state; an error that is only repeated keeps its time."""
    if before.error is None or now.error is None:
        return now
    same = (before.error.text, before.error.file, before.error.line) == (
        now.error.text,
        now.error.file,
        now.error.line,
    )
    return replace(now, error=replace(now.error, at=before.error.at)) if same else now


def may_say_something(text: str) -> bool:
    """Return whether an output may contain an error or the beginning of a build. Fast, as most output does not."""
    return any(word in text for word in TROUBLE_WORDS)


SIGNS = ("clean", "begins", "reloads", "ends", "fails", "raises", "compiles", "answers", "update", "error")


@cache
def _signs() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple(
        (sign, re.compile(pattern))
        for tool in TOOLS
        for sign in SIGNS
        if (pattern := getattr(tool, sign)) is not None
    )


def sign_of(line: str) -> str:
    """Return the meaning of a line for a build, one of `SIGNS`; "" for most lines."""
    if not may_say_something(line) and not any(word in line for word in RELIEF_WORDS):
        return ""
    return next((sign for sign, pattern in _signs() if pattern.search(line)), "")


def told(block: Sequence[str], at: float, stamp: Stamp) -> BuildError:
    """Return the error that begins with these lines."""
    said = next((text for each in block if (text := said_in(each))), "") or block[0].strip()
    place = place_in(block)
    file, line = place or (None, None)
    return BuildError(
        text=without_place(said, file, line)[:LONGEST_TEXT],
        file=file,
        line=line,
        at=at,
        stamp=stamp(file) if file else None,
        is_served=SERVES_FILES in block[0],
    )


def said_in(line: str) -> str:
    """Return the message in a line of an error; "" for a heading, the name of a place, or an empty line."""
    found = next(
        (match for sign, pattern in _signs() if sign == "error" and (match := pattern.search(line))), None
    )
    if found is None:
        # Vite prints the message of an error in its configuration like any other line.
        said = re.sub(CLOCK + r"\[vite\] ", "", line).strip()
        is_heading = sign_of(line) == "begins"
    else:
        said = (found.groupdict().get("said") or "").strip()
        is_heading = is_place(said)
    return "" if is_heading or said.endswith(":") else re.sub(SIGN_OF_SWC, "", said)


def of_traceback(block: Sequence[str], at: float, stamp: Stamp) -> BuildError:
    """Return the error at the end of a Python traceback; its place is the innermost one in the user's code."""
    places = [found for each in block if (found := re.match(PLACES[0], each))]
    own = [found for found in places if not re.search(FOREIGN, found["file"])]
    last = (own or places)[-1]
    file, line = last["file"], int(last["line"])
    text = block[-1].strip()[:LONGEST_TEXT]
    return BuildError(text=text, file=file, line=line, at=at, stamp=stamp(file))


def has_place(block: Sequence[str]) -> bool:
    """Return whether these lines contain a traceback."""
    return any(re.match(PLACES[0], each) for each in block[-8:])


def place_in(block: Sequence[str]) -> tuple[str, int | None] | None:
    """Return file and line of an error; the most reliable notation counts."""
    without_line: str | None = None
    # The stack comes last, because it mostly belongs to the tool.
    stack = [each for each in block if re.match(r"\s+at ", each)]
    said = [each for each in block if each not in stack]
    for pattern, each in [(one, line) for lines in (said, stack) for one in PLACES for line in lines]:
        found = re.search(pattern, each)
        if found is None or re.search(FOREIGN, found["file"]) or "://" in each[: found.start()]:
            continue
        if line_number := found.groupdict().get("line"):
            return found["file"], int(line_number)
        without_line = without_line or found["file"]
    named = (re.search(pattern, line) for line in block for pattern in CONFIGURATIONS)
    without_line = without_line or next((found["file"] for found in named if found), None)
    return (without_line, None) if without_line else None


def is_place(said: str) -> bool:
    """Return whether a message is only the place of the error."""
    return re.fullmatch(r"\S+\.\w+(?::\d+:\d+| \d+:\d+(?:-\d+)?| \(\d+:\d+\)(?: @ .+)?)?", said) is not None


def without_place(said: str, file: str | None, line: int | None) -> str:
    """Return a message without the place, which is reported separately."""
    said = re.sub(SIGN_OF_SWC, "", said.removeprefix("Error: ").strip())
    if line is not None:
        said = re.sub(r" \(\d+:\d+\)$", "", said)
    if file is None:
        return said
    # The message may name the file differently, as an absolute path.
    name = re.escape(file.rpartition("/")[2])
    return re.sub(rf"^\S*{name}(?::\d+:\d+ -|\(\d+,\d+\):|:\d+(?::\d+)?:?|:) ", "", said)


def is_outdated(error: BuildError, line: str, stamp: Stamp) -> bool:
    """Return whether an error's file has changed since, or is among those that are built again.

    If the file cannot be found, any update ends the error: nothing else ever would, and the tool prints it again
    when the page is requested.
    """
    if error.file is None or error.stamp is None:
        return True
    name = error.file.rpartition("/")[2]
    return name in line or stamp(error.file) != error.stamp or names_what_was_missing(error.text, line)


def names_what_was_missing(text: str, line: str) -> bool:
    """Return whether a line names the file that an error misses. Only its name counts, without its ending."""
    missing = re.search(MISSING, text)
    if missing is None:
        return False
    changed = (
        PurePosixPath(each.partition("?")[0]).with_suffix("") for each in re.split(r"[\s,]+", line) if each
    )
    wanted = PurePosixPath(missing["file"].partition("?")[0]).with_suffix("").name
    return any(
        each.name == wanted or (each.name == "index" and each.parent.name == wanted) for each in changed
    )
