"""The remains of an interrupted installation of packages.

They are known by inode, so that nothing else is removed.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

PRODUCTS = (".venv", "node_modules")
"""Folders that an installation creates."""


def below(folder: Path, root: Path) -> Path:
    """Return a folder relative to the project's if it lies inside: a checkout may be moved."""
    return folder.relative_to(root) if folder.is_relative_to(root) else folder


def products_in(folder: Path) -> dict[str, int]:
    """Return the products in a folder as name → inode, without links."""
    found = {}
    for name in PRODUCTS:
        with suppress(OSError):
            status = os.lstat(folder / name)
            if os.path.isdir(folder / name) and not os.path.islink(folder / name):  # noqa: PTH112, PTH114 - as lstat
                found[name] = status.st_ino
    return found


def left_in(folder: Path, root: Path, before: Iterable[str]) -> dict[str, int]:
    """Return the products that an installation added to those `before`: path below the root → inode."""
    if not folder.is_relative_to(root):
        return {}
    place = folder.relative_to(root)
    return {str(place / name): inode for name, inode in products_in(folder).items() if name not in before}


def still_left(left: Mapping[str, int], root: Path) -> list[Path]:
    """Return the remains that still exist and have not been replaced since."""
    paths = ((root / path, inode) for path, inode in left.items() if ".." not in Path(path).parts)
    return [path for path, inode in paths if products_in(path.parent).get(path.name) == inode]


def remove(left: Mapping[str, int], root: Path) -> None:
    """Remove the remains that still exist, so that the next installation starts afresh. Blocking.

    Raise OSError.
    """
    import shutil  # it loads two compressors, and installations rarely break off

    for path in still_left(left, root):
        shutil.rmtree(path)
