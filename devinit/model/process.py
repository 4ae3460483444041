"""What a process is to us: how to start it, and how to be sure that it is still the same one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct


class ProcessIdentity(Struct, frozen=True):
    """A process that cannot be mistaken for a later one with the same number."""

    pid: Annotated[int, Meta(ge=0, lt=1 << 31)]
    start_time: int
    """Clock ticks since boot at which the process started (field 22 of /proc/PID/stat), or its equivalent."""
    boot_id: str
    """The kernel's boot; a record from another boot describes nothing that lives."""


class TerminalHolder(Struct, frozen=True):
    """The process that holds the terminal of a service: its parent, beside the supervisor."""

    identity: ProcessIdentity
    socket: str
    """Where its clients meet it."""
    endings: str
    """The file in which it notes how its processes ended."""


class RunAs(Struct, frozen=True):
    """The user that a process is started as, when it must not be ours (PostgreSQL refuses root)."""

    uid: int
    gid: int


class ProcessSpec(Struct, frozen=True, kw_only=True):
    """Everything needed to start a process, decided before it starts."""

    argv: tuple[str, ...]
    directory: Path
    environment: dict[str, str]
    """The whole environment of the process; nothing is inherited beside it."""
    run_as: RunAs | None = None
    data: Path | None = None
    """The directory whose lock the process keeps for as long as it, or anything that it started, runs."""


class ProcessFacts(Struct, frozen=True, kw_only=True):
    """What can be told about a process that holds something. None means: not visible to us."""

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
    """Stopped by Ctrl-Z or SIGSTOP: it answers no TERM until it is continued."""
    executable: str = ""
    """The file name of the program that it runs, as `/proc/PID/exe` says; empty when that is hidden."""
    terminal: bool = False
    """It has a controlling terminal."""

    @property
    def title(self) -> str:
        """The command as a person would name it, or the kernel's short name."""
        return " ".join(self.command) or self.name
