"""Which package manager works in a folder, and where it installs: a workspace is installed at its root."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator

from devinit.sources.applications.tree import Tree, relative, upwards
from devinit.sources.packages import MANAGERS

_ITEM = re.compile(
    r"^[ \t]{0,40}-[ \t]{1,40}(?:'([^'\n]{1,200})'|\"([^\"\n]{1,200})\"|([^'\"#\s][^#\n]{0,200}))",
    re.MULTILINE,
)
_PACKAGES = re.compile(r"^packages:[^\n]{0,200}\n((?:[ \t]{0,40}(?:-[^\n]*|\#[^\n]*)?\n)*)", re.MULTILINE)
_LONGEST_LIST = 20_000


def workspace_of(tree: Tree, folder: str) -> str:
    """Return the root of the workspace that a package belongs to; the folder itself when it is in none."""
    for above in upwards(folder):
        patterns = list(_patterns(tree, above)) if above != folder else []
        if patterns and _is_member(str(relative(folder, above)), patterns):
            return above
    return folder


def manager_of(tree: Tree, folder: str) -> str:
    """Return the package manager of a package: what its workspace names or has locked, else what is nearest."""
    top = workspace_of(tree, folder)
    for place in (*((top,) if top != folder else ()), *upwards(folder)):
        named = str((tree.package(place) or {}).get("packageManager", "")).partition("@")[0]
        if named in MANAGERS.values():
            return named
        for lock_file, manager in MANAGERS.items():
            if tree.has(place, lock_file):
                return manager
    return "npm"


def _patterns(tree: Tree, folder: str) -> Iterator[str]:
    """Yield the patterns by which a workspace names its packages; those with `!` leave packages out."""
    stated = (tree.package(folder) or {}).get("workspaces")
    if isinstance(stated, dict):
        stated = stated.get("packages")
    yield from (each for each in stated or () if isinstance(each, str)) if isinstance(stated, list) else ()
    if tree.has(folder, "pnpm-workspace.yaml"):
        text = tree.text(f"{folder}/pnpm-workspace.yaml" if folder else "pnpm-workspace.yaml")[:_LONGEST_LIST]
        if found := _PACKAGES.search(f"{text}\n"):
            for item in _ITEM.finditer(found[1]):
                yield (item[1] or item[2] or item[3]).strip()


def _is_member(package: str, patterns: list[str]) -> bool:
    wanted = any(_matches(package, each) for each in patterns if not each.startswith("!"))
    return wanted and not any(_matches(package, each[1:]) for each in patterns if each.startswith("!"))


def _matches(package: str, pattern: str) -> bool:
    parts = [part for part in pattern.strip("/").split("/") if part not in ("", ".")]
    return len(pattern) <= _LONGEST_LIST and _fits(package.split("/"), parts)


def _fits(names: list[str], parts: list[str]) -> bool:
    """Tell whether names match a pattern, of which `**` stands for any number of folders."""
    if len(parts) > len(names) + 2 or not parts:
        return not parts and not names
    if parts[0] == "**":
        return any(_fits(names[count:], parts[1:]) for count in range(len(names) + 1))
    return bool(names) and fnmatch.fnmatchcase(names[0], parts[0]) and _fits(names[1:], parts[1:])
