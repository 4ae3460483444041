"""The files of a repository that may belong to an application, found by one bounded walk.

Installed, generated and vendored folders are not entered. Examples, tests, copies and templates are not, either:
the applications in them are not those of the project.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from msgspec import Struct, field

from devinit.model.evidence import Evidence
from devinit.sources.commands.workspace import Package, packages_of
from devinit.sources.files import read_source, seen
from devinit.sources.packages import read_package
from devinit.system.bounds import Bounds, is_in
from devinit.system.repository import is_repository
from devinit.toolchains.python.environments import MARK
from devinit.toolchains.python.language import VENV_FOLDERS

_T = TypeVar("_T")
DEEPEST = 3
"""Levels below the project's folder at which an application may begin: `services/backend/api`."""
DEEPEST_SOURCE = 6
"""Levels below the project's folder whose source files are read."""
MOST_ENTRIES = 20_000
MOST_IN_FOLDER = 3_000
MOST_LINKS = 20
"""Limits of the walk. It goes level by level, so that files near the top are always found."""
MOST_SOURCES = 500
"""Limit of the source files that are read in a folder and below it."""

_INSTALLED = frozenset(
    {
        "node_modules",
        "bower_components",
        "vendor",
        "third_party",
        "site-packages",
        "__pycache__",
        "venv",
        "env",
    }
)
_GENERATED = frozenset(
    {
        "dist",
        "build",
        "out",
        "target",
        "obj",
        "coverage",
        "storybook-static",
        "tmp",
        "log",
        "logs",
        "generated",
    }
)
_OF_THE_APPLICATION = frozenset({"migrations", "alembic", "versions", "static", "media", "public", "locale"})
_NOT_THE_APPLICATION = re.compile(
    r"(?:\A|[-_.])(?:docs?|documentation|examples?|samples?|demos?|fixtures?|tests?|testing|testdata|specs?|e2e|cypress|"
    r"playwright|mocks?|stories|storybook|backups?|bak|archived?|deprecated|templates?|tutorials?|"
    r"benchmarks?|playgrounds?|notebooks)(?:[-_.]|\Z)"
)
_UNRENDERED = re.compile(r"\{\{|\{%|<%|\[%|__cookiecutter")


class Tree(Struct, kw_only=True):
    """The result of the walk. All names are relative to the project's folder, whose own name is ""."""

    bounds: Bounds
    files: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Folder → names of its files, nearest folder first. Links out of the repository are excluded."""
    inner: dict[str, list[str]] = field(default_factory=dict)
    """Folder → its subfolders that were searched."""
    passed_over: list[str] = field(default_factory=list)
    """Folders of other applications: other repositories, examples, tests, copies, templates."""
    templates: list[str] = field(default_factory=list)
    """Folders whose names contain placeholders."""
    environments: set[str] = field(default_factory=set)
    """Folders of Python virtual environments."""
    links_out: list[tuple[str, str]] = field(default_factory=list)
    """Name and target of each link that leads out of the repository."""
    is_whole: bool = True
    """Whether the walk saw everything within its depth."""
    _texts: dict[str, str] = field(default_factory=dict)
    _packages: dict[str, dict[str, Any] | None] = field(default_factory=dict)
    _workspace: dict[str, Package] | None = None
    _made: dict[str, Any] = field(default_factory=dict)

    @property
    def folders(self) -> list[str]:
        """The folders in which an application may begin."""
        return [folder for folder in self.files if depth(folder) <= DEEPEST]

    def path(self, name: str) -> Path:
        """Return the path of a folder or file."""
        return self.bounds.root / name

    def has(self, folder: str, name: str) -> bool:
        """Return whether a folder has a file."""
        return name in self.files.get(folder, ())

    def text(self, name: str) -> str:
        """Return the text of a file; "" when it is missing, unreadable or too long."""
        if name not in self._texts:
            folder, _, base = name.rpartition("/")
            self._texts[name] = read_source(self.path(name)) if self.has(folder, base) else ""
        return self._texts[name]

    def package(self, folder: str) -> dict[str, Any] | None:
        """Return the package.json of a folder (Any: its contents are unchecked)."""
        if folder not in self._packages:
            is_there = self.has(folder, "package.json")
            self._packages[folder] = read_package(self.path(folder), self.bounds) if is_there else None
        return self._packages[folder]

    def workspace(self) -> dict[str, Package]:
        """Return the packages of the workspace in the project's folder, keyed by name."""
        if self._workspace is None:
            self._workspace = packages_of(self.bounds)
        return self._workspace

    def once(self, key: str, make: Callable[[], _T]) -> _T:
        """Return the result of `make` for a key; it is called only once."""
        if key not in self._made:
            self._made[key] = make()
        made: _T = self._made[key]
        return made

    def below(self, folder: str) -> Iterator[str]:
        """Yield a folder and those below it, nearest first."""
        level = [folder] if folder in self.files else []
        while level:
            yield from level
            level = [inner for each in level for inner in self.inner.get(each, ())]

    def sources(self, folder: str, suffix: str | tuple[str, ...], most: int = MOST_SOURCES) -> Iterator[str]:
        """Yield the files with a suffix in a folder and below it, nearest first, within bounds."""
        found = (
            joined(each, name)
            for each in self.below(folder)
            for name in self.files[each]
            if name.endswith(suffix)
        )
        return islice(found, most)

    def seen(self, about: str, name: str, position: int = 0, text: str | None = None) -> Evidence:
        """Return the line of a file at a position, as evidence for a value of a service."""
        return seen(about, self.path(name), self.bounds, self.text(name) if text is None else text, position)


