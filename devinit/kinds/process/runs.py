"""The programs that a service's commands run, according to their words and its PATH."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from msgspec import Struct

from devinit.kinds.command import arguments_of_parts
from devinit.model.service import Service
from devinit.toolchains.fingerprint import found_on

INTERPRETERS = ("node", "ruby", "go")
"""Programs on PATH that run other programs. A Python program runs in the environment that contains it."""


class Runs(Struct, frozen=True):
    """The programs that a service's commands run."""

    commands: tuple[tuple[tuple[str, ...], str | None], ...]
    """The words of each simple command, and the path of its program; None if it is missing."""
    interpreters: dict[str, str]
    """Paths by name, for interpreters on its PATH."""


def runs_of(service: Service, path: str, interpreters: Iterable[str]) -> Runs:
    """Return what a service's commands run with a PATH, and which of these interpreters are on it."""
    lines = (service.command or "", *service.before_start)
    commands = [words for line in lines for words in arguments_of_parts(line)]
    found = ((name, found_on(path, name)) for name in interpreters if commands)
    return Runs(
        commands=tuple((words, _program(words[0], service.directory, path)) for words in commands),
        interpreters={name: where for name, where in found if where is not None},
    )


def _program(word: str, folder: Path, path: str) -> str | None:
    if "/" not in word:
        return found_on(path, word)
    inside = os.path.normpath(folder / word)
    return inside if os.path.isfile(inside) else None  # noqa: PTH113 - as on a PATH
