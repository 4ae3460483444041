"""How the processes of a terminal ended: answered while its holder runs, and left in a file for later.

The file has its size from the beginning, so that a disk that is full by then has room for what is written into it.
"""

from __future__ import annotations

import os

SLOTS = 16
SLOT_BYTES = 32


class Endings:
    """The ends of the service itself, which has a place of its own, and of the last others."""

    def __init__(self, path: str) -> None:
        self.codes: dict[int, int] = {}
        """Process → its exit code; negative: the signal."""
        self._others = 0
        self._descriptor = -1
        try:
            self._descriptor = os.open(
                path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600
            )
            os.write(self._descriptor, b" " * (SLOTS * SLOT_BYTES))
        except OSError:
            pass  # full already: only a supervisor that comes later misses it

    def note(self, pid: int, code: int, *, is_service: bool) -> None:
        """Note how a process ended."""
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
    """Return the exit code of a process from the content of the file; None where it is not in it."""
    for line in data.split(b"\n"):
        words = line.split()
        if len(words) == 2 and words[0] == b"%d" % pid:
            return int(words[1])
    return None
