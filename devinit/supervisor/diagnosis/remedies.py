"""What to do about a failure whose words say little: those of a shell that was given what it is not made for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from devinit.kinds.scripts import with_windows_line_ends
from devinit.model.shell_words import ACTIVATION, advice_about, windows_line_ends

NOT_FOUND = r"(?:^|[\s:])(?P<word>[\w.\[-]+): (?:command )?not found\b"
"""dash: `sh: 1: nvm: not found`; bash: `sh: line 1: nvm: command not found`; a cause has only the end of it."""


def with_remedy(
    cause: str | None, last_words: Sequence[str], command: str | None, directory: Path
) -> str | None:
    """Return the cause of a failure with what to do about it in a second line, if that is known."""
    remedy = remedy_of([*last_words, cause or ""], command or "", directory)
    if remedy is None:
        return cause
    return f"{cause}\n{remedy}" if cause else remedy


def remedy_of(words: Sequence[str], command: str, directory: Path) -> str | None:
    """Return what to do about a failed command with these last words."""
    if script := with_windows_line_ends(command, directory):
        return windows_line_ends(script)
    for line in reversed(words):
        if ACTIVATION in line:
            return advice_about("conda")
        if (found := re.search(NOT_FOUND, line)) and (advice := advice_about(found["word"])):
            return advice
    return None
