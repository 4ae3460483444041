"""A project among all of this machine, as `status --all` and `ports --all` report it."""

from __future__ import annotations

from enum import StrEnum
from typing import TypedDict

from devinit.model.status import SupervisorStatus


class NeighbourState(StrEnum):
    """What can be said about a project as a whole."""

    RUNNING = "running"
    """Its supervisor answers, and something of it runs or is about to."""
    STOPPED = "stopped"
    ORPHANED = "orphaned"
    """Services run although their supervisor was killed."""
    UNREACHABLE = "unreachable"
    """Its supervisor runs and does not answer."""
    GONE = "gone"
    """The folder was deleted, and services that were started in it still run."""


class NeighbourService(TypedDict):
    """One service of a project; of a stopped one those that had a port."""

    name: str
    phase: str | None
    """None where no supervisor can be asked."""
    port: int | None
    url: str | None
    reserved: bool
    """It is stopped, and no other project's search ends on its port."""
    program: bool
    """devinit does not run it: a program has leased the port for itself under that name."""


class NeighbourStatus(TypedDict):
    """One project in `status --all --json`."""

    project: str
    root: str
    state: str
    worktree: str | None
    """The top folder of the git checkout that it is in."""
    branch: str | None
    slot: int
    """Of a linked git worktree; 0 for every other checkout."""
    supervisor: SupervisorStatus | None
    started_at: float | None
    """Unix time of its last start."""
    services: list[NeighbourService]
    advice: str | None
    """What to do about a state that should not be."""


class PortRow(TypedDict):
    """One port in `ports --all --json`."""

    port: int
    service: str
    project: str
    root: str
    state: str
    """"leased" while something of the service runs; else "reserved", or "stopped" where the port is free for
    the next project that wants it; "assigned" of an application in PM2, whose `project` is "PM2"."""
    worktree: str | None
    branch: str | None
