"""The dependencies that the files of a folder declare, in every language that devinit knows.

A name begins with its language: `python:asyncpg`, `node:pg`, `ruby:pg`. An extra or a feature that matters follows
in brackets: `python:celery[redis]`, `rust:sqlx[postgres]`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from devinit.sources.applications.tree import Tree, joined
from devinit.sources.files import table
from devinit.toml import parse_toml

_GEM = re.compile(r"^[ \t]{0,40}gem[ \t(]{1,10}['\"]([\w-]{1,80})['\"]", re.MULTILINE)
_GO = re.compile(
    r"^[ \t]{0,10}(?:require[ \t]{1,10})?([\w.-]{1,80}\.[a-z]{2,10}/[\w./-]{1,200})[ \t]{1,10}v", re.MULTILINE
)
_MIX = re.compile(r"\{:([a-z_]{1,60}),")
_ARTIFACT = re.compile(r"<artifactId>([\w.-]{1,100})</artifactId>")
_GRADLE = re.compile(r"['\"]([\w.-]{1,100}):([\w.-]{1,100})(?::[^'\"\n]{0,60})?['\"]")
_NUGET = re.compile(r"<PackageReference[ \t]{1,10}Include=\"([\w.]{1,100})\"")
_SPECIAL = re.compile(r"[ \t]{0,40}([A-Za-z0-9][\w.-]{0,100})[ \t]{0,20}(?:\[([^\]\n]{0,300})\])?")
BY_LINES: dict[str, tuple[str, re.Pattern[str]]] = {
    "Gemfile": ("ruby", _GEM),
    "go.mod": ("go", _GO),
    "mix.exs": ("elixir", _MIX),
    "pom.xml": ("java", _ARTIFACT),
}
"""File → language and pattern of a dependency."""
_GRADLE_FILES = ("build.gradle", "build.gradle.kts")


class Dependency(Struct, frozen=True):
    """A package that a program needs, and the position of its declaration."""

    name: str
    file: str
    position: int


def dependencies_of(tree: Tree, folder: str) -> list[Dependency]:
    """Return the dependencies in the files of a folder, except development dependencies."""
    return tree.once(f"dependencies of {folder}", lambda: _declared(tree, folder))


def _declared(tree: Tree, folder: str) -> list[Dependency]:
    return [
        *_of_python(tree, folder),
        *_of_node(tree, folder),
        *_by_lines(tree, folder),
        *_of_gradle(tree, folder),
        *_of_rust(tree, folder),
        *_of_php(tree, folder),
        *_of_dotnet(tree, folder),
    ]


def requirement_files(tree: Tree, folder: str) -> Iterator[str]:
    """Yield the requirements files of a folder."""
    for name in tree.files.get(folder, ()):
        # The name without the final s is a common mistake.
        if name.startswith("requirement") and name.endswith(".txt"):
            yield joined(folder, name)
    below = joined(folder, "requirements")
    yield from (joined(below, name) for name in tree.files.get(below, ()) if name.endswith(".txt"))


def _of_python(tree: Tree, folder: str) -> Iterator[Dependency]:
    for file in requirement_files(tree, folder):
        text, position = tree.text(file), 0
        for line in text.splitlines(keepends=True):
            for name in _requirement(line):
                yield Dependency(name, file, position)
            position += len(line)
    file = joined(folder, "pyproject.toml")
    text = tree.text(file)
    pyproject = toml(text)
    project = table(pyproject, "project")
    for group in (project.get("dependencies"), *table(project, "optional-dependencies").values()):
        for line in group if isinstance(group, list) else []:
            for name in _requirement(str(line)):
                yield Dependency(name, file, max(text.find(str(line)), 0))
    yield from _keys(table(table(table(pyproject, "tool"), "poetry"), "dependencies"), file, text)
    file = joined(folder, "Pipfile")
    text = tree.text(file)
    yield from _keys(table(toml(text), "packages"), file, text)


def _requirement(line: str) -> Iterator[str]:
    parts = _SPECIAL.match(line)
    if parts is not None:
        yield from _with_extras("python", _normal(parts[1]), (parts[2] or "").split(","))


def _keys(packages: dict[str, Any], file: str, text: str) -> Iterator[Dependency]:
    """Yield the distributions in a table that has a key for each."""
    for key, described in packages.items():
        extras = described.get("extras") if isinstance(described, dict) else None
        for name in _with_extras("python", _normal(key), extras if isinstance(extras, list) else []):
            yield Dependency(name, file, max(text.find(key), 0))


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _with_extras(language: str, name: str, extras: list[Any]) -> Iterator[str]:
    yield f"{language}:{name}"
    for extra in extras:
        if text := str(extra).strip():
            yield f"{language}:{name}[{text.lower().replace('_', '-')}]"


def _of_node(tree: Tree, folder: str) -> Iterator[Dependency]:
    file = joined(folder, "package.json")
    text = tree.text(file)
    for name in table(tree.package(folder), "dependencies"):
        yield Dependency(f"node:{name}", file, max(text.find(f'"{name}"'), 0))


def _by_lines(tree: Tree, folder: str) -> Iterator[Dependency]:
    for name, (language, pattern) in BY_LINES.items():
        file = joined(folder, name)
        for found in pattern.finditer(tree.text(file)):
            yield Dependency(f"{language}:{found[1]}", file, found.start(1))


def _of_gradle(tree: Tree, folder: str) -> Iterator[Dependency]:
    for name in _GRADLE_FILES:
        file = joined(folder, name)
        for found in _GRADLE.finditer(tree.text(file)):
            yield Dependency(f"java:{found[2]}", file, found.start())


def _of_rust(tree: Tree, folder: str) -> Iterator[Dependency]:
    file = joined(folder, "Cargo.toml")
    text = tree.text(file)
    cargo = toml(text)
    for packages in (table(cargo, "dependencies"), table(table(cargo, "workspace"), "dependencies")):
        for key, described in packages.items():
            features = described.get("features") if isinstance(described, dict) else None
            for name in _with_extras("rust", key, features if isinstance(features, list) else []):
                yield Dependency(name, file, max(text.find(key), 0))


def _of_php(tree: Tree, folder: str) -> Iterator[Dependency]:
    import json  # only repositories with PHP in them need it

    file = joined(folder, "composer.json")
    text = tree.text(file)
    try:
        composer = json.loads(text) if text else {}
    except (ValueError, RecursionError):
        return
    for name in table(composer, "require"):
        yield Dependency(f"php:{name}", file, max(text.find(f'"{name}"'), 0))


def _of_dotnet(tree: Tree, folder: str) -> Iterator[Dependency]:
    for name in tree.files.get(folder, ()):
        if name.endswith(".csproj"):
            file = joined(folder, name)
            for found in _NUGET.finditer(tree.text(file)):
                yield Dependency(f"dotnet:{found[1]}", file, found.start(1))


def toml(text: str) -> dict[str, Any]:
    """Return the tables of a text (Any: their contents are unchecked); empty when it is not valid TOML."""
    try:
        return parse_toml(text)
    except (ValueError, RecursionError):
        return {}
