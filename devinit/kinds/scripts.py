"""Faults of commands that are visible before they run: scripts that no shell can read, words that sh lacks."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from devinit.errors import StateFileError
from devinit.model.service import Service
from devinit.model.shell_words import BASH, FUNCTIONS, advice_about, windows_line_ends
from devinit.system.bounds import Bounds, bounds_within
from devinit.system.files import LARGEST_SETTINGS, read_bytes

SHELLS = ("sh", "bash", "dash", "zsh", "ksh")
_PROGRAMS_TOO = ("conda", "mamba", "micromamba")
"""Functions of an interactive shell with a program of the same name, which cannot `activate`."""
_BETWEEN = frozenset({"&&", "||", ";", "|", "&", "(", ")", "\n"})


def unreadable_scripts(service: Service, root: Path) -> Iterator[str]:
    """Yield the faults of scripts that a service's commands run, as far as they are in the repository."""
    bounds = bounds_within(root, service.directory)
    for command in _commands_of(service):
        if script := with_windows_line_ends(command, service.directory, bounds):
            yield windows_line_ends(script)


def foreign_words(service: Service) -> Iterator[str]:
    """Yield advice about words in a service's commands that only an interactive shell knows."""
    for command in _commands_of(service):
        starts = list(_beginnings(command))
        # A file that `.` reads may define any word.
        if not any(words[0] == "." for words in starts):
            yield from filter(None, (_advice_about(words) for words in starts))


def with_windows_line_ends(command: str, directory: Path, bounds: Bounds | None = None) -> str | None:
    """Return the script in a command line that the system or a shell reads, and whose lines end with CRLF.

    `bounds`: the limits for a command that has not run yet.
    """
    with suppress(ValueError):
        words = shlex.split(command)
        for before, word in zip(["", *words], words, strict=False):
            is_for_a_shell = before.rpartition("/")[2] in SHELLS or word.endswith(".sh")
            if not (is_for_a_shell or "/" in word):
                continue
            path = directory / word
            is_believed = bounds is None or bounds.holds(path)
            if is_believed and _ends_lines_so(path, any_=is_for_a_shell):
                return word
    return None


def _ends_lines_so(path: Path, *, any_: bool) -> bool:
    """Whether a script has CRLF: in `any_` line, or in the first one, which names its interpreter."""
    try:
        # A file that the system cannot run is an argument: settings, or secrets.
        is_script = path.is_file() and (any_ or os.access(path, os.X_OK))
        content = (read_bytes(path, most=LARGEST_SETTINGS) if is_script else None) or b""
    except (StateFileError, OSError):
        return False
    first = content.partition(b"\n")[0]
    return (any_ and b"\r\n" in content) or (first.startswith(b"#!") and first.endswith(b"\r"))


def _commands_of(service: Service) -> tuple[str, ...]:
    return (*service.setup, *service.before_start, *filter(None, [service.command]))


def _beginnings(command: str) -> Iterator[list[str]]:
    """Yield the words of each simple command in a shell line, without the variables before it."""
    lexer = shlex.shlex(command, posix=True, punctuation_chars=True)
    lexer.whitespace, lexer.whitespace_split = " \t", True
    words: list[str] = []
    with suppress(ValueError):  # an open quote, which sh reports itself
        for word in (*lexer, ";"):
            if word in _BETWEEN:
                if words:
                    yield words
                words = []
            elif words or "=" not in word:
                words.append(word)


def _advice_about(words: list[str]) -> str | None:
    word, second = words[0], words[1] if len(words) > 1 else ""
    if word in BASH:
        return advice_about(word) if _is_sh_no_bash() else None
    if word in _PROGRAMS_TOO:
        return advice_about(word) if second == "activate" else None
    if word not in FUNCTIONS:
        return None
    import shutil  # 2 ms that the supervisor's start does not pay

    return advice_about(word) if shutil.which(word) is None else None


def _is_sh_no_bash() -> bool:
    return Path(os.path.realpath("/bin/sh")).name != "bash"
