"""Find the named commands of a repository that start no server. None of them is run."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from msgspec import Struct

from devinit.sources.commands import programs
from devinit.sources.commands.command import understood
from devinit.sources.commands.process import problem_of
from devinit.sources.commands.recipes import Recipe, of_just, of_make, of_taskfile
from devinit.sources.commands.targets import STARTING
from devinit.sources.files import read, table
from devinit.sources.packages import line_of_script, package_manager, read_package
from devinit.sources.suggested import JUSTFILES, MAKEFILES, PACKAGE, TASKFILES
from devinit.system.bounds import Bounds, bounds_of

_OF_THE_MANAGER = frozenset(
    {"install", "preinstall", "postinstall", "prepare", "preprepare", "postprepare", "prepublish"}
    | {"prepublishOnly", "prepack", "postpack", "publish", "postpublish", "dependencies"}
    | {"preversion", "version", "postversion"}
)  # fmt: skip
"""Scripts that a package manager runs by itself."""
_LONGEST_NAME = 60
_MOST = 200
"""Limit of the suggestions of a project, and of the folders that are searched."""


class Suggestion(Struct, frozen=True, kw_only=True):
    """A named command of a repository."""

    name: str
    file: str
    """Its path, relative to the project's folder: `frontend/package.json`."""
    line: int
    """Counted from 1; 0 when it is unknown."""
    says: str
    """The command behind the name, as the file has it."""
    words: tuple[str, ...]
    """The command that runs it, in `directory`: `npm run lint`."""
    directory: Path
    description: str | None = None

    @property
    def full_name(self) -> str:
        """A name that is unique in the project: `frontend/package.json:lint`."""
        return f"{self.file}:{self.name}"

    def with_arguments(self, further: Iterable[str]) -> list[str]:
        """Return the words of the command with further arguments."""
        more = list(further)
        # npm keeps options for itself unless they follow --; just and pnpm pass on all words after the name.
        between = ["--"] if more and self.words[0] in ("npm", "task") else []
        return [*self.words, *between, *more]


def suggested(root: Path, folders: Iterable[Path] = ()) -> list[Suggestion]:
    """Return the suggestions in a project's folder and in the folders of its services."""
    bounds = bounds_of(root)
    places = list(dict.fromkeys((root, *sorted(folders))))[:_MOST]
    found = (each for place in places if bounds.holds(place) for each in _in_folder(place, bounds))
    return [each for each, _ in zip(found, range(_MOST), strict=False)]


def meant_by(name: str, suggestions: Iterable[Suggestion]) -> list[Suggestion]:
    """Return the suggestion with this full name, else all suggestions with this name. Pure."""
    every = list(suggestions)
    return [each for each in every if each.full_name == name] or [each for each in every if each.name == name]


def _in_folder(folder: Path, bounds: Bounds) -> Iterator[Suggestion]:
    yield from _scripts(folder, bounds)
    kinds: tuple[tuple[str, tuple[str, ...], Callable[[str], list[Recipe]]], ...] = (
        ("make", MAKEFILES, of_make),
        ("just", JUSTFILES, of_just),
        ("task", TASKFILES, of_taskfile),
    )
    for program, names, recipes in kinds:
        path = next((folder / name for name in names if os.path.lexists(folder / name)), None)
        if path is None:
            continue
        for recipe in recipes(read(path, bounds)):
            if recipe.name not in STARTING and not any(map(_starts_a_server, recipe.commands)):
                yield Suggestion(
                    name=recipe.name,
                    file=_relative(path, bounds),
                    line=recipe.line,
                    says=" && ".join(recipe.commands),
                    words=(program, recipe.name),
                    directory=folder,
                    description=recipe.description,
                )


def _scripts(folder: Path, bounds: Bounds) -> Iterator[Suggestion]:
    package = read_package(folder, bounds) if os.path.lexists(folder / PACKAGE) else None
    if package is None:
        return
    manager = package_manager(bounds, folder, package)
    scripts = table(package, "scripts")
    for name, says in scripts.items():
        if not isinstance(says, str) or not _is_offered(name, scripts) or _starts_a_server(says):
            continue
        line = next((each.line for each in line_of_script(folder, name, bounds)), 0)
        yield Suggestion(
            name=name,
            file=_relative(folder / PACKAGE, bounds),
            line=line,
            says=says,
            words=(manager, "run", name),
            directory=folder,
        )


def _is_offered(name: str, scripts: Iterable[str]) -> bool:
    """Return whether a developer would run a script: hooks around another script do not count."""
    if not name or name.startswith("-") or not name.isprintable() or len(name) > _LONGEST_NAME:
        return False
    around = name.removeprefix("pre") if name.startswith("pre") else name.removeprefix("post")
    return name not in STARTING | _OF_THE_MANAGER and (around == name or around not in scripts)


def _starts_a_server(text: str) -> bool:
    """Return whether a command seems to serve or to start a server."""
    if problem_of(text):
        return False
    command = understood(text)
    if (
        command.serves is not None
        or command.takes_port
        or next(iter(command.program), "") in programs.MANAGERS
    ):
        return True
    return command.runs is not None and any(each in STARTING for each in command.runs.scripts)


def _relative(path: Path, bounds: Bounds) -> str:
    return os.path.relpath(path, bounds.root)
