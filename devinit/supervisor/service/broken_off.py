"""The remains of an interrupted installation of packages, known by inode: nothing else is removed."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

PRODUCTS = (".venv", "node_modules")
"""What installations make in their folder."""


def below(folder: Path, root: Path) -> Path:
    """Return a folder relative to the project's, as far as it lies in it: a checkout may be moved."""
    return folder.relative_to(root) if folder.is_relative_to(root) else folder


def products_in(folder: Path) -> dict[str, int]:
    """Return the products in a folder: name → inode. Links are none."""
    found = {}
    for name in PRODUCTS:
        with suppress(OSError):
            status = os.lstat(folder / name)
            if os.path.isdir(folder / name) and not os.path.islink(folder / name):  # noqa: PTH112, PTH114 - as lstat
                found[name] = status.st_ino
    return found


def left_in(folder: Path, root: Path, before: Iterable[str]) -> dict[str, int]:
    """Return what an installation has made beside what was there `before`: path below the root → inode."""
    if not folder.is_relative_to(root):
        return {}
    place = folder.relative_to(root)
    return {str(place / name): inode for name, inode in products_in(folder).items() if name not in before}


def still_left(left: Mapping[str, int], root: Path) -> list[Path]:
    """Return what of it is still there, and is not another one by now."""
    paths = ((root / path, inode) for path, inode in left.items() if ".." not in Path(path).parts)
    return [path for path, inode in paths if products_in(path.parent).get(path.name) == inode]


def remove(left: Mapping[str, int], root: Path) -> None:
    """Remove what is still there, so that the next installation begins again. Blocking. Raise OSError."""
    import shutil  # it loads two compressors, and few installations break off

    for path in still_left(left, root):
        shutil.rmtree(path)