def joined(folder: str, name: str) -> str:
    """Return the path of an entry in a folder; the project's folder is ""."""
    return f"{folder}/{name}" if folder else name


def parent(name: str) -> str:
    """Return the folder of an entry."""
    return name.rpartition("/")[0]


def depth(folder: str) -> int:
    """Return the depth of a folder below the project's folder."""
    return folder.count("/") + 1 if folder else 0


def upwards(folder: str) -> Iterator[str]:
    """Yield a folder and its parents, up to the project's folder."""
    while folder:
        yield folder
        folder = parent(folder)
    yield ""


def relative(name: str, folder: str) -> PurePosixPath:
    """Return a file's name relative to one of its parent folders."""
    return PurePosixPath(name).relative_to(folder) if folder else PurePosixPath(name)


def tree_of(bounds: Bounds) -> Tree:
    """Walk through a project's folder, level by level.

    A repository inside it is another project. In a folder that contains the home directory, only the files at the
    top are searched.
    """
    tree, top = Tree(bounds=bounds), os.path.realpath(bounds.root)
    home = os.path.realpath(os.path.expanduser("~"))  # noqa: PTH111 - as bounds have it
    deepest = 0 if is_in(home, top) and not is_repository(top) else DEEPEST_SOURCE
    level, count = [""], 0
    for deep in range(deepest + 1):
        below: list[str] = []
        for folder in level:
            entries = _entries(tree.path(folder))
            count += len(entries)
            if count > MOST_ENTRIES or len(entries) == MOST_IN_FOLDER:
                tree.is_whole = False
            if count > MOST_ENTRIES:
                return tree
            names = {entry.name for entry in entries}
            if MARK in names:
                tree.environments.add(folder)
            elif folder and ".git" in names and is_repository(os.path.join(top, folder)):  # noqa: PTH118 - as above
                tree.passed_over.append(folder)
            else:
                below += _visited(tree, folder, entries, top)
        level = below if deep < deepest else []
    return tree


def _entries(path: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(path) as entries:
            return sorted(islice(entries, MOST_IN_FOLDER), key=lambda entry: entry.name)
    except OSError:
        return []


def _visited(tree: Tree, folder: str, entries: list[os.DirEntry[str]], top: str) -> list[str]:
    """Add the files of a folder; return the subfolders to enter."""
    files: list[str] = []
    below: list[str] = []
    for entry in entries:
        name = joined(folder, entry.name)
        if _is_followed_folder(tree, entry, top):
            if _is_environment(entry):
                tree.environments.add(name)
            elif _is_entered(tree, name, entry.name):
                below.append(name)
        elif not entry.is_symlink() or _leads_to_a_file(tree, name, entry):
            files.append(entry.name)
    tree.files[folder] = tuple(files)
    if folder:
        tree.inner.setdefault(parent(folder), []).append(folder)
    return below


def _is_followed_folder(tree: Tree, entry: os.DirEntry[str], top: str) -> bool:
    """Return whether an entry is a folder, or a link to a folder of the repository outside of this tree."""
    if not entry.is_symlink():
        return entry.is_dir(follow_symlinks=False)
    target = os.path.realpath(entry.path)
    if not os.path.isdir(target):  # noqa: PTH112 - as scandir has it
        return False
    if tree.bounds.target_beyond(entry.path) is not None:
        return False
    return entry.name in VENV_FOLDERS or not (is_in(target, top) or is_in(top, target))


def _is_environment(entry: os.DirEntry[str]) -> bool:
    """Return whether a folder that is not entered is a Python virtual environment."""
    if entry.name in VENV_FOLDERS and os.path.isdir(os.path.join(entry.path, "bin")):  # noqa: PTH112, PTH118 - as scandir has it
        return True
    is_left_out = entry.name.startswith(".") or entry.name in _INSTALLED
    return is_left_out and os.path.isfile(os.path.join(entry.path, MARK))  # noqa: PTH113, PTH118 - as above


def _leads_to_a_file(tree: Tree, name: str, entry: os.DirEntry[str]) -> bool:
    """Return whether a link leads to a file of the repository; a link out of it is recorded."""
    target = tree.bounds.target_beyond(entry.path)
    if target is None:
        return os.path.isfile(entry.path)  # noqa: PTH113 - as scandir has it
    if len(tree.links_out) < MOST_LINKS and entry.name not in _INSTALLED | _GENERATED:
        tree.links_out.append((name, target))
    return False


def _is_entered(tree: Tree, name: str, last: str) -> bool:
    """Return whether a folder may contain an application of the project."""
    if _UNRENDERED.search(last):
        tree.templates.append(name)
        return False
    if last.startswith(".") or last in _INSTALLED or last in _GENERATED or last in _OF_THE_APPLICATION:
        return False
    if _NOT_THE_APPLICATION.search(last.lower()):
        tree.passed_over.append(name)
        return False
    return True
