"""What to do about a failure whose words say little: those of a shell that was given what it is not made for."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from devinit.errors import StateFileError
from devinit.model.shell_words import ACTIVATION, advice_about, windows_line_ends
from devinit.system.files import LARGEST_SETTINGS, read_bytes

NOT_FOUND = r"(?:^|[\s:])(?P<word>[\w.\[-]+): (?:command )?not found\b"
"""dash: `sh: 1: nvm: not found`; bash: `sh: line 1: nvm: command not found`; a cause has only the end of it."""
SHELLS = ("sh", "bash", "dash", "zsh", "ksh")


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


def with_windows_line_ends(command: str, directory: Path) -> str | None:
    """Return the script in a command line that the system or a shell reads, and whose lines end with CRLF."""
    with suppress(ValueError):
        words = shlex.split(command)
        for before, word in zip(["", *words], words, strict=False):
            is_for_a_shell = before.rpartition("/")[2] in SHELLS or word.endswith(".sh")
            if (is_for_a_shell or "/" in word) and _ends_lines_so(directory / word, any_=is_for_a_shell):
                return word
    return None


def _ends_lines_so(path: Path, *, any_: bool) -> bool:
    """Whether a script has CRLF: in `any_` line, or in the first one, which names its interpreter."""
    try:
        content = (read_bytes(path, most=LARGEST_SETTINGS) if path.is_file() else None) or b""
    except (StateFileError, OSError):
        return False
    first = content.partition(b"\n")[0]
    return (any_ and b"\r\n" in content) or (first.startswith(b"#!") and first.endswith(b"\r"))
