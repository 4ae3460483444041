"""The actions in the life of a service: the runner carries each out, and reports the result as an event."""

from __future__ import annotations

from typing import TypeAlias

from msgspec import Struct


class SetUp(Struct, frozen=True):
    """Begin what needs no other service: install dependencies, make data directories."""


class Prepare(Struct, frozen=True):
    """Await the set-up, then run the one-shot commands."""


class CleanUp(Struct, frozen=True):
    """Clean up after a process that died: stale pid files, processes that it left behind."""


class Spawn(Struct, frozen=True):
    """Start the process."""


class AwaitReady(Struct, frozen=True):
    """Probe until it is ready."""


class LookAfter(Struct, frozen=True):
    """Ask again and again whether it is well, if it has a health check."""


class Wait(Struct, frozen=True):
    """Report DelayPassed after some seconds."""

    seconds: float


class EndTree(Struct, frozen=True):
    """End every process of it; report TreeGone."""


class NextPort(Struct, frozen=True):
    """Give the port up, get another one, end what runs and spawn again."""

    reason: str


Action: TypeAlias = SetUp | Prepare | CleanUp | Spawn | AwaitReady | LookAfter | Wait | EndTree | NextPort
