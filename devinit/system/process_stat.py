"""Which process it is and where it belongs, as the kernel says it in one read."""

from __future__ import annotations

from typing import NamedTuple


class Stat(NamedTuple):
    """The part of /proc/PID/stat that counts here."""

    state: str
    parent: int
    session: int
    start_time: int
    terminal: int = 0
    """The device number of its controlling terminal; 0 when it has none."""
    name: str = ""
    """The kernel's short name."""

    @property
    def runs(self) -> bool:
        """Whether it has not ended; a zombie has."""
        return self.state not in "ZX"

    @property
    def stopped(self) -> bool:
        """Whether Ctrl-Z, SIGSTOP or a debugger stopped it."""
        return self.state in "Tt"
