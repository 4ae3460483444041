"""Look after the logs while services write them: bound them, and note when what was printed.

Quiet when nothing is printed: the kernel wakes us for the first write, then we look once after a second and
wait for the next write. However much a service prints, that is two wake-ups a second.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from devinit.errors import StateFileError
from devinit.logs.times import point, thinned, times_path
from devinit.model.service import LogLimits, Service
from devinit.supervisor import logs
from devinit.system.files import write_atomically

TYPE_CHECKING = False
if TYPE_CHECKING:
    from devinit.system.inotify import Inotify

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
"""How long after a write we look what came of it."""
UNWATCHED_SECONDS = 5.0
"""How often we look where the kernel does not tell (macOS, or a user's watches are used up)."""
MOST_POINTS = 8192
"""Lines of a .times file; more are thinned out."""
POINT_BYTES = 40
SAME_TIME_SECONDS = 0.01
CANNOT_FREE = (errno.EOPNOTSUPP, errno.ENOSYS, errno.EPERM, errno.EINVAL)


class Kept:
    """One log that is looked after."""

    __slots__ = ("can_be_freed", "inode", "limits", "noted_at", "path", "service", "size")

    def __init__(self, service: str, path: Path, limits: LogLimits) -> None:
        self.service, self.path, self.limits = service, path, limits
        self.inode, self.size = 0, 0
        self.noted_at = 0.0
        """The time of the last point that was noted."""
        self.can_be_freed = True


class LogKeeper:
    """The logs of one project."""

    def __init__(
        self,
        private: Path,
        tell: Callable[[str, str], None] = lambda _text, _service: None,
        written: Callable[[str], None] = lambda _service: None,
    ) -> None:
        """`written` is told a second after a service has printed something, for as long as it prints."""
        self._private = private
        self._tell_written = written
        self._tell = tell
        self._logs: dict[str, Kept] = {}
        self._inotify: Inotify | None = None
        self._watched: dict[int, Kept] = {}
        self._written: set[str] = set()
        """Services whose logs were written to since the last look."""
        self._timer: asyncio.TimerHandle | None = None
        self.on_growth: dict[str, Callable[[], None]] = {}
        """Service → called when its log was written to: at once after a silence, then once a second at most."""

    def open(self, service: Service) -> int:
        """Return a descriptor that appends to a service's log, and look after it from now on."""
        descriptor = logs.open_log(self._private, service.name, service.logs)
        self.keep(service)
        return descriptor

    def mark(self, service: str, descriptor: int, text: str) -> int:
        """Begin a run with a line of ours; return the offset behind it, where the output begins."""
        found, now = os.fstat(descriptor), time.time()
        # Before the line: who follows the log looks the run up when the line comes.
        self._note(service, [point(found.st_ino, found.st_size, now, run=True)])
        offset = logs.mark(descriptor, text)
        if (kept := self._logs.get(service)) is not None:
            kept.inode, kept.size, kept.noted_at = found.st_ino, offset, now
            self._note(service, [point(found.st_ino, offset, now)])
        return offset

    def keep(self, service: Service) -> None:
        """Look after a log that a service writes to."""
        path = logs.log_path(self._private, service.name)
        self._logs[service.name] = Kept(service.name, path, service.logs)
        # Not at once: services that start must not wait for us.
        self._written.add(service.name)
        self._look_later(LOOK_SECONDS)

    def close(self) -> None:
        """Look after nothing any more."""
        if self._timer is not None:
            self._timer.cancel()
        if self._inotify is not None:
            asyncio.get_running_loop().remove_reader(self._inotify.fileno())
            self._inotify.close()
            self._inotify = None

    # When

    def _start_watching(self) -> None:
        # With ctypes, which is not needed before the first services have been started.
        from devinit.system.inotify import Inotify, Unavailable

        try:
            self._inotify = Inotify()
        except Unavailable:
            return
        asyncio.get_running_loop().add_reader(self._inotify.fileno(), self._woken)

    def _woken(self) -> None:
        """Take note of the first write after a silence; what else comes is seen by the next look."""
        assert self._inotify is not None  # noqa: S101  it has woken us
        for watch, _ in self._inotify.events():
            # Other numbers: the watch has ended with its one event, or a run has begun a new file.
            if (kept := self._watched.pop(watch, None)) is not None:
                self._written.add(kept.service)
                self._note_beginning(kept)
                self._tell_growth(kept)
        if self._written:
            self._look_later(LOOK_SECONDS)

    def _look_later(self, seconds: float) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(seconds, self._look_at_all)

    def _look_at_all(self) -> None:
        self._timer = None
        if self._inotify is None:
            self._start_watching()
        names = list(self._written)
        self._written.clear()
        for name in names:
            self._look(self._logs[name])
            self._tell_written(name)

    def _watch(self, kept: Kept) -> None:
        """Be woken by the next write; where nobody tells us of it, look again."""
        watch = self._inotify.watch_once(kept.path) if self._inotify is not None else None
        if watch is not None:
            self._watched[watch] = kept
        elif kept.path.exists():
            self._written.add(kept.service)
            self._look_later(UNWATCHED_SECONDS)

    # What

    def _note_beginning(self, kept: Kept) -> None:
        """Note that what comes after the known end is printed from now on, not while nobody printed."""
        with suppress(OSError):
            begins = min(time.time(), kept.path.stat().st_mtime)
            if begins - kept.noted_at > SAME_TIME_SECONDS:
                self._note(kept.service, [point(kept.inode, kept.size, begins)])
                kept.noted_at = begins

    def _look(self, kept: Kept) -> None:
        """Note how far a log has come, and bound it. Wait for the next write first: none is missed then."""
        self._watch(kept)
        try:
            found = kept.path.stat()
        except OSError:
            # Deleted by somebody; the next run makes it anew.
            return
        if found.st_ino != kept.inode or found.st_size != kept.size:
            again = [point(found.st_ino, 0, found.st_mtime)] if found.st_size < kept.size else []
            self._note(kept.service, [*again, point(found.st_ino, found.st_size, found.st_mtime)])
            kept.inode, kept.size, kept.noted_at = found.st_ino, found.st_size, found.st_mtime
            self._tell_growth(kept)
        if kept.can_be_freed:
            self._bound(kept)

    def _tell_growth(self, kept: Kept) -> None:
        if (tell := self.on_growth.get(kept.service)) is not None:
            tell()

    def _bound(self, kept: Kept) -> None:
        from devinit.supervisor.log_bounds import bound  # not before the first services have been started

        try:
            if bound(kept.path, kept.limits):
                self._written.add(kept.service)
                self._look_later(LOOK_SECONDS)
        except OSError as error:
            if error.errno not in CANNOT_FREE:
                return  # a full disk, a descriptor short: the next look tries again
            kept.can_be_freed = False
            log.warning("%s cannot be bounded while it is written to: %s", kept.path, error)
            self._tell(
                f"{kept.path} is larger than its limit, and its file system cannot free the beginning of a"
                f" file: `devinit restart {kept.service}` begins a new one",
                kept.service,
            )

    def _note(self, service: str, points: Iterable[str]) -> None:
        """Append to the times of a log. They are a help for readers: a full disk is no reason to fail."""
        path = times_path(logs.log_path(self._private, service))
        with suppress(OSError):
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            try:
                os.write(descriptor, "".join(points).encode())
                size = os.fstat(descriptor).st_size
            finally:
                os.close(descriptor)
            if size > MOST_POINTS * POINT_BYTES:
                self._thin_out(service, path)

    def _thin_out(self, service: str, path: str) -> None:
        from devinit.supervisor.log_bounds import put_aside  # as above

        file = logs.log_path(self._private, service)
        inodes = {each.stat().st_ino for each in (file, *put_aside(file)) if each.exists()}
        with open(path, encoding="ascii", errors="replace") as known:  # noqa: PTH123  a text, as `times_path` gives it
            fewer = thinned(known, inodes, MOST_POINTS)
        with suppress(StateFileError):
            write_atomically(path, "".join(fewer), mode=0o600, durable=False)
