"""Notification that a folder was deleted or moved away, without polling."""

from __future__ import annotations

import os
from typing import Self

from devinit.system.inotify import Inotify, Unavailable
from devinit.system.paths import is_still_there

# <sys/inotify.h>
_DELETED_IN, _SELF_DELETED, _SELF_MOVED = 0x200, 0x400, 0x800


class FolderWatch:
    """A watch on one folder: the `known` one, or the current one; a later folder with the same name is another."""

    def __init__(self, path: str | os.PathLike[str], known: os.stat_result | None = None) -> None:
        self._path = os.path.realpath(path)
        self._known = os.stat(self._path) if known is None else known
        self._inotify: Inotify | None
        try:
            self._inotify = Inotify()
        except Unavailable:
            self._inotify = None
        else:
            self._watch(self._inotify)

    def fileno(self) -> int | None:
        """Return a descriptor that becomes readable when the folder may be gone; None if only polling can tell."""
        return self._inotify.fileno() if self._inotify else None

    def is_there(self) -> bool:
        """Discard pending events, and return whether the folder is still in its place."""
        if self._inotify is not None:
            for _ in self._inotify.events():
                pass
        return is_still_there(self._path, self._known)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._inotify is not None:
            self._inotify.close()

    def _watch(self, inotify: Inotify) -> None:
        # The deletion of a folder in which a process works is reported to the parent folder at once, but to its
        # own watches only when that process ends. Each of the folders above may be moved away as well.
        inotify.watch(self._path, _SELF_DELETED | _SELF_MOVED)
        above = os.path.dirname(self._path)
        inotify.watch(above, _DELETED_IN | _SELF_MOVED)
        while above != os.path.dirname(above):
            above = os.path.dirname(above)
            inotify.watch(above, _SELF_MOVED)
