"""The actions in the life of a service. The runner carries each one out and reports the result as an event."""

from __future__ import annotations

from typing import TypeAlias

from msgspec import Struct


class SetUp(Struct, frozen=True):
    """Begin the steps that need no other service: install dependencies, make data directories."""


class Prepare(Struct, frozen=True):
    """Wait for the set-up, then run the one-shot commands."""


class CleanUp(Struct, frozen=True):
    """Clean up after a process that died: stale pid files, processes that it left behind."""


class Spawn(Struct, frozen=True):
    """Start the process."""


class AwaitReady(Struct, frozen=True):
    """Probe the service until it is ready."""


class LookAfter(Struct, frozen=True):
    """Run the health check of the service periodically, if it has one."""


class Wait(Struct, frozen=True):
    """Report DelayPassed after this time."""

    seconds: float


class EndTree(Struct, frozen=True):
    """End every process of the service; report TreeGone."""


class NextPort(Struct, frozen=True):
    """Give up the port, take another one, end the running processes and spawn the service again."""

    reason: str


Action: TypeAlias = SetUp | Prepare | CleanUp | Spawn | AwaitReady | LookAfter | Wait | EndTree | NextPort
