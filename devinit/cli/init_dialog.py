"""The questions of `devinit init` at a terminal: doubts about detected services, and replacing a file."""

from __future__ import annotations

import difflib
import sys
from typing import TYPE_CHECKING

from devinit.cli import prompts
from devinit.cli.explained import explanation
from devinit.cli.output import size_of, talk
from devinit.config.doubts import NONE, doubts
from devinit.errors import Interrupted
from devinit.resolving.known_secrets import mask_of_project
from devinit.text import cut, one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from devinit.model.service import Project

MOST_LINES = 100
"""Lines of a diff that are shown."""
_KEEP, _REPLACE = "keep", "replace"


def is_at_a_terminal() -> bool:
    """Return whether a user can answer. Questions are written to standard error."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def left_out_of(project: Project, before: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Show the detected services, and return those that the user leaves out.

    `before`: services that the file already leaves out; no question is asked about them. Raise Interrupted when
    the user gives up.
    """
    columns, _ = size_of(sys.stderr)
    for line in explanation(project, mask_of_project(project)):
        talk(cut(line, columns))
    left_out = [*before]
    for doubt in doubts(project):
        if any(name in left_out for name, _ in doubt.choices):
            continue
        answer = prompts.select(doubt.question, doubt.choices, doubt.safe)
        if answer == prompts.GIVEN_UP:
            raise Interrupted("nothing was written")
        if answer != NONE:
            left_out.append(answer)
    return tuple(dict.fromkeys(left_out))


def is_replaced(name: str, former: str, text: str) -> bool:
    """Show the changes to an existing file, and return whether the user wants them."""
    for line in difference(name, former, text):
        talk(line)
    choices = (
        (_KEEP, f"keep {name} as it is"),
        (_REPLACE, f"replace it; yours is kept as {name}.old"),
    )
    return prompts.select(f"{name} is there already.", choices, _KEEP) == _REPLACE


def difference(name: str, former: str, text: str) -> Iterator[str]:
    """Yield a unified diff without comments and blank lines, in lines that are safe to print."""
    mine, detected = (
        [line for line in each.splitlines() if line.strip() and not line.startswith("#")]
        for each in (former, text)
    )
    lines = difflib.unified_diff(mine, detected, name, f"{name} (as detected now)", lineterm="", n=1)
    for number, line in enumerate(lines):
        if number == MOST_LINES:
            yield "… more lines differ"
            return
        yield one_line(line)
