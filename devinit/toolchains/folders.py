"""The folders in which the tools of a service may be installed."""

from __future__ import annotations

from pathlib import Path


def up_to_root(directory: Path, root: Path) -> list[Path]:
    """Return a folder and its parents up to the checkout's root: a workspace is installed above its packages."""
    if directory == root or root not in directory.parents:
        return list(dict.fromkeys((directory, root)))
    return [directory, *directory.parents[: directory.parents.index(root) + 1]]
