"""The log file of a service: it writes there itself, so nothing stands between it and the disk.

No pipe means no copy, no back-pressure, and no SIGPIPE when the supervisor dies (docs/adr/0003).
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from devinit.errors import StateFileError
from devinit.logs import MARKER
from devinit.model.service import LogLimits
from devinit.system.limits import cure_of_limit
from devinit.system.regular import open_regular

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO

TAIL_BYTES = 64 * 1024
"""How far back the last lines of a run are looked for."""

FIRST_BYTES = 16 * 1024
"""How much of its beginning tells what a run is: frameworks print their banner there."""
LOOK_BYTES = 4 * 1024 * 1024
"""How much is read at once of a run that is followed: the rest comes with the next look."""

COLOURS = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
"""CSI sequences (ECMA-48 §5.4): colours and cursor movements."""


def log_path(private: Path, service: str) -> Path:
    """Return where a service's output goes."""
    return private / "logs" / f"{service}.log"


def open_log(private: Path, service: str, limits: LogLimits) -> int:
    """Return a descriptor that appends to the service's log, after moving a full one aside."""
    path = log_path(private, service)
    try:
        # Also after the checkout was cleaned (git clean -fdx) while we ran.
        path.parent.mkdir(mode=0o700, parents=path.parent.parent.parent.is_dir(), exist_ok=True)
        if end_of(path) >= limits.size_bytes:
            from devinit.supervisor.logs.bounds import rotate  # the supervisor's start: few logs are full

            rotate(path, limits)
        return open_regular(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    except OSError as error:
        from shlex import quote  # the supervisor's start: an error only

        raise StateFileError(
            f"{path} cannot be written: {error.strerror}",
            hint=cure_of_limit(error)
            or f"check who owns it: ls -ld {quote(str(path.parent))} {quote(str(path))}",
        ) from error


def mark(descriptor: int, text: str) -> int:
    """Append a line of our own, and return the offset behind it: where the run's output begins."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    # On a full disk the service runs all the same: what it prints is lost then, as it would be anywhere.
    with suppress(OSError):
        os.write(descriptor, f"{MARKER}{text} at {now} ---\n".encode())
    return os.fstat(descriptor).st_size


def end_of(path: Path) -> int:
    """Return where a log ends now: what is printed from here on comes behind it."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def read_from(path: Path, offset: int, most: int = TAIL_BYTES) -> str:
    """Return the output from an offset on, at most its last bytes, whatever they contain."""
    from devinit.system.holes import data_from  # as above: most starts read no output

    try:
        with _opened(path) as file:
            size = file.seek(0, os.SEEK_END)
            # A log that was rotated meanwhile is shorter than the offset: all of it is of this run then.
            begin = offset if offset <= size else 0
            file.seek(data_from(file.fileno(), max(begin, size - most)))
            return file.read().decode(errors="replace")
    except OSError:
        return ""


def read_between(path: Path, begin: int, end: int) -> bytes:
    """Return the bytes of a log between two offsets. Raise OSError when it cannot be read."""
    with _opened(path) as file:
        file.seek(begin)
        return file.read(end - begin)


def first_lines(path: Path, offset: int) -> list[str]:
    """Return the lines that a run began with, without colours; none of what was given back to the disk."""
    try:
        text = read_between(path, offset, offset + FIRST_BYTES).decode(errors="replace")
    except OSError:
        return []
    return COLOURS.sub("", text.replace("\0", "")).splitlines()


def _opened(path: Path) -> BinaryIO:
    return open(open_regular(path), "rb")  # noqa: PTH123  a descriptor has no Path


class NewOutput:
    """What a run prints, given out piece by piece: a line that scrolls by between two looks is not missed."""

    def __init__(self, path: Path, offset: int) -> None:
        self._path, self._position = path, offset
        self._unfinished = b""

    def __call__(self) -> str:
        """Return what was printed since the last look, without colours; an unfinished line comes again."""
        from devinit.system.holes import data_from  # as above

        try:
            with _opened(self._path) as file:
                if self._position > file.seek(0, os.SEEK_END):
                    # The file was emptied.
                    self._position, self._unfinished = 0, b""
                # What was given back to the disk meanwhile reads as zeros.
                self._position = data_from(file.fileno(), self._position)
                file.seek(self._position)
                new = file.read(LOOK_BYTES)
        except OSError:
            return ""
        self._position += len(new)
        text = self._unfinished + new
        self._unfinished = text[text.rfind(b"\n") + 1 :][-TAIL_BYTES:]
        return COLOURS.sub("", text.decode(errors="replace"))


def last_lines(path: Path, offset: int, count: int) -> list[str]:
    """Return the last lines of a run, without colours."""
    return run_lines(path, offset)[-count:]


def run_lines(path: Path, offset: int) -> list[str]:
    """Return the lines of a run, those at its end if it is a long one, without colours."""
    lines = COLOURS.sub("", read_from(path, offset)).splitlines()
    return [line.rstrip() for line in lines if not line.startswith(MARKER)]
