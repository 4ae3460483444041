"""Remedies for failures with little information: errors of a shell, and errors about a limit of the system."""

from __future__ import annotations

import re
import signal
from collections.abc import Sequence
from pathlib import Path

from devinit.kinds.scripts import with_windows_line_ends
from devinit.model.shell_words import ACTIVATION, advice_about, windows_line_ends
from devinit.system.limits import LARGER_FILES, MORE_PROCESSES, QUOTA, ROOM

NOT_FOUND = r"(?:^|[\s:])(?P<word>[\w.\[-]+): (?:command )?not found\b"
"""dash: `sh: 1: nvm: not found`; bash: `sh: line 1: nvm: command not found`. A cause contains only the end."""

FILE_SIZE_CODES = (-signal.SIGXFSZ, 128 + signal.SIGXFSZ)
FILE_SIZE_MET = "a file of it reached the limit on the size of files"
NO_MORE_PROCESSES = (
    r"(?i)\b(?:fork|thread|background jobs|spawn|exec)\b.*(?:resource temporarily unavailable|\bEAGAIN\b)"
    r"|can't (?:initialize background jobs|start new thread)|failed to create new OS thread"
    r"|unable to create (?:new )?native thread|retry: resource temporarily unavailable"
)
"""EAGAIN has the same text everywhere; only failures to start a process or a thread are meant."""
LIMITS = (
    # Watching files fails with these words, too, because of another limit.
    (r"(?i)\bno space left on device(?!.*\bwatch)|: wrote only \d+ of \d+ bytes", ROOM),
    (r"Disk quota exceeded", QUOTA),
    (r"File too large|File size limit exceeded", LARGER_FILES),
    (NO_MORE_PROCESSES, MORE_PROCESSES),
)
"""Texts of libc, shells, databases and languages about a limit of the system, with the remedy."""


def with_remedy(
    cause: str | None, last_words: Sequence[str], command: str | None, directory: Path
) -> str | None:
    """Return the cause of a failure, with the remedy in a second line if one is known."""
    remedy = remedy_of([*last_words, cause or ""], command or "", directory)
    if remedy is None:
        return cause
    return f"{cause}\n{remedy}" if cause else remedy


def remedy_of(words: Sequence[str], command: str, directory: Path) -> str | None:
    """Return the remedy for a failed command with these last words."""
    if script := with_windows_line_ends(command, directory):
        return windows_line_ends(script)
    for line in reversed(words):
        if ACTIVATION in line:
            return advice_about("conda")
        if (found := re.search(NOT_FOUND, line)) and (advice := advice_about(found["word"])):
            return advice
    return None


def with_limit(cause: str | None, code: int | None) -> str | None:
    """Return the cause of a failure, with the remedy in a second line if a limit of the system was reached.

    `code`: the exit code, or the negative number of the signal that ended the program; a shell returns 128 +
    signal.
    """
    if code in FILE_SIZE_CODES:
        cause = cause or FILE_SIZE_MET
        cure: str | None = LARGER_FILES
    else:
        cure = next((cure for words, cure in LIMITS if re.search(words, cause or "")), None)
    return f"{cause}\n{cure}" if cause and cure and cure not in cause else cause
