"""Which programs the commands of a service run, by their words and its PATH."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from msgspec import Struct

from devinit.kinds.command import arguments_of_parts
from devinit.model.service import Service
from devinit.toolchains.fingerprint import found_on

INTERPRETERS = ("node", "ruby", "go")
"""What other programs run in, as PATH has it. A program of Python runs in the environment that it lies in."""


class Runs(Struct, frozen=True):
    """What the commands of a service run."""

    commands: tuple[tuple[tuple[str, ...], str | None], ...]
    """The words of each simple command, and the path of its program; None where it is not there."""
    interpreters: dict[str, str]
    """Name → path, of those that its PATH has."""


def runs_of(service: Service, path: str, interpreters: Iterable[str]) -> Runs:
    """Return what the commands of a service run with a PATH, on which these interpreters are looked for, too."""
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
