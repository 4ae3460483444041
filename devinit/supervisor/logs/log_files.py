"""The log file of a service. The service writes to it directly, with nothing between it and the disk.

Without a pipe there is no copy, no back-pressure, and no SIGPIPE when the supervisor dies (docs/adr/0003).
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
"""Bytes at the end of a log that are searched for the last lines of a run."""

FIRST_BYTES = 16 * 1024
"""Bytes at the beginning of a run that identify it: frameworks print their banner there."""
LOOK_BYTES = 4 * 1024 * 1024
"""Bytes that are read at once while a run is followed; the next look reads the rest."""

COLOURS = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
"""CSI sequences (ECMA-48 §5.4): colours and cursor movements."""


def log_path(private: Path, service: str) -> Path:
    """Return the path of a service's log."""
    return private / "logs" / f"{service}.log"


def open_log(private: Path, service: str, limits: LogLimits) -> int:
    """Return a descriptor that appends to the service's log; move a full log aside first."""
    path = log_path(private, service)
    try:
        # The folder may be gone since we started: `git clean -fdx` removes it.
        path.parent.mkdir(mode=0o700, parents=path.parent.parent.parent.is_dir(), exist_ok=True)
        if end_of(path) >= limits.size_bytes:
            from devinit.supervisor.logs.bounds import (
                rotate,
            )  # kept out of the supervisor's start: few are full

            rotate(path, limits)
        return open_regular(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    except OSError as error:
        from shlex import quote  # kept out of the supervisor's start: only for an error

        raise StateFileError(
            f"{path} cannot be written: {error.strerror}",
            hint=cure_of_limit(error)
            or f"check who owns it: ls -ld {quote(str(path.parent))} {quote(str(path))}",
        ) from error


def mark(descriptor: int, text: str) -> int:
    """Append a line of our own; return the offset after it, where the run's output begins."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    # On a full disk the service runs all the same. Its output is lost then, as it would be anywhere.
    with suppress(OSError):
        os.write(descriptor, f"{MARKER}{text} at {now} ---\n".encode())
    return os.fstat(descriptor).st_size


def end_of(path: Path) -> int:
    """Return the length of a log: later output comes after it."""
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
            # A log that was rotated meanwhile is shorter than the offset: it then belongs to this run entirely.
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
    """Return the first lines of a run, without colours; nothing of a beginning that was freed."""
    try:
        text = read_between(path, offset, offset + FIRST_BYTES).decode(errors="replace")
    except OSError:
        return []
    return COLOURS.sub("", text.replace("\0", "")).splitlines()


def _opened(path: Path) -> BinaryIO:
    return open(open_regular(path), "rb")  # noqa: PTH123  a descriptor has no Path


class NewOutput:
    """A reader of a run's output, piece by piece, so that no line is missed between two looks."""

    def __init__(self, path: Path, offset: int) -> None:
        self._path, self._position = path, offset
        self._unfinished = b""

    def __call__(self) -> str:
        """Return the output since the last look, without colours; an unfinished line is returned again."""
        from devinit.system.holes import data_from  # as above

        try:
            with _opened(self._path) as file:
                if self._position > file.seek(0, os.SEEK_END):
                    # The file was emptied.
                    self._position, self._unfinished = 0, b""
                # The part that was freed meanwhile reads as zeros.
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
    """Return the lines of a run without colours; only the last ones of a long run."""
    lines = COLOURS.sub("", read_from(path, offset)).splitlines()
    return [line.rstrip() for line in lines if not line.startswith(MARKER)]
