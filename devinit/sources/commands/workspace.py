"""Find the packages of a workspace: npm, yarn and bun name them in package.json, pnpm in a file of its own."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from devinit.sources.files import read, table
from devinit.sources.packages import read_package
from devinit.system.bounds import Bounds
from devinit.toolchains.node.workspaces import LONGEST_PATTERN, PNPM_FILE, fits, parts_of, stated_patterns

MOST_PACKAGES = 500
DEEPEST = 5
"""Levels of folders below the root that are searched for packages."""
_PASSED_OVER = frozenset({"node_modules", "bower_components"})
_CONDITIONS = ("import", "node", "default", "require", "module", "types")
"""Keys of `exports`, in order of preference."""


class Package(Struct, frozen=True):
    """A package of a workspace."""

    name: str
    """Its name in package.json; without one, the name of its folder."""
    folder: str
    """Relative to the project's folder."""
    scripts: dict[str, str] = {}
    needs: frozenset[str] = frozenset()
    """Names of the packages that it uses."""
    entry: str = ""
    """The file that others import, relative to its folder; empty when it states none."""


def packages_of(bounds: Bounds) -> dict[str, Package]:
    """Return the packages of the workspace in the project's folder, keyed by name and sorted by folder."""
    stated = stated_patterns(read_package(bounds.root, bounds) or {}, read(bounds.root / PNPM_FILE, bounds))
    patterns = [each for each in stated if len(each) <= LONGEST_PATTERN]
    wanted = [parts_of(each) for each in patterns if not each.startswith("!")]
    unwanted = [parts_of(each[1:]) for each in patterns if each.startswith("!")]
    found: dict[str, Package] = {}
    for folder in sorted({each for parts in wanted for each in _folders(bounds.root, parts)}):
        if len(found) == MOST_PACKAGES:
            break
        if any(fits(folder.split("/"), parts) for parts in unwanted):
            continue
        path = bounds.root / folder
        # Most folders under `**` have none, and resolving their names is slow. No link leads here.
        described = read_package(path, bounds) if os.path.isfile(path / "package.json") else None  # noqa: PTH113
        if described is not None:
            package = _package(folder, described)
            found.setdefault(package.name, package)
    return found


def selected(packages: Mapping[str, Package], selectors: Iterable[str]) -> list[Package]:
    """Return the packages that a command selects: all of them when it only excludes some."""
    wanted: dict[str, Package] = {}
    unwanted: set[str] = set()
    is_selecting = False
    for selector in selectors:
        if selector.startswith("!"):
            unwanted |= _named(packages, selector[1:]).keys()
        elif selector and not selector.startswith("["):  # selects by changes in git
            is_selecting = True
            wanted |= _named(packages, selector)
    chosen = wanted if is_selecting else dict(packages)
    return sorted(
        (each for each in chosen.values() if each.name not in unwanted), key=lambda each: each.folder
    )


def needed_by(packages: Mapping[str, Package], package: Package) -> set[str]:
    """Return the names of all packages that a package uses, directly or through others."""
    needed: set[str] = set()
    waiting = [*package.needs]
    while waiting:
        name = waiting.pop()
        if name in packages and name not in needed and name != package.name:
            needed.add(name)
            waiting += packages[name].needs
    return needed


def _named(packages: Mapping[str, Package], selector: str) -> dict[str, Package]:
    """Return the packages of a selector: `web`, `@acme/*`, `./apps/*`, or `web...` with all that it uses."""
    plain = selector.partition("[")[0].removeprefix("...").removesuffix("...").strip("^")
    plain = plain.removeprefix("{").removesuffix("}")
    if plain.startswith(("./", "/")) or plain == ".":
        parts = parts_of(plain)
        found = [each for each in packages.values() if fits(each.folder.split("/"), parts)]
        found = found or [each for each in packages.values() if each.folder.startswith("/".join(parts) + "/")]
    else:
        found = [each for each in packages.values() if fnmatch.fnmatchcase(each.name, plain)]
        found = found or [
            each
            for each in packages.values()
            if plain in (each.folder, each.name.partition("/")[2], each.folder.rpartition("/")[2])
        ]
    names = {each.name for each in found}
    if selector.endswith("..."):
        names |= {name for each in found for name in needed_by(packages, each)}
    if selector.startswith("..."):
        names |= {each.name for each in packages.values() if needed_by(packages, each) & names}
    return {name: packages[name] for name in names}


def _package(folder: str, described: dict[str, Any]) -> Package:
    stated = described.get("name")
    name = stated if isinstance(stated, str) and stated else folder.rpartition("/")[2]
    scripts = {key: words for key, words in table(described, "scripts").items() if isinstance(words, str)}
    kinds = ("dependencies", "devDependencies", "peerDependencies", "optionalDependencies")
    needs = frozenset(key for kind in kinds for key in table(described, kind))
    return Package(name, folder, scripts, needs, _entry(described))


def _entry(described: dict[str, Any]) -> str:
    """Return the file that others get when they import the package by its name."""
    stated = described.get("exports")
    if isinstance(stated, dict):
        stated = stated.get(".", stated)
    for _ in range(DEEPEST):
        if not isinstance(stated, dict):
            break
        stated = next((stated[key] for key in _CONDITIONS if key in stated), None)
    entry = stated or described.get("module") or described.get("main")
    if not isinstance(entry, str) or "*" in entry or not entry.isprintable():
        return ""
    return "" if entry.startswith("/") or ".." in entry.split("/") else entry.removeprefix("./")


def _folders(root: Path, parts: list[str]) -> Iterator[str]:
    """Yield the folders below the root that match a pattern; links and installed packages are skipped."""
    if ".." in parts or not parts:
        return
    level: list[tuple[str, int]] = [("", 0)]
    seen: set[tuple[str, int]] = set()
    while level and len(seen) < MOST_PACKAGES * DEEPEST:
        folder, place = level.pop(0)
        if (folder, place) in seen or folder.count("/") >= DEEPEST:
            continue
        seen.add((folder, place))
        if place == len(parts):
            if folder:
                yield folder
            continue
        part = parts[place]
        if part == "**":
            level.append((folder, place + 1))
        for name in _names(root / folder):
            if part == "**" or fnmatch.fnmatchcase(name, part):
                below = f"{folder}/{name}" if folder else name
                level.append((below, place if part == "**" else place + 1))


def _names(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return sorted(
                entry.name
                for entry in entries
                if not entry.name.startswith(".")
                and entry.name not in _PASSED_OVER
                and entry.is_dir(follow_symlinks=False)
            )
    except OSError:
        return []
