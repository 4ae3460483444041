"""Find the package manager of a folder, and the workspace root at which it installs packages."""

from __future__ import annotations

from devinit.sources.applications.tree import Tree, joined, relative, upwards
from devinit.toolchains.node.managers import LOCKED_BY, MANAGERS
from devinit.toolchains.node.workspaces import PNPM_FILE, is_member, stated_patterns


def workspace_of(tree: Tree, folder: str) -> str:
    """Return the root of the workspace that a package belongs to; the folder itself when it belongs to none."""
    for above in upwards(folder):
        if above == folder:
            continue
        pnpm = tree.text(joined(above, PNPM_FILE)) if tree.has(above, PNPM_FILE) else ""
        if is_member(str(relative(folder, above)), [*stated_patterns(tree.package(above) or {}, pnpm)]):
            return above
    return folder


def manager_of(tree: Tree, folder: str) -> str:
    """Return the package manager of a package: that of its workspace, else that of the nearest folder."""
    top = workspace_of(tree, folder)
    for place in (*((top,) if top != folder else ()), *upwards(folder)):
        named = str((tree.package(place) or {}).get("packageManager", "")).partition("@")[0]
        if named in MANAGERS:
            return named
        for lock_file, manager in LOCKED_BY.items():
            if tree.has(place, lock_file):
                return manager
    return "npm"
