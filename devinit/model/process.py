"""Processes as values: how to start one, and how to identify it later."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct


class ProcessIdentity(Struct, frozen=True):
    """The identity of a process, which differs from that of a later one with the same pid."""

    pid: Annotated[int, Meta(ge=0, lt=1 << 31)]
    start_time: int
    """Start time in clock ticks since boot (field 22 of /proc/PID/stat), or its equivalent."""
    boot_id: str
    """The kernel's boot; no process in a record from another boot is alive."""


class TerminalHolder(Struct, frozen=True):
    """The process that holds the terminal of a service: its parent, next to the supervisor."""

    identity: ProcessIdentity
    socket: str
    """The path of the socket for its clients."""
    endings: str
    """The file in which it records the exit codes of its processes."""


class RunAs(Struct, frozen=True):
    """The user as which a process is started, if it must not be ours (PostgreSQL refuses root)."""

    uid: int
    gid: int


class ProcessSpec(Struct, frozen=True, kw_only=True):
    """All that is needed to start a process, decided before the start."""

    argv: tuple[str, ...]
    directory: Path
    environment: dict[str, str]
    """The whole environment of the process; it inherits no other variables."""
    run_as: RunAs | None = None
    data: Path | None = None
    """The directory whose lock the process keeps while it, or any process that it started, runs."""


class ProcessFacts(Struct, frozen=True, kw_only=True):
    """Facts about a process that holds something. None means: not visible to us."""

    identity: ProcessIdentity
    parent_pid: int
    name: str
    """The kernel's short name (comm)."""
    command: tuple[str, ...]
    user: str
    uid: int
    directory: str | None
    age_seconds: float
    stopped: bool = False
    """Whether it was stopped by Ctrl-Z or SIGSTOP: it does not react to TERM until it is continued."""
    executable: str = ""
    """The file name of its program, from `/proc/PID/exe`; empty if that is hidden."""
    terminal: bool = False
    """Whether it has a controlling terminal."""

    @property
    def title(self) -> str:
        """The command line, or the kernel's short name."""
        return " ".join(self.command) or self.name
