"""Find the folder from which a Python module is imported, by resolving its own imports."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from devinit.sources.applications.dependencies import dependencies_of, requirement_files
from devinit.sources.applications.python_source import Reading
from devinit.sources.applications.tree import Tree, joined, parent, relative, upwards
from devinit.sources.applications.unit import NAMED_AS_BACKEND, NAMED_AS_FRONTEND

MARKERS = ("manage.py", "pyproject.toml", "Pipfile", "setup.py", "uv.lock", "poetry.lock")
"""Files that mark the root of a Python project; requirements*.txt does, too."""
CONTAINERS = frozenset(
    {"apps", "services", "packages", "modules", "projects", "microservices", "backends", "components"}
)
"""Folders that hold one program in each subfolder."""
_SERVICE = re.compile(r"(?:\A|[-_])(?:backend|server|api|service)\Z")
_IMPORTS = re.compile(r"^[ \t]{0,80}(?:from|import)[ \t]{1,20}(\w{1,80})", re.MULTILINE)
_LAYOUTS = frozenset({"src", "lib", "python"})
"""Folders that hold packages and are no packages themselves."""


class Place(Struct, frozen=True):
    """The folder and the name by which a module is imported."""

    folder: str
    """Working directory of its program."""
    above: str
    """The folder on the import path, relative to `folder`; empty for `folder` itself."""
    module: str


def place_of(tree: Tree, file: str, reading: Reading) -> Place:
    """Return the place of a module, by its imports; where those say nothing, by the usual layouts."""
    base = _base(tree, file)
    resolved = _resolved(tree, file, reading)
    if resolved is None:
        resolved = _usual(tree, file, base, reading)
    inside = resolved == base or not base or resolved.startswith(f"{base}/")
    folder = base if inside else resolved
    if inside and not base and resolved and not _is_layout(resolved):
        # The root declares the dependencies of a program that has a folder of its own.
        folder = resolved
    names = list(relative(file, resolved).with_suffix("").parts)
    if names[-1] == "__init__" and len(names) > 1:
        names.pop()
    above = str(relative(resolved, folder)) if resolved != folder else ""
    return Place(folder, above, ".".join(names))


def _is_layout(folder: str) -> bool:
    return folder.rpartition("/")[2] in _LAYOUTS


def _base(tree: Tree, file: str) -> str:
    """Return the root folder of a module's project."""
    for folder in upwards(parent(file)):
        if any(tree.has(folder, name) for name in MARKERS) or any(requirement_files(tree, folder)):
            named = _named(file)
            return folder or named
    return _named(file) or _unmarked(tree, file)


def _named(file: str) -> str:
    """Return the leading folders of a file if their name marks a program; "" without one."""
    parts = file.split("/")[:-1]
    if parts and (parts[0] in NAMED_AS_BACKEND | NAMED_AS_FRONTEND or _SERVICE.search(parts[0])):
        return parts[0]
    return "/".join(parts[:2]) if len(parts) > 1 and parts[0] in CONTAINERS else ""


def _unmarked(tree: Tree, file: str) -> str:
    """Return the root of a program without declarations: the folder above its packages."""
    parts = file.split("/")[:-1]
    if not parts or parts[0] in _LAYOUTS or parts[0] == "app" or tree.has(parts[0], "__init__.py"):
        return ""
    return parts[0]


def _resolved(tree: Tree, file: str, reading: Reading) -> str | None:
    """Return the folder from which most imports of the project's own modules resolve."""
    heads = {full.partition(".")[0] for full in reading.imports.values() if not full.startswith(".")}
    # `shop/celery/` does not satisfy `from celery import Celery` where Celery is declared.
    heads -= _declared(tree, file)
    best, most = None, 0
    for folder in _possible(file, reading):
        count = sum(_has_module(tree, folder, head) for head in heads)
        if count > most:
            best, most = folder, count
    return best


def _declared(tree: Tree, file: str) -> set[str]:
    """Return the packages that a module's project declares, in the usual form of their import names."""
    folders = upwards(parent(file))
    names = (each.name.partition(":") for folder in folders for each in dependencies_of(tree, folder))
    return {name.replace("-", "_") for language, _, name in names if language == "python"}


def _possible(file: str, reading: Reading) -> Iterator[str]:
    """Yield the folders from which a module can be imported, nearest first."""
    names = file.split("/")
    for count in range(len(names) - 1, -1, -1):
        between = names[count:-1]
        if not all(part.isidentifier() for part in between):
            return
        if len(between) >= reading.relative_level or (
            names[-1] == "__init__.py" and len(between) + 1 > reading.relative_level
        ):
            yield "/".join(names[:count])


def _has_module(tree: Tree, folder: str, name: str) -> bool:
    if tree.has(folder, f"{name}.py"):
        return True
    package = joined(folder, name)
    return any(
        each.endswith(".py")
        for inner in (package, *tree.inner.get(package, ()))
        for each in tree.files.get(inner, ())
    )


def _usual(tree: Tree, file: str, base: str, reading: Reading) -> str:
    """Return the folder from which a module is imported in the usual layouts."""
    possible = list(_possible(file, reading)) or [parent(file)]
    source = joined(base, "src")
    if file.startswith(f"{source}/") and source in possible and not _is_package(tree, source):
        return source
    if base in possible:
        return base
    return possible[-1]


def _is_package(tree: Tree, folder: str) -> bool:
    """Return whether `src` itself is imported, as in `from src.models import …`."""
    if tree.has(folder, "__init__.py"):
        return True
    name = folder.rpartition("/")[2]
    texts = (tree.text(file) for file in tree.sources(folder, ".py"))
    return any(found[1] == name for text in texts for found in _IMPORTS.finditer(text))
