"""Find the causes of errors that contain others, as Node, Python and pip print them. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

NODE_ERRORS = r"^(?P<margin>\s*)\[errors\]: \[$"
"""Node prints this below the message of an AggregateError; its errors follow, up to a `]` with the same margin."""
AGGREGATE = r"^\s*(?:Uncaught )?\S*AggregateError(?: \[\w+\])?: \S"
"""An AggregateError with a message of its own. Without one, only its errors are informative ..."""
AGGREGATE_BEHIND = r"^\s*\[cause\]: \S*AggregateError\b"
"""... unless it is the cause of an error with a message."""
FRAME = r"^\s*at |^\s*\.\.\. \d+ lines matching|^\s*$"
NODE_FRAME = r"^\s+at .+:\d+:\d+\)?(?: \{)?$"
"""A line of a stack trace of Node."""
AS_CAUSE = "[cause]: "
TRACEBACK = "Traceback (most recent call last):"
PIP_BOX, PIP_BOX_ENDS = r"^\s*╰─> \[\d+ lines? of output\]$", r"^\s*\[end of output\]$"
"""pip (26) prints these around the output of a package's build; its own message names only the step."""
RAISED_FROM = "The above exception was the direct cause of the following exception:"


def with_message_first(lines: Sequence[str]) -> list[str]:
    """Return the lines with the first error of an AggregateError as the cause of its message.

    The others are left out.
    """
    said = list(lines)
    number = 0
    while number < len(said):
        found = re.match(NODE_ERRORS, said[number])
        if found and has_message(said[:number]):
            end = f"{found['margin']}]"
            first = AS_CAUSE
            number += 1
            while number < len(said) and said[number].rstrip(",") != end:
                text = said[number].strip()
                is_error = first and text and not re.match(FRAME, said[number])
                said[number], first = (first + text, "") if is_error else ("", first)
                number += 1
        number += 1
    return said


def inside_pip(lines: Sequence[str]) -> list[str]:
    """Return the output of the last package build that failed under pip; empty without one."""
    from textwrap import dedent  # needed only for failures under pip

    ends = [number for number, line in enumerate(lines) if re.match(PIP_BOX_ENDS, line)]
    begins = [number for number in range(ends[-1]) if re.match(PIP_BOX, lines[number])] if ends else []
    return dedent("\n".join(lines[begins[-1] + 1 : ends[-1]])).splitlines() if begins else []


def has_message(above: Sequence[str]) -> bool:
    """Whether the error whose stack trace ends these lines is an AggregateError with a message."""
    message = next((line for line in reversed(above) if not re.match(FRAME, line)), "")
    return bool(re.match(AGGREGATE, message) or re.match(AGGREGATE_BEHIND, message))


def is_above_stack(below: Sequence[str]) -> bool:
    """Whether a stack trace of Node begins in these lines, perhaps after more lines of the message."""
    return any(re.match(NODE_FRAME, line) for line in below)


def raised_from(above: Sequence[str]) -> str | None:
    """Return the innermost Python exception that led to the one whose last line follows these lines."""
    innermost = None
    end = len(above)
    while (begin := last_of(above[:end], TRACEBACK)) is not None:
        before = [line for line in above[:begin] if line.strip()]
        if innermost is not None:
            block = above[begin + 1 : end]
            own = next((line for line in block if line.strip() and not line.startswith((" ", "\t"))), None)
            innermost = own.strip() if own else innermost
        if not before or before[-1].strip() != RAISED_FROM:
            break
        innermost = innermost or ""
        end = last_of(above[:begin], RAISED_FROM) or 0
    return innermost or None


def last_of(lines: Sequence[str], text: str) -> int | None:
    """Return the index of the last line that equals a text."""
    return next((number for number in range(len(lines) - 1, -1, -1) if lines[number].strip() == text), None)
