"""Locks on files that the kernel releases after any crash."""

from __future__ import annotations

import fcntl
import os

from devinit.errors import StateFileError
from devinit.system.files import not_written
from devinit.system.regular import open_regular

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

_LOOK_SECONDS = 0.02


class FileLock:
    """An exclusive lock on a file, which the kernel releases when the last holder of the descriptor ends.

    BSD flock, not fcntl: it follows the descriptor into a child, and closing another descriptor of the same file
    does not release it. devinit never unlinks the file, because another process may be waiting on it.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        self._descriptor: int | None = None

    def acquire(self, blocking: bool) -> bool:
        """Take the lock; without `blocking` return False when another process has it."""
        while self._descriptor is None:
            descriptor = self._open()
            try:
                locked = self._lock(descriptor, blocking=blocking)
                current = locked and self._is_still_the_file(descriptor)
            except BaseException:
                os.close(descriptor)
                raise
            if current:
                self._descriptor = descriptor
                break
            os.close(descriptor)
            if not locked:
                return False
            # The file was deleted during the wait (rm -rf of its folder): a lock on it would exclude no process.
        return True

    @property
    def held(self) -> bool:
        """Whether this object holds the lock."""
        return self._descriptor is not None

    def fileno(self) -> int:
        """Return the locked descriptor, to read, write or pass on."""
        if self._descriptor is None:
            raise ValueError(f"the lock {self.path} is not held")
        return self._descriptor

    def release(self) -> None:
        """Release the lock; a process that inherited the descriptor keeps it."""
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            os.close(descriptor)

    def __enter__(self) -> Self:
        self.acquire(blocking=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def _open(self) -> int:
        try:
            return open_regular(self.path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW)
        except OSError as error:
            raise not_written(self.path, error) from error

    def _lock(self, descriptor: int, *, blocking: bool) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if blocking else fcntl.LOCK_NB))
        except BlockingIOError:
            return False
        except OSError as error:
            raise StateFileError(
                f"{self.path} cannot be locked: {error.strerror}",
                hint="the file system does not support locks; set XDG_STATE_HOME to a local disk",
            ) from error
        return True

    def _is_still_the_file(self, descriptor: int) -> bool:
        try:
            return os.path.samestat(os.fstat(descriptor), os.stat(self.path))
        except FileNotFoundError:
            return False


def locked_within(path: str, seconds: float) -> FileLock | None:
    """Return a lock as soon as no other process has it; None on timeout.

    It polls, because a blocking wait for a lock cannot have a deadline.
    """
    import time  # only where a project is forgotten

    lock, deadline = FileLock(path), time.monotonic() + seconds
    while not lock.acquire(blocking=False):
        if time.monotonic() > deadline:
            return None
        time.sleep(_LOOK_SECONDS)
    return lock


def is_locked(path: str) -> bool:
    """Whether a process holds a lock; a missing file, or one that cannot be opened, counts as free."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def is_unlocked_within(path: str, seconds: float) -> bool:
    """Wait until no process holds a lock; return whether that happened in time.

    It polls: the release of a lock wakes only a process that waits to take it.
    """
    import time  # only for a checkout that was moved or is forgotten

    deadline = time.monotonic() + seconds
    while locked := is_locked(path):
        if time.monotonic() > deadline:
            break
        time.sleep(_LOOK_SECONDS)
    return not locked
