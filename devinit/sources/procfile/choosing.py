"""Choose the Procfile for development: the one that the project's own command names has priority."""

from __future__ import annotations

import os.path
import re
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from devinit.sources.commands.programs import program_of, words_of
from devinit.sources.commands.targets import in_makefile, in_script
from devinit.sources.files import read, table
from devinit.sources.packages import read_package
from devinit.sources.source import Weight
from devinit.system.bounds import Bounds

STARTERS = frozenset({"foreman", "honcho", "overmind", "hivemind", "goreman"})
"""Programs that start the processes of a Procfile."""
_TARGETS = frozenset({"dev", "develop", "run", "start", "serve", "up"})
_SCRIPTS = ("dev", "start:dev", "start")
_SEPARATORS = re.compile(r"&&|;|\|\|")


class Choice(Struct, frozen=True):
    """The Procfile that is read."""

    path: Path
    weight: Weight
    passed_over: tuple[str, ...] = ()
    """Entries with a preferred name that are no files, each with its type."""


def chosen(bounds: Bounds, folder: Path, for_development: str, for_deployment: str) -> Choice | None:
    """Return the Procfile of a folder that is read; None when there is none."""
    named = _named_by_the_project(bounds, folder)
    passed_over: list[str] = []
    for name in dict.fromkeys((*filter(None, (named,)), for_development, for_deployment)):
        path = folder / name
        if not os.path.lexists(path):
            continue
        if bounds.holds(path) and (kind := _kind_of(path)):
            passed_over.append(f"{path.relative_to(bounds.root)} is {kind}, and is not read")
            continue
        is_for_development = name in (named, for_development)
        weight = Weight.PROCESSES if is_for_development else Weight.PRODUCTION
        return Choice(path, weight, tuple(passed_over))
    return Choice(folder, Weight.PROCESSES, tuple(passed_over)) if passed_over else None


def _kind_of(path: Path) -> str:
    """Return the type of a path that is no file; "" for a file."""
    if path.is_file():
        return ""
    if path.is_dir():
        return "a folder"
    return "a link to nothing" if path.is_symlink() else "no regular file"


def _named_by_the_project(bounds: Bounds, folder: Path) -> str | None:
    """Return the file that the project's development command passes to `honcho start` or the like."""
    for command in _commands(bounds, folder):
        for part in _SEPARATORS.split(command):
            program = program_of(words_of(part))
            if program and program[0].rpartition("/")[2] in STARTERS and (name := _file_of(program)):
                return name
    return None


def _commands(bounds: Bounds, folder: Path) -> Iterator[str]:
    """Yield the commands that start the project, the most explicit first."""
    yield from (each.command for each in in_script(read(folder / "bin" / "dev", bounds), "bin/dev"))
    scripts = table(read_package(folder, bounds), "scripts")
    yield from (words for name in _SCRIPTS if isinstance(words := scripts.get(name), str))
    for name in ("Makefile", "justfile"):
        for target in in_makefile(read(folder / name, bounds)):
            if target.name in _TARGETS:
                yield target.command


def _file_of(program: list[str]) -> str | None:
    """Return the Procfile that a command reads, a name in its own folder; None for any other path."""
    for place, word in enumerate(program):
        option, _, value = word.partition("=")
        if option in ("-f", "--procfile"):
            name = value or next(iter(program[place + 1 :]), "")
            return name if name and "/" not in name.removeprefix("./") and "$" not in name else None
    return "Procfile"
