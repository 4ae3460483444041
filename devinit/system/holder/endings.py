"""The exit codes of the processes of a terminal: reported while its holder runs, and kept in a file for later.

The file has its full size from the beginning, so that a full disk does not prevent later entries.
"""

from __future__ import annotations

import os

SLOTS = 16
SLOT_BYTES = 32


class Endings:
    """The exit codes of the service itself, which has its own slot, and of the latest other processes."""

    def __init__(self, path: str) -> None:
        self.codes: dict[int, int] = {}
        """Exit codes by pid; negative: the signal."""
        self._others = 0
        self._descriptor = -1
        try:
            self._descriptor = os.open(
                path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600
            )
            os.write(self._descriptor, b" " * (SLOTS * SLOT_BYTES))
        except OSError:
            pass  # the disk is full already: only a later supervisor misses the file

    def note(self, pid: int, code: int, *, is_service: bool) -> None:
        """Record how a process ended."""
        slot = 0
        if not is_service:
            slot = 1 + self._others % (SLOTS - 1)
            self._others += 1
        self.codes[pid] = code
        if len(self.codes) > SLOTS:
            del self.codes[next(iter(self.codes))]
        if self._descriptor >= 0:
            try:
                line = b"%d %d" % (pid, code)
                os.pwrite(self._descriptor, line.ljust(SLOT_BYTES - 1) + b"\n", slot * SLOT_BYTES)
            except OSError:
                pass


def code_in(data: bytes, pid: int) -> int | None:
    """Return the exit code of a process from the content of the file; None if it is not recorded."""
    for line in data.split(b"\n"):
        words = line.split()
        if len(words) == 2 and words[0] == b"%d" % pid:
            return int(words[1])
    return None
