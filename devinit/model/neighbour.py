"""A project on this machine, as `status --all` and `ports --all` report it."""

from __future__ import annotations

from enum import StrEnum
from typing import TypedDict

from devinit.model.status import SupervisorStatus


class NeighbourState(StrEnum):
    """The state of a project as a whole."""

    RUNNING = "running"
    """Its supervisor answers, and at least one service runs or is about to."""
    STOPPED = "stopped"
    ORPHANED = "orphaned"
    """Services run although their supervisor was killed."""
    UNREACHABLE = "unreachable"
    """Its supervisor runs but does not answer."""
    GONE = "gone"
    """The folder was deleted, but services that were started in it still run."""


class NeighbourService(TypedDict):
    """A service of a project; for a stopped project, only services that had a port."""

    name: str
    phase: str | None
    """None if there is no supervisor to ask."""
    port: int | None
    url: str | None
    reserved: bool
    """Whether it is stopped and its port is reserved, so that no other project's search ends there."""
    program: bool
    """Whether a program has leased the port for itself under that name; devinit does not run it."""


class NeighbourStatus(TypedDict):
    """One project in `status --all --json`."""

    project: str
    root: str
    state: str
    worktree: str | None
    """The top folder of the git checkout that contains it."""
    branch: str | None
    slot: int
    """The slot of a linked git worktree; 0 for any other checkout."""
    supervisor: SupervisorStatus | None
    started_at: float | None
    """Unix time of its last start."""
    services: list[NeighbourService]
    advice: str | None
    """What to do about a faulty state."""


class PortRow(TypedDict):
    """One port in `ports --all --json`."""

    port: int
    service: str
    project: str
    root: str
    state: str
    """"leased" while a process of the service runs; else "reserved", or "stopped" if the port is free for the next
    project that wants it; "assigned" for an application in PM2, whose `project` is "PM2"."""
    worktree: str | None
    branch: str | None
