"""In which folders the tools of a service are looked for."""

from __future__ import annotations

from pathlib import Path


def up_to_root(directory: Path, root: Path) -> list[Path]:
    """Return a folder and those that it is in, up to the checkout's: a workspace is installed above."""
    if directory == root or root not in directory.parents:
        return list(dict.fromkeys((directory, root)))
    return [directory, *directory.parents[: directory.parents.index(root) + 1]]
