"""The history of a service's state: since when, why, by whom. It is only reported; no decision depends on it."""

from __future__ import annotations

import time

from devinit.model.status import Phase, WrongServer
from devinit.supervisor import lifecycle
from devinit.supervisor.lifecycle import LifecycleEvent, LifecycleState


class History:
    """The latest events in the life of one service. Times are monotonic seconds."""

    def __init__(self) -> None:
        self.phase_since = time.monotonic()
        """When the service entered its phase."""
        self.stuck_since: float | None = None
        """Since when the service has been stuck for its present reason; None while it is not stuck."""
        self.starting_since: float | None = None
        """When this start began: its dependencies were ready, or a delay was over."""
        self.ready_seconds: float | None = None
        """Duration of the start; None before the service is ready, and when an earlier supervisor began the
        start.
        """
        self.last_probe = ""
        """The result of the last failed attempt of the probe; empty once it succeeds."""
        self.restarted_for: str | None = None
        """The reason for the last restart that neither a command nor a failure caused."""
        self.failed_command: str | None = None
        """The `setup` or `before_start` command that failed last; None after the next start begins."""
        self.talks_to: list[str] = []
        """The services of the project to which it was connected at the last check."""
        self.wrong_servers: list[WrongServer] = []
        """The servers to which it was connected at the last check in place of the project's own."""
        self.stopped_by: str | None = None
        """The client that stopped the service, and when; None after the next start begins."""

    @property
    def in_phase_seconds(self) -> float:
        """How long the service has been in its phase."""
        return time.monotonic() - self.phase_since

    def follow(
        self, before: LifecycleState, state: LifecycleState, event: LifecycleEvent, now: float
    ) -> None:
        """Record an event that led from one state to another."""
        if state.phase is not before.phase:
            self._enter(state.phase, event, now)
        if state.stuck != before.stuck:
            self.stuck_since = None if state.stuck is None else now
        if isinstance(event, lifecycle.BecameReady) and state is not before:
            self.last_probe = ""
            begun, self.starting_since = self.starting_since, None
            self.ready_seconds = now - begun if begun is not None else None

    def _enter(self, phase: Phase, event: LifecycleEvent, now: float) -> None:
        self.phase_since = now
        if phase is Phase.STARTING:
            self.talks_to, self.wrong_servers = [], []
        if phase is Phase.STARTING and not isinstance(event, lifecycle.Adopted | lifecycle.WentDown):
            self.starting_since = now
        if phase is Phase.EXITED:
            self.last_probe = ""
        if phase is Phase.WAITING:
            self.failed_command = self.stopped_by = self.ready_seconds = None
        if phase in (Phase.WAITING, Phase.BACKOFF, Phase.STOPPED):
            # The service was ordered, failed or ended: its next start has another reason.
            self.restarted_for = None
