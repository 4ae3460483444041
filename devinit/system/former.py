"""Backups of files that the user may have written, made before devinit replaces them."""

from __future__ import annotations

import os
import stat
from itertools import chain, count

from devinit.system.files import not_written, owner_of
from devinit.system.regular import open_regular

USUAL = 0o644
"""Permissions of a file that a command writes for a repository, before the umask."""


def rights_of(path: str | os.PathLike[str]) -> int:
    """Return the permissions of a file, which its replacement keeps; for a missing file, the usual ones."""
    try:
        return stat.S_IMODE(os.stat(path).st_mode) & 0o777
    except OSError:
        return USUAL


def keep_former(path: str | os.PathLike[str], content: bytes, *, most: int = 0o777) -> str:
    """Write the content to `path.old`, or to the first free name of `path.old.2`, `path.old.3` …; return the name.

    No existing file is replaced or written through. If a copy with the same content exists, it is returned
    unchanged. The copy has the permissions of the file, limited to `most`: a `.env` may be private to its owner.
    It has the owner of the file, also when root writes it. Raise StateFileError when the copy cannot be written.
    """
    name, mode, owner = os.fspath(path), rights_of(path) & most, owner_of(path)
    for kept in chain([f"{name}.old"], (f"{name}.old.{number}" for number in count(2))):
        try:
            descriptor = os.open(kept, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        except FileExistsError:
            if _has(kept, content):
                return kept
            continue
        except OSError as error:
            raise not_written(kept, error) from error
        try:
            with open(descriptor, "wb") as file:
                if owner is not None:
                    os.fchown(descriptor, *owner)
                file.write(content)
                file.flush()
                os.fsync(descriptor)
        except OSError as error:
            os.unlink(kept)
            raise not_written(kept, error) from error
        return kept
    raise AssertionError("numbers have no end")


def _has(path: str, content: bytes) -> bool:
    """Whether a regular file has this content; always false for a link."""
    try:
        descriptor = open_regular(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return False
    with open(descriptor, "rb") as file:
        return os.fstat(descriptor).st_size == len(content) and file.read() == content
