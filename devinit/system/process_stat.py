"""The state of a process and its place in the process tree, from one read of the kernel's data."""

from __future__ import annotations

from typing import NamedTuple


class Stat(NamedTuple):
    """The relevant fields of /proc/PID/stat."""

    state: str
    parent: int
    session: int
    start_time: int
    terminal: int = 0
    """The device number of its controlling terminal; 0 if it has none."""
    name: str = ""
    """The kernel's short name of the process."""

    @property
    def runs(self) -> bool:
        """Whether it has not ended; a zombie counts as ended."""
        return self.state not in "ZX"

    @property
    def stopped(self) -> bool:
        """Whether Ctrl-Z, SIGSTOP or a debugger stopped it."""
        return self.state in "Tt"
