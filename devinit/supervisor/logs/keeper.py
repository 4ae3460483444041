"""Look after logs while services write them: limit their sizes, and record when lines were printed.

It is idle while nothing is printed: the kernel reports the first write, then we look twenty times a second until
nothing more has come, and wait for the next write. The costs stay the same however much a service prints.
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
from devinit.logs.times import last_point, point, thinned, times_path
from devinit.model.service import LogLimits, Service
from devinit.supervisor.logs import log_files
from devinit.system.files import write_atomically
from devinit.system.regular import open_regular

TYPE_CHECKING = False
if TYPE_CHECKING:
    from devinit.system.inotify import Inotify

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.05
"""Seconds between a write and our look at it, which is the largest error in the time of a line."""
UNWATCHED_SECONDS = 1.0
"""Seconds between looks where the kernel does not report writes (macOS, or the user's watches are used up)."""
START_SECONDS = 1.0
"""Seconds of polling before we have the kernel report writes: services that start must not wait for the set-up."""
REPORT_SECONDS = 1.0
"""Minimum seconds between reports that a service prints: the reactions to a report cost more than a look."""
BOUND_SECONDS = 1.0
"""Minimum seconds between size checks of a log."""
MOST_POINTS = 8192
"""Maximum number of lines in a .times file; a longer file is thinned out."""
POINT_BYTES = 40
SAME_TIME_SECONDS = 0.01
RECENT_POINTS = 64
"""So many points at the end of a .times file are enough to find the last point of the current log."""
MOST_UNSEEN_BYTES = 2**20
"""Maximum number of bytes read of output without a supervisor; the times of further lines are estimated."""
CANNOT_FREE = (errno.EOPNOTSUPP, errno.ENOSYS, errno.EPERM, errno.EINVAL)


class Kept:
    """One log that is looked after."""

    __slots__ = (
        "bounded_at",
        "can_be_freed",
        "has_grown",
        "inode",
        "is_unreported",
        "limits",
        "noted_at",
        "path",
        "reported_at",
        "seen_at",
        "service",
        "size",
    )

    def __init__(self, service: str, path: Path, limits: LogLimits) -> None:
        self.service, self.path, self.limits = service, path, limits
        self.inode, self.size = 0, 0
        self.noted_at = 0.0
        """The time of the last recorded point."""
        self.seen_at = 0.0
        """The last time at which the log still had this size."""
        self.has_grown = False
        """Whether the log has grown since its size was last limited."""
        self.bounded_at = 0.0
        self.is_unreported = False
        """Whether the log has grown since the last report."""
        self.reported_at = 0.0
        """Monotonic time, like `bounded_at`."""
        self.can_be_freed = True


class LogKeeper:
    """The logs of one project."""

    def __init__(
        self,
        private: Path,
        tell: Callable[[str, str], None] = lambda _text, _service: None,
        written: Callable[[str], None] = lambda _service: None,
    ) -> None:
        """Take `written`, which is called about a second after a service has printed, for as long as it prints."""
        self._private = private
        self._tell_written = written
        self._tell = tell
        self._logs: dict[str, Kept] = {}
        self._inotify: Inotify | None = None
        self._watching_from: float | None = None
        """Monotonic time at which the kernel is asked to report writes; None before the first log."""
        self._watched: dict[int, Kept] = {}
        self._written: set[str] = set()
        """Services whose logs the next look covers."""
        self._timer: asyncio.TimerHandle | None = None
        self._reports: dict[str, asyncio.TimerHandle] = {}
        """Service → the timer for the report of its last output before it fell silent."""
        self.on_growth: dict[str, Callable[[], None]] = {}
        """Service → callback for writes to its log: at once after a silence, then at most once a second."""

    def open(self, service: Service) -> int:
        """Return a descriptor that appends to a service's log, and look after the log from now on."""
        kept = self.keep(service)
        # The last output of the previous run has to be recorded before its file is moved aside.
        self._note_growth(kept)
        return log_files.open_log(self._private, service.name, service.logs)

    def mark(self, service: str, descriptor: int, text: str) -> int:
        """Begin a run with a line of our own; return the offset after it, where the output begins."""
        found, now = os.fstat(descriptor), time.time()
        # Before the line: a reader that follows the log looks the run up when the line comes.
        self._note(service, [point(found.st_ino, found.st_size, now, run=True)])
        offset = log_files.mark(descriptor, text)
        if (kept := self._logs.get(service)) is not None:
            kept.inode, kept.size, kept.noted_at, kept.seen_at = found.st_ino, offset, now, now
            self._note(service, [point(found.st_ino, offset, now)])
        return offset

    def keep(self, service: Service) -> Kept:
        """Look after a log that a service writes to, from now on or still."""
        path = log_files.log_path(self._private, service.name)
        kept = self._logs.setdefault(service.name, Kept(service.name, path, service.logs))
        kept.limits = service.logs
        self._written.add(service.name)
        if self._watching_from is None:
            self._watching_from = time.monotonic() + START_SECONDS
        # Not at once: services that start must not wait for us.
        self._look_later(LOOK_SECONDS)
        return kept

    def close(self) -> None:
        """Stop looking after all logs."""
        if self._timer is not None:
            self._timer.cancel()
        for report in self._reports.values():
            report.cancel()
        for kept in self._logs.values():
            self._note_growth(kept)
        if self._inotify is not None:
            asyncio.get_running_loop().remove_reader(self._inotify.fileno())
            self._inotify.close()
            self._inotify = None

    # When to look

    def _start_watching(self) -> None:
        # It loads ctypes, which is not needed before the first services have been started.
        from devinit.system.inotify import Inotify, Unavailable

        try:
            self._inotify = Inotify()
        except Unavailable:
            return
        asyncio.get_running_loop().add_reader(self._inotify.fileno(), self._woken)

    def _woken(self) -> None:
        """Record the first write after a silence; the next look sees later writes."""
        assert self._inotify is not None  # noqa: S101  it has woken us
        for watch, _ in self._inotify.events():
            # Any other watch has ended with its one event, or belongs to the file before a new run.
            if (kept := self._watched.pop(watch, None)) is not None:
                self._written.add(kept.service)
                # The log did not grow before this write.
                kept.seen_at = time.time()
                self._note_growth(kept)
                self._tell_growth(kept)
                kept.reported_at = time.monotonic()
        if self._written:
            self._look_later(LOOK_SECONDS)

    def _look_later(self, seconds: float) -> None:
        """Look after so many seconds at the latest."""
        loop = asyncio.get_running_loop()
        if self._timer is not None:
            if self._timer.when() <= loop.time() + seconds:
                return
            self._timer.cancel()
        self._timer = loop.call_later(seconds, self._look_at_all)

    def _look_at_all(self) -> None:
        self._timer = None
        if self._inotify is None and self._is_time_to_watch():
            self._start_watching()
        names = list(self._written)
        self._written.clear()
        for name in names:
            self._look(self._logs[name])

    def _is_time_to_watch(self) -> bool:
        return self._watching_from is not None and time.monotonic() >= self._watching_from

    def _watch(self, kept: Kept) -> None:
        """Let the next write wake us; look again later where the kernel does not report it."""
        watch = self._inotify.watch_once(kept.path) if self._inotify is not None else None
        if watch is not None:
            self._watched[watch] = kept
        elif kept.path.exists():
            self._look_again(kept, UNWATCHED_SECONDS if self._is_time_to_watch() else LOOK_SECONDS)

    def _look_again(self, kept: Kept, seconds: float) -> None:
        self._written.add(kept.service)
        self._look_later(seconds)

    # What a look does

    def _look(self, kept: Kept) -> None:
        """Record the growth of a log and limit its size. Once it no longer grows, wait for the next write."""
        if self._note_growth(kept):
            self._report_growth(kept)
            self._look_again(kept, LOOK_SECONDS)
            if time.monotonic() - kept.bounded_at >= BOUND_SECONDS:
                self._bound(kept)
            return
        self._report_later(kept)
        # Before it is watched: limiting its size changes the log.
        self._bound(kept)
        self._watch(kept)
        if self._note_growth(kept):
            self._look_again(kept, LOOK_SECONDS)

    def _note_growth(self, kept: Kept) -> bool:
        """Record the growth since the last look. Its time lies between that look and the last write."""
        now = time.time()
        try:
            found = kept.path.stat()
        except OSError:
            # The file was deleted; the next run creates it again.
            return False
        written = min(now, found.st_mtime)
        seen, kept.seen_at = min(kept.seen_at, written), now
        if found.st_ino == kept.inode and found.st_size == kept.size:
            return False
        points = [point(found.st_ino, found.st_size, written)]
        if not kept.inode:
            points[:0] = self._unseen(kept, found, written)
        if found.st_ino == kept.inode and found.st_size < kept.size:
            # The file was emptied.
            points.insert(0, point(found.st_ino, 0, written))
        elif found.st_ino == kept.inode and seen - kept.noted_at > SAME_TIME_SECONDS:
            points.insert(0, point(found.st_ino, kept.size, seen))
        self._note(kept.service, points)
        kept.inode, kept.size, kept.noted_at = found.st_ino, found.st_size, written
        kept.has_grown = kept.is_unreported = True
        return True

    def _unseen(self, kept: Kept, found: os.stat_result, written: float) -> list[str]:
        """Return points for lines that were printed without a supervisor and carry their time."""
        try:
            known = last_point(_end_of(times_path(kept.path), POINT_BYTES * RECENT_POINTS), found.st_ino)
            if known is None or known[0] >= found.st_size:
                return []
            descriptor = os.open(kept.path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                text = os.pread(descriptor, MOST_UNSEEN_BYTES, known[0])
            finally:
                os.close(descriptor)
        except OSError:
            return []
        from devinit.logs.printed import printed_points  # most services printed nothing meanwhile

        return [point(found.st_ino, *each) for each in printed_points(text, *known, written)]

    def _report_later(self, kept: Kept) -> None:
        """Report the last output of a service even if nothing more comes."""
        if kept.is_unreported and kept.service not in self._reports:
            seconds = max(0.0, kept.reported_at + REPORT_SECONDS - time.monotonic())
            loop = asyncio.get_running_loop()
            self._reports[kept.service] = loop.call_later(seconds, self._report_due, kept)

    def _report_due(self, kept: Kept) -> None:
        del self._reports[kept.service]
        if kept.is_unreported:
            self._report(kept)

    def _report_growth(self, kept: Kept) -> None:
        """Report that a service has printed something, at most once a second."""
        if time.monotonic() - kept.reported_at >= REPORT_SECONDS:
            self._report(kept)

    def _report(self, kept: Kept) -> None:
        kept.is_unreported, kept.reported_at = False, time.monotonic()
        self._tell_growth(kept)
        self._tell_written(kept.service)

    def _tell_growth(self, kept: Kept) -> None:
        if (tell := self.on_growth.get(kept.service)) is not None:
            tell()

    def _bound(self, kept: Kept) -> None:
        if not (kept.has_grown and kept.can_be_freed):
            return
        kept.has_grown, kept.bounded_at = False, time.monotonic()
        from devinit.supervisor.logs.bounds import bound  # not before the first services have been started

        try:
            if bound(kept.path, kept.limits):
                kept.has_grown = True
                self._look_again(kept, LOOK_SECONDS)
        except OSError as error:
            if error.errno not in CANNOT_FREE:
                kept.has_grown = True  # the disk is full, or descriptors are short: the next look tries again
                return
            kept.can_be_freed = False
            log.warning("%s cannot be bounded while it is written to: %s", kept.path, error)
            self._tell(
                f"{kept.path} is larger than its limit, and its file system cannot free the beginning of a"
                f" file: `devinit restart {kept.service}` begins a new one",
                kept.service,
            )

    def _note(self, service: str, points: Iterable[str]) -> None:
        """Append to the times of a log. They only help readers, so a full disk is no reason to fail."""
        path = times_path(log_files.log_path(self._private, service))
        with suppress(OSError):
            descriptor = open_regular(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            try:
                os.write(descriptor, "".join(points).encode())
                size = os.fstat(descriptor).st_size
            finally:
                os.close(descriptor)
            if size > MOST_POINTS * POINT_BYTES:
                self._thin_out(service, path)

    def _thin_out(self, service: str, path: str) -> None:
        from devinit.supervisor.logs.bounds import put_aside  # as above

        file = log_files.log_path(self._private, service)
        inodes = {each.stat().st_ino for each in (file, *put_aside(file)) if each.exists()}
        with open(open_regular(path), encoding="ascii", errors="replace") as known:  # noqa: PTH123  a descriptor
            fewer = thinned(known, inodes, MOST_POINTS)
        with suppress(StateFileError):
            write_atomically(path, "".join(fewer), mode=0o600, durable=False)


def _end_of(path: str, size: int) -> str:
    """Return the last bytes of a file of ours."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        length = os.fstat(descriptor).st_size
        return os.pread(descriptor, size, max(0, length - size)).decode("ascii", "replace")
    finally:
        os.close(descriptor)
